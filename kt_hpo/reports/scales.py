"""Where values lie on an axis, and what is written beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator
from optuna.distributions import (
    BaseDistribution,
    FloatDistribution,
    IntDistribution,
)

from kt_hpo.plots import ranges, text
from kt_hpo.reports.words import number

# A chart is drawn in a square of this side, which the page stretches to the room there is.
SIDE = 1000
# Neither the first nor the last value lies on the edge itself.
_MARGIN = 0.04


class Scale(Protocol):
    """Turns values into places from 0 to `SIDE`."""

    def places(self, values: Sequence[Any]) -> list[int]:
        """Gives the place of each value; one beyond an end is placed at that end."""
        ...

    def ticks(self) -> list[tuple[float, str]]:
        """Gives the places, in percent, where something is written, and what."""
        ...


@dataclass(frozen=True)
class Numbers:
    """A scale of numbers.

    Args:
        low: The lowest value shown.
        high: The highest value shown.
        log: Whether equal ratios are equally far apart.
        whole: Whether there is nothing between whole numbers.

    Example:
        >>> Numbers(1.0, 100.0, log=True).places([1, 10, 1000])
        [0, 500, 1000]
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def places(self, values: Sequence[float]) -> list[int]:
        """Gives the place of each value; one beyond an end is placed at that end."""
        shares = np.clip(self._shares(np.asarray(values, dtype=float)), 0, 1)
        return np.rint(shares * SIDE).astype(int).tolist()

    def ticks(self) -> list[tuple[float, str]]:
        """Gives the places, in percent, where something is written, and what."""
        marks = self._log_marks() if self.log else self._marks()
        inside = [mark for mark in marks if self.low <= mark <= self.high]
        shares = self._shares(np.array(inside, dtype=float))
        return [(round(100 * share, 2), number(m)) for share, m in zip(shares, inside, strict=True)]

    def _shares(self, values: np.ndarray) -> np.ndarray:
        low, high = self.low, self.high
        if self.log:
            tiny = np.finfo(float).tiny
            values, low, high = np.log(np.maximum(values, tiny)), math.log(low), math.log(high)
        return (values - low) / (high - low)

    def _marks(self) -> Sequence[float]:
        return MaxNLocator(5, integer=self.whole, steps=[1, 2, 5, 10]).tick_values(
            self.low, self.high
        )

    def _log_marks(self) -> Sequence[float]:
        for steps in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0)):
            marks = LogLocator(subs=steps, numticks=6).tick_values(self.low, self.high)
            if sum(self.low <= mark <= self.high for mark in marks) >= 3:
                return marks
        return self._marks()


@dataclass(frozen=True)
class Choices:
    """A scale of choices, side by side.

    Args:
        choices: The choices in their order.

    Example:
        >>> Choices(("adam", "sgd")).ticks()
        [(25.0, 'adam'), (75.0, 'sgd')]
    """

    choices: tuple[Any, ...]

    def places(self, values: Sequence[Any]) -> list[int]:
        """Gives the place of each value, beside those of the same choice."""
        order = {(type(choice), choice): index for index, choice in enumerate(self.choices)}
        columns = np.array([order[type(value), value] for value in values], dtype=float)
        # Multiples of the golden ratio spread evenly, however many there are.
        aside = (np.arange(len(columns)) * 0.618034 % 1 - 0.5) * 0.5
        return np.rint((columns + 0.5 + aside) / len(self.choices) * SIDE).astype(int).tolist()

    def ticks(self) -> list[tuple[float, str]]:
        """Gives the places, in percent, where something is written, and what."""
        step = -(-len(self.choices) // 6)
        return [
            (round(100 * (index + 0.5) / len(self.choices), 2), text.shorten(str(choice), 12))
            for index, choice in enumerate(self.choices)
            if index % step == 0
        ]


def scale_of(distributions: Sequence[BaseDistribution]) -> Scale:
    """Gives the scale of a hyperparameter, which holds its values in all trials.

    Args:
        distributions: Its distribution in each trial, at least one; ranges may have changed.

    Returns:
        The scale, with a margin at both ends.

    Example:
        >>> from optuna.distributions import CategoricalDistribution as Categorical
        >>> scale_of([Categorical(["adam"]), Categorical(["sgd"])]).choices
        ('adam', 'sgd')
    """
    kinds = list(dict.fromkeys(distributions))
    numeric = [k for k in kinds if isinstance(k, IntDistribution | FloatDistribution)]
    if numeric:
        low, high = min(kind.low for kind in numeric), max(kind.high for kind in numeric)
        log = all(kind.log for kind in numeric)
        return roomy(low, high, log, isinstance(numeric[0], IntDistribution))
    choices = [choice for kind in kinds for choice in getattr(kind, "choices", ())]
    return Choices(tuple({(type(choice), choice): choice for choice in choices}.values()))


def roomy(low: float, high: float, log: bool = False, whole: bool = False) -> Numbers:
    """Gives a scale with a margin at both ends.

    Args:
        low: The lowest value.
        high: The highest value.
        log: Whether equal ratios are equally far apart.
        whole: Whether there is nothing between whole numbers.

    Returns:
        The scale.

    Example:
        >>> roomy(0, 10)
        Numbers(low=-0.4, high=10.4, log=False, whole=False)
    """
    if log and low < high:
        room = (high / low) ** _MARGIN
        return Numbers(low / room, high * room, True, whole)
    room = _MARGIN * (high - low) or 0.5
    return Numbers(low - room, high + room, False, whole)


def value_scale(values: Sequence[float], maximize: bool) -> Numbers:
    """Gives the scale of objective values, on which a few wild ones hide no other.

    Args:
        values: Finite values, at least one.
        maximize: Whether higher is better.

    Returns:
        The scale of the plots, `kt_hpo.plots.ranges.fit_value_axis`.
    """
    ax = Figure().subplots()
    ranges.fit_value_axis(ax, np.array(values, dtype=float), maximize)
    low, high = ax.get_ylim()
    return Numbers(float(low), float(high), ax.get_yscale() == "log")
