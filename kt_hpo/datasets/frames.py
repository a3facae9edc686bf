"""Data frames as splits: which columns are used, what they are, and what they show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kt_hpo.arguments import did_you_mean
from kt_hpo.datasets import findings as found
from kt_hpo.datasets import labels
from kt_hpo.datasets.dataset import Splits
from kt_hpo.datasets.preprocessing import (
    Preprocessing,
    TablePreprocessing,
    TextPreprocessing,
)
from kt_hpo.datasets.preprocessing.columns import (
    DateColumn,
    NumberColumn,
    TextColumn,
    infer,
)
from kt_hpo.datasets.splits import split

if TYPE_CHECKING:
    import pandas as pd

# Whole numbers of more different values than these are quantities.
_MOST_CLASSES = 50


def split_table(frame: pd.DataFrame, target: str | None, *, source: str, **options: Any) -> Splits:
    """Splits a table whose target is one of its columns.

    Args:
        frame: The table.
        target: The column to predict; None takes the last.
        source: What the table is, as an error begins: the path of its file.
        **options: As for `split`.

    Returns:
        The splits.

    Raises:
        ValueError: As for `from_frame`.
    """
    frame = _checked(frame, source)
    names = list(frame.columns)
    if not names:
        raise ValueError(f"{source} has no columns: it needs a target, and inputs.")
    target = names[-1] if target is None else target
    if target not in names:
        guess = did_you_mean(str(target), names)
        raise ValueError(
            f"{source} has no column {target!r}.{guess} Its columns: {', '.join(names)}."
        )
    if len(names) < 2:
        raise ValueError(
            f"{source} has one column, {target!r}, and nothing to predict it from. Give a table "
            "with the inputs in further columns."
        )
    if not len(frame):
        raise ValueError(f"{source} has a header and no rows: there are no samples.")
    findings = list(frame.attrs.get("findings", ()))
    absent = frame[target].isna().to_numpy()
    y, is_missing = _targets(frame[target], target, source)
    absent = absent | is_missing
    if absent.all():
        raise ValueError(f"{source} has no value in column {target!r}: there is nothing to learn.")
    if absent.any():
        findings.append(
            f"{int(absent.sum())} of {len(frame)} rows have no {target!r}: they are left out."
        )
        frame, y = frame[~absent], y[~absent]
    if options.get("task") is None and y.dtype.kind in "iu":
        distinct = len(np.unique(y))
        if distinct > _MOST_CLASSES and distinct > 0.05 * len(y):
            options["task"] = "regression"
            findings.append(
                f"Column {target!r} holds {distinct} different whole numbers: they are taken as "
                'quantities. If they are classes, say so: task="classification".'
            )
    return split_frame(
        frame.drop(columns=target), y, target=target, findings=findings, source=source, **options
    )


def split_frame(
    frame: pd.DataFrame,
    y: np.ndarray,
    *,
    target: str | None = None,
    findings: Any = (),
    source: str = "The table",
    normalize: bool,
    **options: Any,
) -> Splits:
    """Splits a table of inputs and its targets.

    Args:
        frame: The inputs.
        y: The targets, one a row.
        target: Name of the target.
        findings: What is known of the data already.
        source: What the table is, as an error begins.
        normalize: Whether to standardize numbers.
        **options: As for `split`.

    Returns:
        The splits.

    Raises:
        ValueError: As for `from_frame`.
    """
    frame = _checked(frame, source)
    comma_first = bool(frame.attrs.get("comma_first"))
    kinds = [infer(frame[name], name, comma_first) for name in frame.columns]
    reasons = found.useless_columns(frame, kinds)
    columns = tuple(column for column in kinds if column.name not in reasons)
    if not columns and len(frame.columns):
        raise ValueError(
            f"{source} has no column to learn from: "
            + "; ".join(f"{name!r} {reason}" for name, reason in reasons.items())
            + "."
        )
    findings = [
        *findings,
        *found.column_findings(reasons, _suspects(frame, columns, y, options), target),
    ]
    is_text = len(columns) == 1 and isinstance(columns[0], TextColumn)

    def learn(train: Any) -> Preprocessing:
        if is_text:
            name = columns[0].name
            return TextPreprocessing.learn(columns[0].read(train[name]), name)
        return TablePreprocessing.learn(columns, train, tuple(reasons), normalize)

    parts = split(frame, y, learn=learn, target=target, normalize=normalize, **options)
    train = parts.train
    if train.class_names and (sentence := found.imbalance(train.y, train.class_names)):
        findings.append(sentence)
    findings += [
        f"Column {column.name!r} varies little beside its size: `predict` of Keras rounds it to "
        f"float32. Subtract {column.mean:g} from it in the data."
        for column in getattr(train.preprocessing, "columns", ())
        if column.dtype == "float64"
    ]
    found.tell(findings)
    return Splits(*(replace(part, findings=tuple(findings)) for part in parts))


def _checked(frame: Any, source: str) -> Any:
    """A frame of pandas whose columns are named by different texts."""
    if hasattr(frame, "to_pandas"):  # Polars' and Arrow's
        frame = frame.to_pandas()
    if not hasattr(frame, "iloc"):
        raise ValueError(f"A {type(frame).__name__} is no table: give a pandas.DataFrame.")
    frame = frame.rename(columns=str)
    double = frame.columns[frame.columns.duplicated()]
    if len(double):
        raise ValueError(
            f"{source} has several columns called {double[0]!r}: give each a name of its own."
        )
    return frame


def _targets(values: pd.Series, target: str, source: str) -> tuple[np.ndarray, np.ndarray]:
    """Targets as numbers where they are, else as texts; and which of them are missing."""
    import pandas as pd

    if pd.api.types.is_bool_dtype(values.dtype) or isinstance(values.dtype, pd.CategoricalDtype):
        return values.astype(object).to_numpy(), values.isna().to_numpy()
    column = infer(values, target)
    if isinstance(column, DateColumn):
        raise ValueError(
            f"{source} has dates in column {target!r}, which cannot be predicted. Give a number of "
            "days or seconds instead, or another target."
        )
    if not isinstance(column, NumberColumn):
        return values.astype(object).to_numpy(), values.isna().to_numpy()
    numbers = column.read(values)
    missing = ~np.isfinite(numbers)
    is_float = pd.api.types.is_float_dtype(values.dtype) and not missing.any()
    whole = not is_float and (numbers[~missing] % 1 == 0).all()
    return np.where(missing, 0, numbers).astype(np.int64) if whole else numbers, missing


def _suspects(
    frame: pd.DataFrame, columns: tuple[Any, ...], y: np.ndarray, options: dict[str, Any]
) -> list[str]:
    """Names of the columns that alone determine the target."""
    try:
        codes, task, _ = labels.encode(y, options.get("task"), options.get("class_names"))
    except ValueError:
        return []  # `split` says what is wrong with the targets.
    if len(frame) != len(codes):
        return []
    values = {column.name: column.read(frame[column.name]) for column in columns}
    return found.suspects(values, codes, task == "classification")
