"""The kinds of columns of a table: how each is read, and what is learned of it."""

from __future__ import annotations

import datetime
import math
import numbers
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from kt_hpo.datasets.preprocessing.arrays import deviations, wide_type
from kt_hpo.datasets.preprocessing.texts_as_numbers import (
    NumberFormat,
    date_format,
    days,
    is_missing,
    number_format,
    stamp_days,
)

if TYPE_CHECKING:
    import pandas as pd

# Name of the index of a frame from a file, whose rows have the numbers of their lines.
LINE = "line of the file"

# A category is kept from that many rows of the train split on; the others are one, "other".
_RARE = 2
_MOST_CATEGORIES = 100
_MOST_WORDS = 1000
_KNOTS = 33
# Different texts of a column that are looked at first.
_PROBE = 200
# Below such a skewness and excess kurtosis the standardized column alone does.
_SKEWED, _HEAVY = 1.0, 3.0


@dataclass(frozen=True)
class Column:
    """One raw column.

    Args:
        name: Its name.
    """

    kind: ClassVar[str]
    name: str

    @property
    def dtype(self) -> str:
        """Type of the attached model's input."""
        return "float32"

    @abstractmethod
    def read(self, values: pd.Series) -> np.ndarray:
        """Reads raw values as the array that the attached model takes, NaN or `""` for none.

        Raises:
            ValueError: If a value is not of this kind. Says which, in which row.
        """

    @abstractmethod
    def learn(self, values: np.ndarray) -> Column:
        """Gives the column with what the train split's values, as read, tell."""

    def to_config(self) -> dict[str, Any]:
        """Gives all that was learned as what JSON can hold."""
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True)
class _Numeric(Column):
    """A column of numbers.

    Args:
        name: Its name.
        mean: Mean of the train split.
        std: Standard deviation of the train split, 1 for a constant.
        gaps: Whether the train split has missing values.
    """

    mean: float = 0.0
    std: float = 1.0
    gaps: bool = False

    def learn(self, values: np.ndarray) -> _Numeric:
        """Learns the mean and deviation; see `Column.learn`."""
        known = values[np.isfinite(values)].astype(np.float64)
        if not len(known):
            return replace(self, gaps=True)
        mean = known.mean()
        std = deviations(known, mean)
        return replace(self, mean=float(mean), std=float(std), gaps=len(known) < len(values))


@dataclass(frozen=True)
class NumberColumn(_Numeric):
    """Numbers.

    Args:
        name: Its name.
        mean: Mean of the train split.
        std: Standard deviation of the train split, 1 for a constant.
        gaps: Whether the train split has missing values.
        decimal: Sign before the decimals, where numbers are written as text.
        thousands: Sign between groups of three digits, where they are.
        marks: Further texts that stand for no value.
        wide: Type of the raw input, float32 if that can tell the values apart.
        knots: Quantiles of a skewed or heavy-tailed column; empty for others.
    """

    kind: ClassVar[str] = "number"
    decimal: str = "."
    thousands: str = ""
    marks: tuple[str, ...] = ()
    wide: str = "float32"
    knots: tuple[float, ...] = ()

    @property
    def dtype(self) -> str:
        """Type of the attached model's input."""
        return self.wide

    def read(self, values: pd.Series) -> np.ndarray:
        """Reads numbers; see `Column.read`."""
        import pandas as pd

        if pd.api.types.is_timedelta64_dtype(values.dtype):
            return values.dt.total_seconds().to_numpy(np.float64)
        if pd.api.types.is_numeric_dtype(values.dtype):
            return values.to_numpy(np.float64, na_value=np.nan)
        form = NumberFormat(self.decimal, self.thousands)
        return _read_texts(
            self.name,
            values,
            form.parse,
            lambda text: text in self.marks or is_missing(text),
            "number",
        )

    def learn(self, values: np.ndarray) -> NumberColumn:
        """Learns mean, deviation, range and quantiles; see `Column.learn`."""
        column: Any = super().learn(values)
        known = values[np.isfinite(values)]
        if not len(known) or np.ptp(known) == 0:
            return column
        whole = not column.gaps and bool((known % 1 == 0).all())
        wide = wide_type(float(known.min()), float(known.max()), column.std, whole)
        return replace(column, wide=wide, knots=_knots(known, column) if wide == "float32" else ())


@dataclass(frozen=True)
class BooleanColumn(_Numeric):
    """Yes or no, as 1 and 0."""

    kind: ClassVar[str] = "boolean"

    def read(self, values: pd.Series) -> np.ndarray:
        """Reads booleans, as such, as numbers or as the words true and false; see `Column.read`."""
        import pandas as pd

        if pd.api.types.is_bool_dtype(values.dtype) or pd.api.types.is_numeric_dtype(values.dtype):
            return values.to_numpy(np.float64, na_value=np.nan)
        return _read_texts(self.name, values, _truths, is_missing, "boolean")


