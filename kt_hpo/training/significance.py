"""How sure a mean is, and which of several means differ.

Trainings on folds share samples, so that their results are not independent and the usual variance
is too small; it is corrected as in Nadeau & Bengio 2003, "Inference for the Generalization Error".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy import stats


class Interval(NamedTuple):
    """A mean and where it may lie.

    Attributes:
        mean: The mean; NaN of no values.
        low: The lower end of the confidence interval; NaN of fewer than two values.
        high: The upper end.
    """

    mean: float
    low: float
    high: float


class Difference(NamedTuple):
    """How two means differ.

    Attributes:
        first: Whose mean it is that the other is taken from.
        second: Whose mean is taken from it.
        difference: First mean minus second.
        low: The lower end of its confidence interval.
        high: The upper end.
        p_value: The probability of a difference this large if there were none, corrected for the
            number of comparisons (Holm 1979).
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    p_value: float


def interval(values: Sequence[float], overlap: float = 0.0, confidence: float = 0.95) -> Interval:
    """Gives the mean of values, with Student's confidence interval.

    Args:
        values: The values.
        overlap: Samples to validate with by samples to train with, where the values come from
            folds; 0 for independent values.
        confidence: How often such an interval holds the true mean, from 0 to 1.

    Returns:
        The interval.

    Example:
        >>> [round(value, 2) for value in interval([0.8, 0.9, 1.0])]
        [0.9, 0.65, 1.15]
    """
    array = np.asarray(values, dtype=float)
    if len(array) < 2:
        mean = float(array.mean()) if len(array) else float("nan")
        return Interval(mean, float("nan"), float("nan"))
    error = np.sqrt((1 / len(array) + overlap) * array.var(ddof=1))
    reach = float(stats.t.ppf((1 + confidence) / 2, len(array) - 1) * error)
    return Interval(float(array.mean()), float(array.mean() - reach), float(array.mean() + reach))


def differences(
    values: Mapping[str, Sequence[float]], overlap: float = 0.0, confidence: float = 0.95
) -> list[Difference]:
    """Compares each two of several samples.

    Args:
        values: Values by names.
        overlap: As for `interval`; above 0 the comparison is a paired one, value by value, and all
            samples are of the same folds. At 0 it is Welch's test.
        confidence: Of the intervals.

    Returns:
        A difference a pair that has at least two values each.

    Example:
        >>> good, bad = [0.91, 0.92, 0.93], [0.71, 0.75, 0.70]
        >>> [one] = differences({"good": good, "bad": bad})
        >>> one.p_value < 0.05
        True
    """
    found = []
    for first, second in combinations(values, 2):
        one, other = np.asarray(values[first], float), np.asarray(values[second], float)
        if overlap:
            both = np.isfinite(one) & np.isfinite(other)
            one, other = one[both], other[both]
        else:
            one, other = one[np.isfinite(one)], other[np.isfinite(other)]
        if min(len(one), len(other)) > 1:
            compare = _paired if overlap else _welch
            found.append(Difference(first, second, *compare(one, other, overlap, confidence)))
    corrected = _holm([one.p_value for one in found])
    return [one._replace(p_value=p) for one, p in zip(found, corrected, strict=True)]


def _paired(
    one: np.ndarray, other: np.ndarray, overlap: float, confidence: float
) -> tuple[float, float, float, float]:
    mean, low, high = interval(one - other, overlap, confidence)
    error = np.sqrt((1 / len(one) + overlap) * (one - other).var(ddof=1))
    if error == 0:
        return mean, low, high, float(mean == 0)
    return mean, low, high, float(2 * stats.t.sf(abs(mean) / error, len(one) - 1))


def _welch(
    one: np.ndarray, other: np.ndarray, overlap: float, confidence: float
) -> tuple[float, float, float, float]:
    mean = float(one.mean() - other.mean())
    if one.var() == other.var() == 0:
        return mean, mean, mean, float(mean == 0)
    tested = stats.ttest_ind(one, other, equal_var=False)
    low, high = tested.confidence_interval(confidence)
    return mean, float(low), float(high), float(tested.pvalue)


def _holm(p_values: Sequence[float]) -> list[float]:
    """Corrects for comparing several times: the smallest p-value by all, the next by one less."""
    corrected = [1.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(np.argsort(p_values)):
        largest = max(largest, (len(p_values) - rank) * p_values[index])
        corrected[index] = min(largest, 1.0)
    return corrected
