"""Numbers of few values, for bayesian-optimization.

Its own kind for whole numbers counts in ones; beside numbers from 0 to 1 that would drown the
others, as its kernel has one length for all.
"""

from __future__ import annotations

import numpy as np
from bayes_opt.parameter import FloatParameter

from kt_hpo.space import ranges
from kt_hpo.space.hyperparameters import HyperParameter
from kt_hpo.space.kinds import Choice, Float, Int


class Levels(FloatParameter):
    """A number from 0 to 1 that the kernel rounds to the middle of its level.

    The model is the same all over a level, so that it knows a level that was tried wherever it is
    asked for it (Garrido-Merchán & Hernández-Lobato 2020, "Dealing with Categorical and
    Integer-Valued Variables in Bayesian Optimization with Gaussian Processes", section 3).

    Args:
        name: Name of the parameter.
        count: How many levels there are, of the same width.

    Example:
        >>> Levels("layers", 4).kernel_transform(np.array([0.1, 0.2, 0.3, 1.0]))
        array([0.125, 0.125, 0.375, 0.875])
    """

    def __init__(self, name: str, count: int) -> None:
        super().__init__(name, (0.0, 1.0))
        self.count = count

    @property
    def is_continuous(self) -> bool:
        """False: there is no slope to descend along."""
        return False

    def kernel_transform(self, value: np.ndarray) -> np.ndarray:
        """Gives the middles of the levels of numbers from 0 to 1, in the same shape."""
        levels = np.floor(value * self.count).clip(0, self.count - 1)
        return (levels + 0.5) / self.count


def level_count(hyperparameter: HyperParameter) -> int | None:
    """Counts the values of a hyperparameter whose values have an order.

    Args:
        hyperparameter: A hyperparameter.

    Returns:
        Their number, each with the same part of the range from 0 to 1; None without a step.

    Example:
        >>> level_count(Int("units", 32, 256, step=32)), level_count(Float("rate", 0.0, 1.0))
        (8, None)
    """
    match hyperparameter:
        case Choice():
            return len(hyperparameter.values)
        case Int() | Float() if hyperparameter.step is not None:
            return ranges.count(hyperparameter)
    return None