@dataclass(frozen=True)
class DateColumn(_Numeric):
    """Days since the beginning of 1970, with the time of day as their fraction.

    Args:
        name: Its name.
        mean: Mean of the train split.
        std: Standard deviation of the train split, 1 for a constant.
        gaps: Whether the train split has missing values.
        date: How they are written: `"ISO8601"` or a format of `strptime`.
        periods: Days of the cycles that vary in the train split: of the year, the week, the day.
    """

    kind: ClassVar[str] = "date"
    date: str = "ISO8601"
    periods: tuple[float, ...] = ()

    def read(self, values: pd.Series) -> np.ndarray:
        """Reads dates, or days since 1970; see `Column.read`."""
        import pandas as pd

        if pd.api.types.is_datetime64_any_dtype(values.dtype):
            return stamp_days(values)
        if pd.api.types.is_numeric_dtype(values.dtype):
            return values.to_numpy(np.float64, na_value=np.nan)
        return _read_texts(
            self.name, values, lambda texts: days(texts, self.date), is_missing, "date"
        )

    def learn(self, values: np.ndarray) -> DateColumn:
        """Learns mean, deviation and which cycles vary; see `Column.learn`."""
        column: Any = super().learn(values)
        known = values[np.isfinite(values)].astype(np.float64)
        if len(known) < 2:
            return column
        varies = {
            365.2425: np.ptp(known) > 60,
            7.0: len(np.unique(np.floor(known) % 7)) > 1,
            1.0: len(np.unique(np.round(known % 1, 3))) > 1,
        }
        return replace(column, periods=tuple(period for period in varies if varies[period]))


@dataclass(frozen=True)
class CategoryColumn(Column):
    """One of several texts.

    Args:
        name: Its name.
        vocabulary: The categories, the most frequent first; `""` is no value.
        other: Whether the train split has rarer ones, which share a place.
    """

    kind: ClassVar[str] = "category"
    vocabulary: tuple[str, ...] = ()
    other: bool = False

    @property
    def dtype(self) -> str:
        """Type of the attached model's input."""
        return "string"

    def read(self, values: pd.Series) -> np.ndarray:
        """Reads texts, `""` for no value; see `Column.read`."""
        return _texts(values)

    def learn(self, values: np.ndarray) -> CategoryColumn:
        """Learns the vocabulary; see `Column.learn`."""
        found, counts = np.unique(values.astype(str), return_counts=True)
        order = np.argsort(-counts, kind="stable")
        few = len(found) <= 3
        kept = [
            str(found[place])
            for place in order[:_MOST_CATEGORIES]
            if few or counts[place] >= max(_RARE, len(values) // 2000)
        ]
        return replace(self, vocabulary=tuple(sorted(kept)), other=len(kept) < len(found))


@dataclass(frozen=True)
class TextColumn(Column):
    """Free text.

    Args:
        name: Its name.
        vocabulary: Its words, the most frequent first, after the sign for all others.
        weights: Inverse document frequency of each.
    """

    kind: ClassVar[str] = "text"
    vocabulary: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()

    @property
    def dtype(self) -> str:
        """Type of the attached model's input."""
        return "string"

    def read(self, values: pd.Series) -> np.ndarray:
        """Reads texts, `""` for no value; see `Column.read`."""
        return _texts(values)

    def learn(self, values: np.ndarray) -> TextColumn:
        """Learns the words and how rare they are; see `Column.learn`."""
        import keras

        counter = keras.layers.TextVectorization(max_tokens=_MOST_WORDS, output_mode="multi_hot")
        counter.adapt(values)
        documents = sum(
            keras.ops.convert_to_numpy(counter(values[start : start + 1024])).sum(axis=0)
            for start in range(0, len(values), 1024)
        )
        words = zip(counter.get_vocabulary()[1:], documents[1:].tolist(), strict=True)
        known = [(str(word), count) for word, count in words if count >= _RARE]
        return replace(
            self,
            vocabulary=tuple(word for word, _ in known),
            # As Keras' own TF-IDF weighs a word.
            weights=tuple(math.log(1 + len(values) / (1 + count)) for _, count in known),
        )


KINDS: dict[str, Any] = {
    made.kind: made
    for made in (NumberColumn, BooleanColumn, DateColumn, CategoryColumn, TextColumn)
}


def column_from_config(config: dict[str, Any]) -> Column:
    """Makes a column of what its `to_config` gave.

    Args:
        config: The config.

    Returns:
        The column.

    Example:
        >>> column_from_config(NumberColumn("size", mean=2.0).to_config())
        NumberColumn(name='size', mean=2.0, ...)
    """
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in config.items() if k != "kind"}
    return KINDS[config["kind"]](**values)


