"""What a table's columns and targets show before any training: of no use, or too good."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kt_hpo.datasets.preprocessing.columns import CategoryColumn, Column, NumberColumn

if TYPE_CHECKING:
    import pandas as pd

# Rows that are looked at for leaks.
_SAMPLE = 5000
# Part of the rows, or of the variance, that a column alone explains when it is a suspect.
_TOO_GOOD = 0.9995
_IDENTIFIER = re.compile(
    r"(.*[ _.-])?(id|uuid|guid)|index|idx|row[ _.-]?(number|num|no|nr)?|unnamed: \d+", re.IGNORECASE
)


class DataWarning(UserWarning):
    """Something that data show and their user should know; see `Dataset.findings`."""


def tell(findings: Sequence[str]) -> None:
    """Warns of findings, one warning each.

    Args:
        findings: Sentences.
    """
    for sentence in findings:
        warnings.warn(sentence, DataWarning, stacklevel=4)


def useless_columns(frame: pd.DataFrame, columns: Sequence[Column]) -> dict[str, str]:
    """Finds the columns that tell nothing: empty, constant, or an identifier of the row.

    Args:
        frame: A table of inputs.
        columns: Of which kind its columns are.

    Returns:
        Why each is left out, in a few words, by its name.

    Example:
        >>> import pandas
        >>> frame = pandas.DataFrame({"id": [4, 5, 6], "unit": ["m"] * 3, "size": [1, 2, 2]})
        >>> kinds = [NumberColumn("id"), CategoryColumn("unit"), NumberColumn("size")]
        >>> useless_columns(frame, kinds)
        {'id': 'identifies the row', 'unit': "is 'm' everywhere"}
    """
    reasons = {column.name: _why_useless(frame[column.name], column) for column in columns}
    return {name: reason for name, reason in reasons.items() if reason}


def _why_useless(values: pd.Series, column: Column) -> str:
    known = values.dropna()
    if not len(known):
        return "is empty"
    distinct = known.nunique()
    if distinct == 1 and len(known) == len(values) > 1:
        constant = known.iloc[0]
        return f"is {constant.item() if hasattr(constant, 'item') else constant!r} everywhere"
    if distinct < len(values):
        return ""
    if isinstance(column, CategoryColumn) and len(values) > 20:
        return "is another word in every row, an identifier"
    is_whole = isinstance(column, NumberColumn) and (column.read(values) % 1 == 0).all()
    return "identifies the row" if is_whole and _IDENTIFIER.fullmatch(column.name) else ""


def suspects(columns: dict[str, np.ndarray], y: np.ndarray, is_class: bool) -> list[str]:
    """Finds the columns that alone determine the target, as those do that are made from it.

    Args:
        columns: Raw columns by name: numbers, or texts.
        y: Labels from 0, or quantities.
        is_class: Whether they are labels.

    Returns:
        Their names.

    Example:
        >>> y = np.tile([0, 1], 50)
        >>> suspects({"copy": y * 2.0, "noise": np.sin(np.arange(100.0))}, y, True)
        ['copy']
    """
    rows = np.random.default_rng(0).permutation(len(y))[:_SAMPLE]
    if len(rows) < 20 or y.ndim > 1:
        return []
    return [
        name for name, values in columns.items() if _determines(values[rows], y[rows], is_class)
    ]


def _determines(values: np.ndarray, y: np.ndarray, is_class: bool) -> bool:
    """Whether a column alone tells the target, found by a small tree or by equal values."""
    if values.dtype == object:
        _, values = np.unique(values.astype(str), return_inverse=True)
        if values.max() >= len(y) // 5:
            return False
        return _explained(values, y, is_class) >= _TOO_GOOD
    finite = np.isfinite(values)
    if finite.sum() < 20:
        return False
    values, y = values[finite].astype(np.float64), y[finite]
    if not is_class:
        correlation = abs(_correlation(values, y))
        return bool(correlation**2 >= _TOO_GOOD)
    from sklearn.tree import DecisionTreeClassifier

    classes = len(np.unique(y))
    if classes < 2 or classes > 50:
        return False
    tree = DecisionTreeClassifier(max_leaf_nodes=classes, random_state=0)
    return bool(tree.fit(values[:, None], y).score(values[:, None], y) >= _TOO_GOOD)


def _explained(codes: np.ndarray, y: np.ndarray, is_class: bool) -> float:
    """Part of the rows, or of the variance, that a mean of each category explains."""
    if is_class:
        table = np.zeros((codes.max() + 1, y.max() + 1))
        np.add.at(table, (codes, y), 1)
        return float(table.max(axis=1).sum() / len(y)) if len(np.unique(y)) > 1 else 0.0
    means = np.bincount(codes, y) / np.maximum(1, np.bincount(codes))
    variance = y.var()
    return float(1 - (y - means[codes]).var() / variance) if variance > 0 else 0.0


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return 0.0 if a.std() == 0 or b.std() == 0 else float(np.corrcoef(a, b)[0, 1])


def imbalance(y: np.ndarray, names: Sequence[str]) -> str:
    """Says that one class is much more frequent than another, and which metric suits then.

    Args:
        y: Labels from 0.
        names: Names of the classes.

    Returns:
        A sentence; nothing if the most frequent class is less than four times the rarest.

    Example:
        >>> imbalance(np.array([0] * 95 + [1] * 5), ["no", "yes"])[:50]
        "The classes are imbalanced: 'no' has 95 % of the r"
    """
    counts = np.bincount(y, minlength=len(names))
    present = counts[counts > 0]
    if len(present) < 2 or present.max() < 4 * present.min():
        return ""
    most, fewest = int(counts.argmax()), int(np.where(counts > 0, counts, counts.max()).argmin())
    share = counts / counts.sum()
    return (
        f"The classes are imbalanced: {names[most]!r} has {share[most]:.0%} of the rows and "
        f"{names[fewest]!r} {share[fewest]:.1%}. Accuracy says little then: rank by val_loss."
    ).replace("%", " %")


def column_findings(reasons: dict[str, str], suspected: Sequence[str], target: Any) -> list[str]:
    """Puts what was found of columns into sentences.

    Args:
        reasons: As from `useless_columns`.
        suspected: As from `suspects`.
        target: Name of the target's column; None if it has none.

    Returns:
        A sentence for each.

    Example:
        >>> column_findings({"id": "identifies the row"}, [], "price")
        ["Column 'id' identifies the row: it is left out."]
    """
    aim = "the target" if target is None else repr(target)
    return [
        *(f"Column {name!r} {reason}: it is left out." for name, reason in reasons.items()),
        *(
            f"Column {name!r} alone tells {aim} almost without error. If it would not be known "
            "when predicting, leave it out of the data."
            for name in suspected
        ),
    ]
