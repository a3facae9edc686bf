"""Where an acquisition function of bayesian-optimization is best, in spaces with choices.

The package looks there by differential evolution (Storn & Price 1997, "Differential Evolution"),
point by point: seconds a trial, nearly all of them calls. Here a generation is bred at once, and
one call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import differential_evolution, minimize

# As in bayesian-optimization, and as scipy chooses.
_POINTS_A_DIMENSION = 15
_CROSSOVER, _SCALES = 0.7, (0.5, 1.0)


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
        lambda generation: acq(generation.T), space.bounds, strategy=_Generation(), init=points,
        polish=False, vectorized=True, updating="deferred", rng=random_state.randint(2**31),
    )  # fmt: skip
    best, value = _descend(acq, space, found.x, float(found.fun))
    return np.clip(best, *space.bounds.T), value


class _Generation:
    """Breeds as scipy's "best1bin" does, when the first of a generation is asked for its child."""

    children: np.ndarray

    def __call__(
        self, candidate: int, population: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        if candidate == 0:
            self.children = _bred(population, rng)
        return self.children[candidate]


def _bred(population: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A child of each point: parts of it, and parts of the best moved by what two others differ."""
    size, dimensions = population.shape
    points = np.arange(size)
    steps = rng.integers(1, size, size)
    others = rng.integers(1, size - 1, size)
    others += others >= steps
    difference = population[(points + steps) % size] - population[(points + others) % size]
    mutants = population[0] + rng.uniform(*_SCALES) * difference
    crossed = rng.random((size, dimensions)) < _CROSSOVER
    crossed[points, rng.integers(dimensions, size=size)] = True
    return np.where(crossed, mutants, population)


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