def infer(values: pd.Series, name: str, comma_first: bool = False) -> Column:
    """Finds of which kind a column is.

    Args:
        values: The raw column, of all rows.
        name: Its name.
        comma_first: Whether `1,234` is rather 1.234 than 1234.

    Returns:
        The column, with nothing learned yet.

    Raises:
        ValueError: If it holds what is neither numbers, booleans, dates nor texts.

    Example:
        >>> import pandas
        >>> infer(pandas.Series(["1.2.2024", "3.2.2024", "?"]), "day")
        DateColumn(name='day', mean=0.0, std=1.0, gaps=False, date='%d.%m.%Y', periods=())
    """
    import pandas as pd

    kind = pd.api.types
    if kind.is_bool_dtype(values.dtype):
        return BooleanColumn(name)
    if kind.is_complex_dtype(values.dtype):
        raise ValueError(f"Column {name!r} holds complex numbers: give their parts as columns.")
    if kind.is_numeric_dtype(values.dtype) or kind.is_timedelta64_dtype(values.dtype):
        return NumberColumn(name)
    if kind.is_datetime64_any_dtype(values.dtype):
        return DateColumn(name)
    if isinstance(values.dtype, pd.CategoricalDtype):
        return CategoryColumn(name)
    return _infer_of_texts(_distinct_texts(values, name), name, comma_first)


def _infer_of_texts(counts: pd.Series, name: str, comma_first: bool) -> Column:
    """Finds the kind of a column of texts by how often each occurs."""
    texts = [text for text in counts.index if not is_missing(text)]
    if not texts:
        return NumberColumn(name)
    if {text.strip().lower() for text in texts} <= {"true", "false"}:
        return BooleanColumn(name)
    # Of prose, a part tells that it holds no numbers.
    form, unread = number_format(texts[:_PROBE], comma_first)
    if len(texts) > _PROBE and len(unread) < _PROBE / 2:
        form, unread = number_format(texts, comma_first)
    # A sign for "no value" that nobody knows: a few texts among many different numbers.
    if not unread or (len(unread) <= 3 and len(texts) >= 10 * len(unread) + 10):
        return NumberColumn(
            name, decimal=form.decimal, thousands=form.thousands, marks=tuple(unread)
        )
    if date := date_format(texts):
        return DateColumn(name, date=date)
    words = np.array([len(text.split()) for text in texts])
    is_prose = words.mean() >= 3 and len(texts) > max(20, 0.05 * counts.sum())
    return TextColumn(name) if is_prose else CategoryColumn(name)


def _distinct_texts(values: pd.Series, name: str) -> pd.Series:
    """Counts the different texts of a column."""
    allowed = (str, numbers.Number, np.bool_, datetime.date, datetime.time, Decimal)
    for value in values[values.notna().to_numpy()].head(1000):
        if not isinstance(value, allowed):
            raise ValueError(
                f"Column {name!r} holds a {type(value).__name__}: a table holds numbers, booleans, "
                "dates and texts. Leave the column out, or spread it over several."
            )
    return values.dropna().astype(str).value_counts()


def _texts(values: pd.Series) -> np.ndarray:
    """Gives a column as texts, `""` for no value, in the type that Keras takes."""
    import pandas as pd

    if pd.api.types.is_float_dtype(values.dtype):
        # Whole numbers among which one is missing: `3`, not `3.0`.
        values = values.map(lambda number: f"{number:.0f}" if number % 1 == 0 else str(number))
        values = values.where(values != "nan")
    texts = values.astype(object).where(values.notna().to_numpy(), "")
    return np.array([str(text) for text in texts], dtype=object)


def _truths(texts: list[str]) -> np.ndarray:
    """Reads the words true and false, and 1 and 0."""
    meaning = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}
    return np.array([meaning.get(text.strip().lower(), math.nan) for text in texts])


def _read_texts(
    name: str,
    values: pd.Series,
    parse: Callable[[list[str]], np.ndarray],
    is_none: Callable[[str], bool],
    what: str,
) -> np.ndarray:
    """Reads a column of texts, each different one once."""
    import pandas as pd

    places, different = pd.factorize(values.astype(object).map(str, na_action="ignore"))
    texts = [str(text) for text in different]
    numbers = np.append(parse(texts), math.nan)
    wrong = [
        place
        for place, text in enumerate(texts)
        if math.isnan(numbers[place]) and not is_none(text)
    ]
    if wrong:
        row = int(np.isin(places, wrong).argmax())
        raise ValueError(
            f"Column {name!r} holds {texts[places[row]]!r} in {_place(values, row)}, which is no "
            f"{what} as the others are. Correct it, or leave it empty."
        )
    return numbers[places]


def _place(values: pd.Series, row: int) -> str:
    """Names a row as its user counts: by the line of the file, where its reader has said it."""
    if values.index.name == LINE:
        return f"line {values.index[row]}"
    return f"row {row} (counted from 0)"


def _knots(known: np.ndarray, column: NumberColumn) -> tuple[float, ...]:
    """Quantiles of a column that is skewed or heavy-tailed; none of others."""
    z = (known - column.mean) / column.std
    if abs((z**3).mean()) < _SKEWED and (z**4).mean() - 3 < _HEAVY:
        return ()
    knots = np.quantile(known, np.linspace(0, 1, _KNOTS))
    return tuple(knots.tolist()) if len(np.unique(knots)) > 2 else ()
