"""Tables: columns of numbers, booleans, dates, categories and texts as one array."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from kt_hpo.arguments import did_you_mean
from kt_hpo.datasets.preprocessing.arrays import standardize
from kt_hpo.datasets.preprocessing.base import Group, Preprocessing, rows_of
from kt_hpo.datasets.preprocessing.columns import (
    BooleanColumn,
    CategoryColumn,
    Column,
    DateColumn,
    NumberColumn,
    TextColumn,
    column_from_config,
)
from kt_hpo.datasets.preprocessing.texts import text_layer

# Standard deviations at which a standardized number ends, so that one wild row cannot rule.
_CLIP = 10.0


@dataclass(frozen=True)
class TablePreprocessing(Preprocessing):
    """Turns a table into one float32 array.

    Numbers are standardized and end at 10 standard deviations; skewed and heavy-tailed ones stand
    there a second time, as normal quantiles. A missing number becomes the mean, with a column that
    says so; dates become a trend and the cycles of year, week and day; categories one-hot; texts
    TF-IDF.

    Args:
        columns: What was learned of each column that is used.
        left_out: Names of the columns that are not.
        normalize: Whether numbers are standardized; they stay as they are otherwise.

    Example:
        >>> import pandas
        >>> frame = pandas.DataFrame({"size": [1.0, None, 3.0], "home": ["sofa", "yard", "sofa"]})
        >>> columns = NumberColumn("size"), CategoryColumn("home")
        >>> table = TablePreprocessing.learn(columns, frame)
        >>> table.transform(frame)  # size, whether it is missing, home: sofa, yard
        array([[-1.,  0.,  1.,  0.],
               [ 0.,  1.,  0.,  1.],
               [ 1.,  0.,  1.,  0.]], dtype=float32)
        >>> [(group.name, group.kind, group.start, group.size) for group in table.groups]
        [('size', 'number', 0, 1), ('size', 'missing', 1, 1), ('home', 'category', 2, 2)]
    """

    kind: ClassVar[str] = "table"
    columns: tuple[Column, ...]
    left_out: tuple[str, ...] = ()
    normalize: bool = True

    @classmethod
    def learn(
        cls,
        columns: tuple[Column, ...],
        rows: Any,
        left_out: tuple[str, ...] = (),
        normalize: bool = True,
    ) -> TablePreprocessing:
        """Learns what each column's kind needs.

        Args:
            columns: The columns, of which nothing is known but their kind.
            rows: Raw rows to learn from: a data frame.
            left_out: Names of the columns that are not used.
            normalize: Whether to standardize numbers.

        Returns:
            The preprocessing.

        Raises:
            ValueError: If no column tells anything, or a value is not of its column's kind.
        """
        learned = [column.learn(column.read(rows[column.name])) for column in columns]
        # Of texts that are all different no word, and no category, is known from another row.
        unlike = [column.name for column in learned if getattr(column, "vocabulary", None) == ()]
        if len(unlike) == len(learned):
            raise ValueError(
                f"There is no column to learn from: in {', '.join(map(repr, unlike))} no text, nor "
                "a word of one, occurs twice. Give more rows, or other columns."
            )
        used = tuple(column for column in learned if column.name not in unlike)
        return cls(used, (*left_out, *unlike), normalize)

    @property
    def input_names(self) -> dict[str, str]:
        """Name of the attached model's input for each column: letters, digits and `_` only.

        Names of other signs cannot be exported to TensorFlow's SavedModel.
        """
        names: dict[str, str] = {}
        for column in self.columns:
            plain = re.sub(r"\W", "_", column.name, flags=re.ASCII).lstrip("_") or "column"
            name, number = plain, 1
            while name in names.values():
                number += 1
                name = f"{plain}_{number}"
            names[column.name] = name
        return names

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Names of the columns that hold texts, even where they look like numbers."""
        return tuple(column.name for column in self._of(CategoryColumn, TextColumn))

    @property
    def groups(self) -> tuple[Group, ...]:
        """Which columns of the transformed array belong together, in their order."""
        groups: list[Group] = []
        for name, kind, size in self._parts():
            start = groups[-1].start + groups[-1].size if groups else 0
            groups.append(Group(name, kind, start, size))
        return tuple(groups)

    def inputs(self, raw: Any) -> dict[str, np.ndarray]:
        """Gives a table as the arrays that an attached model takes; see `Preprocessing.inputs`."""
        frame = _frame(raw)
        missing = [column.name for column in self.columns if column.name not in frame.columns]
        if missing:
            guess = did_you_mean(missing[0], [str(name) for name in frame.columns])
            raise ValueError(
                f"There is no column {missing[0]!r}"
                + (f" (nor {len(missing) - 1} others: {missing[1:6]})" if missing[1:] else "")
                + f".{guess} The table has {', '.join(map(str, frame.columns))}; the model needs "
                f"{', '.join(column.name for column in self.columns)}."
            )
        names = self.input_names
        arrays = {}
        for column in self.columns:
            values = column.read(frame[column.name])
            if column.dtype.startswith("int") and not np.isfinite(values).all():
                values = np.where(np.isfinite(values), values, column.mean)  # type: ignore[attr-defined]
            dtype = object if column.dtype == "string" else column.dtype
            arrays[names[column.name]] = values.astype(dtype)
        return arrays

    def symbols(self) -> dict[str, Any]:
        """Makes the symbolic inputs; see `Preprocessing.symbols`."""
        import keras

        names = self.input_names
        return {
            names[column.name]: keras.Input((1,), name=names[column.name], dtype=column.dtype)
            for column in self.columns
        }

    def apply(self, inputs: Any) -> Any:
        """Puts the columns together; see `Preprocessing.apply`."""
        from keras import ops

        names = self.input_names
        by_column = {column.name: inputs[names[column.name]] for column in self.columns}
        parts = [
            *self._numbers(by_column),
            *(_one_hot(by_column[column.name], column) for column in self._of(CategoryColumn)),
            *(_tf_idf(by_column[column.name], column) for column in self._of(TextColumn)),
        ]
        return ops.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]

    def to_config(self) -> dict[str, Any]:
        """Gives all that was learned as what JSON can hold."""
        return {
            "kind": self.kind,
            "columns": [column.to_config() for column in self.columns],
            "left_out": list(self.left_out),
            "normalize": self.normalize,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> TablePreprocessing:
        """Makes the preprocessing that a config describes.

        Args:
            config: What `to_config` returned.

        Returns:
            The preprocessing, with all that was learned.
        """
        columns = tuple(map(column_from_config, config["columns"]))
        return cls(columns, tuple(config["left_out"]), config["normalize"])

    def _of(self, *kinds: type[Column]) -> list[Any]:
        return [column for column in self.columns if isinstance(column, kinds)]

    @property
    def _numeric(self) -> list[Any]:
        return self._of(NumberColumn, BooleanColumn, DateColumn)

    @property
    def _quantiles(self) -> list[Any]:
        return [c for c in self._of(NumberColumn) if c.knots and self.normalize]

    def _parts(self) -> list[tuple[str, str, int]]:
        """Name, kind and width of all groups, in the order in which `apply` joins them."""
        numeric = self._numeric
        return [
            *((column.name, column.kind, 1) for column in numeric),
            *((column.name, "missing", 1) for column in numeric if column.gaps),
            *((column.name, "quantile", 1) for column in self._quantiles),
            *((c.name, "date", 2 * len(c.periods)) for c in self._of(DateColumn) if c.periods),
            *((c.name, c.kind, len(c.vocabulary) + c.other) for c in self._of(CategoryColumn)),
            *((c.name, c.kind, len(c.vocabulary) + 1) for c in self._of(TextColumn)),
        ]

    def _numbers(self, inputs: Mapping[str, Any]) -> list[Any]:
        """Numbers, booleans and dates, all of them at once."""
        from keras import ops

        columns = self._numeric
        if not columns:
            return []
        # Columns of other types are standardized before they become float32.
        wide = [column.dtype != "float32" and self.normalize for column in columns]
        raw = [
            standardize(inputs[column.name], column.mean, column.std, column.dtype)
            if is_wide
            else ops.cast(inputs[column.name], "float32")
            for is_wide, column in zip(wide, columns, strict=True)
        ]
        x = ops.concatenate(raw, axis=-1) if len(raw) > 1 else raw[0]
        mean = _single([0 if w else c.mean for w, c in zip(wide, columns, strict=True)])
        std = _single([1 if w else c.std for w, c in zip(wide, columns, strict=True)])
        finite = ops.isfinite(x)
        x = ops.where(finite, x, mean)
        parts = [x]
        if self.normalize:
            plain = [isinstance(column, BooleanColumn) for column in columns]
            z = ops.subtract(x, np.where(plain, np.float32(0), mean))
            z = ops.divide(z, np.where(plain, np.float32(1), std))
            parts = [ops.clip(z, -_CLIP, _CLIP)]
        if gaps := [place for place, column in enumerate(columns) if column.gaps]:
            parts.append(1.0 - ops.cast(ops.take(finite, np.array(gaps), axis=-1), "float32"))
        if self._quantiles:
            places = [place for place, c in enumerate(columns) if c in self._quantiles]
            parts.append(_normal_quantiles(ops.take(x, np.array(places), axis=-1), self._quantiles))
        return parts + [
            _cycles(inputs[column.name], column)
            for column in columns
            if getattr(column, "periods", ())
        ]


def _frame(raw: Any) -> Any:
    """Raw rows as a data frame."""
    import pandas as pd

    if hasattr(raw, "columns"):
        return raw.rename(columns=str) if hasattr(raw, "rename") else pd.DataFrame(raw)
    if isinstance(raw, Mapping):
        return pd.DataFrame({str(k): np.asarray(v).reshape(rows_of(raw)) for k, v in raw.items()})
    raise ValueError(
        f"A {type(raw).__name__} is no table: give a pandas.DataFrame, or columns by name."
    )


def _single(values: Any) -> np.ndarray:
    """Constants in the type that models calculate in."""
    return np.asarray(values, np.float32)


def _normal_quantiles(x: Any, columns: list[NumberColumn]) -> Any:
    """Maps columns to normal quantiles, linearly between their knots: z(k_i) = ndtri(p_i)."""
    from keras import ops

    curves = [_curve(np.array(column.knots)) for column in columns]
    most = max(len(knots) for _, _, knots, _ in curves)
    # Curves of fewer knots end with pieces of no width and no slope.
    knots = np.stack([np.pad(k, (0, most - len(k)), "edge") for _, _, k, _ in curves])
    z = np.stack([np.pad(v, (0, most - len(v)), "edge") for _, _, _, v in curves])
    width = np.diff(knots, axis=1)
    slope = np.divide(np.diff(z, axis=1), width, out=np.zeros_like(width), where=width > 0)
    center, scale = np.array([(center, scale) for center, scale, _, _ in curves]).T
    u = ops.divide(ops.subtract(x, _single(center)), _single(scale))
    pieces = ops.subtract(ops.expand_dims(u, -1), _single(knots[:, :-1]))
    pieces = ops.multiply(ops.minimum(ops.maximum(pieces, 0.0), _single(width)), _single(slope))
    return ops.add(ops.sum(pieces, axis=-1), _single(z[:, 0]))


def _curve(quantiles: np.ndarray) -> tuple[float, float, np.ndarray, np.ndarray]:
    """Center and scale of a column, its knots in these units, and their normal quantiles.

    `quantiles` are evenly spaced in probability; equal ones are one knot of their mean probability.
    """
    from scipy.special import ndtri

    low, center, high = np.quantile(quantiles, [0.25, 0.5, 0.75])
    scale = (high - low) or np.ptp(quantiles)
    u = (quantiles - center) / scale
    steps = np.diff(u, prepend=-np.inf) > 1e-6 * np.maximum(1, np.abs(u))
    knot = np.cumsum(steps) - 1
    probability = (np.arange(len(u)) + 0.5) / len(u)
    mean = np.bincount(knot, probability) / np.bincount(knot)
    return float(center), float(scale), u[steps], ndtri(mean)


def _cycles(x: Any, column: DateColumn) -> Any:
    """Sine and cosine of the year, the week and the day of dates; 0 where there is none."""
    from keras import ops

    finite = ops.isfinite(x)
    x = ops.where(finite, x, 0.0)
    period = _single(column.periods)
    angle = ops.multiply(ops.divide(ops.mod(x, period), period), np.float32(2 * np.pi))
    waves = ops.concatenate([ops.sin(angle), ops.cos(angle)], axis=-1)
    return ops.where(finite, waves, 0.0)


def _one_hot(x: Any, column: CategoryColumn) -> Any:
    """One-hot, a place for all rarer categories first, where there are some."""
    lookup = text_layer(
        "StringLookup",
        f"The texts of column {column.name!r}",
        vocabulary=list(column.vocabulary),
        output_mode="one_hot",
    )
    codes = lookup(x)
    # Without rare categories in training nothing could be learned for that place.
    return codes if column.other else codes[:, 1:]


def _tf_idf(x: Any, column: TextColumn) -> Any:
    """TF-IDF of a text, of length 1."""
    from keras import layers, ops

    counter = text_layer(
        "TextVectorization",
        f"The texts of column {column.name!r}",
        vocabulary=list(column.vocabulary),
        idf_weights=list(column.weights),
        output_mode="tf_idf",
    )
    weights = ops.reshape(counter(x), (-1, len(column.vocabulary) + 1))
    return layers.UnitNormalization()(weights)
