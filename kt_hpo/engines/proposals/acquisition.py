"""Where an acquisition function of bayesian-optimization is best.

The package descends from its best random points and, in spaces with choices, evolves them
(Storn & Price 1997, "Differential Evolution"). It does so point by point: up to seconds a trial,
nearly all of them calls. Here a slope is one call, and so is a generation, which is bred at once.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

import numpy as np
from scipy.optimize import differential_evolution, minimize

from kt_hpo._private_apis.bayes_opt import set_minimum

Acquisition = Callable[[np.ndarray], np.ndarray]
# As in bayesian-optimization, and as scipy chooses.
_POINTS_A_DIMENSION = 15
_CROSSOVER, _SCALES = 0.7, (0.5, 1.0)
_STEP = 1e-8


def quicken(acquisition: Any) -> None:
    """Makes an acquisition function look for its best point in fewer calls.

    Args:
        acquisition: A `bayes_opt.acquisition` object; what it looks for stays the same.

    Example:
        >>> from bayes_opt.acquisition import ExpectedImprovement
        >>> acquisition = ExpectedImprovement(xi=0.01)
        >>> quicken(acquisition)
        >>> acquisition._smart_minimize is minimum
        True
    """
    set_minimum(acquisition, minimum)


def minimum(
    acq: Acquisition,
    space: Any,
    x_seeds: np.ndarray,
    random_state: np.random.RandomState,
) -> tuple[np.ndarray, float]:
    """Looks for the least value: by descents, after differential evolution if there are choices.

    Args:
        acq: Gives the values of points, of shape `(points, dimensions)`; less is better.
        space: A `bayes_opt.TargetSpace`, in which a choice has a dimension for each of its values.
        x_seeds: Points to descend from, or to begin the first generation with, of shape
            `(seeds, dimensions)`.
        random_state: Draws the other points, and their children.

    Returns:
        The best point, of shape `(dimensions,)`, and its value.
    """
    if all(space.continuous_dimensions):
        starts = list(zip(x_seeds, acq(x_seeds).tolist(), strict=True))
    else:
        starts = [_evolved(acq, space, x_seeds, random_state)]
    ends = [_descended(acq, space, *start) for start in starts]
    best, value = min(ends, key=itemgetter(1))
    return np.clip(best, *space.bounds.T), value


def _evolved(
    acq: Acquisition, space: Any, x_seeds: np.ndarray, random_state: np.random.RandomState
) -> tuple[np.ndarray, float]:
    """The best point of the last generation, and its value."""
    points = space.random_sample(_POINTS_A_DIMENSION * len(space.bounds), random_state=random_state)
    points[: len(x_seeds)] = x_seeds[: len(points)]
    found = differential_evolution(
        lambda generation: acq(generation.T), space.bounds, strategy=_Generation(), init=points,
        polish=False, vectorized=True, updating="deferred", rng=random_state.randint(2**31),
    )  # fmt: skip
    return found.x, float(found.fun)


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


def _descended(
    acq: Acquisition, space: Any, start: np.ndarray, value: float
) -> tuple[np.ndarray, float]:
    """The best point that a descent along the numbers comes to, choices staying as they are."""
    numbers = np.flatnonzero(space.continuous_dimensions)
    bounds = space.bounds[numbers]
    if not len(numbers):
        return start, value

    def moved(to: np.ndarray) -> np.ndarray:
        point = start.copy()
        point[numbers] = to
        return point

    def with_slope(x: np.ndarray) -> tuple[float, np.ndarray]:
        steps = np.where(x + _STEP > bounds[:, 1], -_STEP, _STEP)
        points = np.tile(moved(x), (len(x) + 1, 1))
        points[np.arange(1, len(points)), numbers] += steps
        here, *there = acq(points)
        return here, (there - here) / steps

    found = minimize(with_slope, start[numbers], jac=True, bounds=bounds, method="L-BFGS-B")
    if found.success and found.fun < value:
        return moved(found.x), float(found.fun)
    return start, value
