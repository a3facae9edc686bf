"""Where an acquisition function of bayesian-optimization is best, in spaces with choices.

The package looks there by differential evolution (Storn & Price 1997, "Differential Evolution"),
point by point: seconds a trial, nearly all of them calls. Here a generation is one call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import differential_evolution, minimize

# As in bayesian-optimization.
_POINTS_A_DIMENSION = 15


def quicken(acquisition: Any) -> None:
    """Makes an acquisition function look for its best point generation by generation.

    Args:
        acquisition: A `bayes_opt.acquisition` object; what it looks for stays the same.

    Example:
        >>> from bayes_opt.acquisition import ExpectedImprovement
        >>> acquisition = ExpectedImprovement(xi=0.01)
        >>> quicken(acquisition)
        >>> acquisition._smart_minimize is minimum
        True
    """
    acquisition._smart_minimize = minimum


def minimum(
    acq: Callable[[np.ndarray], np.ndarray],
    space: Any,
    x_seeds: np.ndarray,
    random_state: np.random.RandomState,
) -> tuple[np.ndarray, float]:
    """Looks for the least value by differential evolution, then along the numbers by descent.

    Args:
        acq: Gives the values of points, of shape `(points, dimensions)`; less is better.
        space: A `bayes_opt.TargetSpace`, in which a choice has a dimension for each of its values.
        x_seeds: Points that the first generation begins with, of shape `(seeds, dimensions)`.
        random_state: Draws the other points, and their children.

    Returns:
        The best point, of shape `(dimensions,)`, and its value.
    """
    points = space.random_sample(_POINTS_A_DIMENSION * len(space.bounds), random_state=random_state)
    points[: len(x_seeds)] = x_seeds[: len(points)]
    found = differential_evolution(
        lambda generation: acq(generation.T), space.bounds, init=points, polish=False,
        vectorized=True, updating="deferred", rng=random_state,
    )  # fmt: skip
    best, value = _descend(acq, space, found.x, float(found.fun))
    return np.clip(best, *space.bounds.T), value


def _descend(
    acq: Callable[[np.ndarray], np.ndarray], space: Any, best: np.ndarray, value: float
) -> tuple[np.ndarray, float]:
    """A better point with the same choices, if there is one nearby."""
    numbers = space.continuous_dimensions
    if not any(numbers):
        return best, value

    def moved(to: np.ndarray) -> np.ndarray:
        point = best.copy()
        point[numbers] = to
        return point

    found = minimize(lambda x: acq(moved(x)).item(), best[numbers], bounds=space.bounds[numbers])
    if found.success and found.fun < value:
        return moved(found.x), float(found.fun)
    return best, value
