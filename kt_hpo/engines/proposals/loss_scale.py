"""Losses as a Gaussian process sees them, and which of many it is shown."""

from __future__ import annotations

import numpy as np

# Of a quarter of the trials' distance to the best: what lies nearer is as good as the best.
_FLOOR = 0.1


class LossScale:
    """Logarithms of the distance to the best loss, standardized.

    A trial that failed, or whose loss is infinite, counts as the worst.

    Args:
        losses: All there are, of shape `(trials,)`; at least one is finite.

    Example:
        >>> scale = LossScale(np.array([0.1, 0.2, 0.4, np.nan]))
        >>> scale(np.array([0.1, np.nan])).round(2)
        array([-1.67,  0.77])
    """

    def __init__(self, losses: np.ndarray) -> None:
        known = losses[np.isfinite(losses)]
        self._lowest, self._highest = known.min(), known.max()
        quarter = np.quantile(known, 0.25) - self._lowest
        self._unit = quarter or self._highest - self._lowest or 1.0
        self._center, self._spread = 0.0, 1.0
        all_scaled = self(losses)
        self._center, self._spread = all_scaled.mean(), all_scaled.std() or 1.0

    @property
    def best(self) -> float:
        """The least of the losses, on this scale."""
        return float(self(np.array([self._lowest]))[0])

    def __call__(self, losses: np.ndarray) -> np.ndarray:
        """Scales losses.

        Args:
            losses: Losses of any shape.

        Returns:
            Their logarithms, of the same shape.
        """
        known = np.where(np.isfinite(losses), losses, self._highest)
        scaled = np.log((known - self._lowest) / self._unit + _FLOOR)
        return (scaled - self._center) / self._spread


def most_telling(losses: np.ndarray, most: int) -> np.ndarray:
    """Chooses trials to look at: half of them the best, the others spread over the rest.

    Args:
        losses: Losses of shape `(trials,)`; NaN of those that failed.
        most: How many to choose.

    Returns:
        The places of the chosen ones among them, in their order; of all if they are no more.

    Example:
        >>> most_telling(np.array([5.0, 1.0, 4.0, 2.0, 3.0, 6.0]), 4)
        array([0, 1, 3, 5])
    """
    if len(losses) <= most:
        return np.arange(len(losses))
    best_first = np.argsort(losses, kind="stable")  # NaN last.
    rest = np.sort(best_first[most // 2 :])
    spread = rest[np.linspace(0, len(rest) - 1, most - most // 2).astype(int)]
    return np.sort(np.concatenate([best_first[: most // 2], spread]))
