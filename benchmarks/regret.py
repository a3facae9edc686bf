"""How searches are compared: anytime normalized regret, mean rank, and how sure both are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import rankdata

Improvements = Sequence[tuple[float, float]]


def normalized_regret(score: np.ndarray, best: float, worst: float) -> np.ndarray:
    """How far scores are from the best, as a share of the way to the worst.

    Example:
        >>> normalized_regret(np.array([0.1, 0.5]), best=0.1, worst=0.9)
        array([0. , 0.5])
    """
    return (np.asarray(score) - best) / (worst - best)


def anytime(improvements: Improvements, spent: np.ndarray, before: float) -> np.ndarray:
    """What a search holds at several points of its budget.

    Args:
        improvements: What it held from when on: pairs of what was spent and the score.
        spent: The points.
        before: The score of a search that holds nothing yet.

    Returns:
        The scores there.

    Example:
        >>> anytime([(2, 0.5), (4, 0.1)], np.array([1, 2, 3, 4, 9]), before=1.0)
        array([1. , 0.5, 0.5, 0.1, 0.1])
    """
    times = [when for when, _ in improvements]
    scores = np.array([before, *(score for _, score in improvements)])
    return scores[np.searchsorted(times, spent, side="right")]


def ranks(scores: np.ndarray) -> np.ndarray:
    """Ranks searches, 1 the best; those that are level share the mean of their ranks.

    Args:
        scores: `(searches, ...)`, less is better.

    Returns:
        Of the same shape.

    Example:
        >>> ranks(np.array([[0.1], [0.3], [0.1]])).ravel()
        array([1.5, 3. , 1.5])
    """
    return rankdata(scores, axis=0)


def bootstrap(
    numbers: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray] = lambda chosen: chosen.mean(axis=(0, 1)),
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """The interval in which a statistic lies in 95 % of the worlds in which other seeds are drawn.

    Args:
        numbers: `(problems, seeds, ...)`; the seeds of each problem are drawn anew, with
            replacement (Efron 1979), the problems stay.
        statistic: Of such an array; the mean over problems and seeds by default.
        resamples: How many worlds there are.
        seed: Seed of their draws.

    Returns:
        The ends of the interval.
    """
    stream = np.random.default_rng(seed)
    problems, seeds = numbers.shape[:2]
    rows = np.arange(problems)[:, None]
    worlds = [
        statistic(numbers[rows, stream.integers(seeds, size=(problems, seeds))])
        for _ in range(resamples)
    ]
    low, high = np.percentile(worlds, [2.5, 97.5], axis=0)
    return low, high
