"""Where the values of a hyperparameter stand on an axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial

from kt_hpo.arguments import did_you_mean
from kt_hpo.formatting import number
from kt_hpo.plots import text
from kt_hpo.plots.search import Search

MAX_NAMED = 12
# Inches: a character of a tick's label and of an axis' name, a line, and room between two labels.
CHARACTER, NAME_CHARACTER, LINE, GAP = 0.072, 0.08, 0.16, 0.07
# Inches: how far slanted and upright labels are apart at least.
SLANTED, UPRIGHT = 0.19, 0.115


class _Named(NamedTuple):
    """Which choices an axis names, and how."""

    places: np.ndarray
    words: list[str]
    slant: int = 0


@dataclass(frozen=True)
class Scale:
    """The range of a hyperparameter, and how its values become numbers to draw.

    Args:
        name: String, the hyperparameter's name.
        low: Float, the lowest value; -0.5 for choices.
        high: Float, the highest value; the number of choices - 0.5 for choices.
        log: Boolean, whether it is searched logarithmically.
        whole: Boolean, whether its values are integers.
        choices: Tuple of the choices, which stand at 0, 1, 2, ...
        short_name: String, what it is called in a figure; the name, if empty.

    Example:
        >>> rate = Scale.of("rate", [FloatDistribution(1e-4, 1e-2, log=True)])
        >>> rate.unit(np.array([1e-4, 1e-3, 1e-2])).round(6).tolist()
        [0.0, 0.5, 1.0]
    """

    name: str
    low: float
    high: float
    log: bool = False
    whole: bool = False
    choices: tuple[Any, ...] = ()
    short_name: str = ""

    @classmethod
    def of(cls, name: str, distributions: Iterable[BaseDistribution]) -> Scale:
        """Make the scale that holds every value of some distributions.

        Args:
            name: String, the hyperparameter's name.
            distributions: Iterable of Optuna's distributions of it, at least one.

        Returns:
            The `Scale`.
        """
        known = list(distributions)
        categorical = [each for each in known if isinstance(each, CategoricalDistribution)]
        if categorical:
            choices = _in_order([choice for each in categorical for choice in each.choices])
            return cls(name, -0.5, len(choices) - 0.5, choices=choices)
        ranges = [each for each in known if isinstance(each, FloatDistribution | IntDistribution)]
        return cls(
            name,
            float(min(each.low for each in ranges)),
            float(max(each.high for each in ranges)),
            log=all(each.log for each in ranges),
            whole=all(isinstance(each, IntDistribution) for each in ranges),
        )

    @property
    def label(self) -> str:
        """What it is called in a figure."""
        return self.short_name or self.name

    @property
    def single(self) -> bool:
        """Whether there is one value only."""
        return len(self.choices) == 1 if self.choices else self.low == self.high

    def number(self, value: Any) -> float:
        """Return where a value stands, NaN where it is no value of this scale.

        Args:
            value: The value of a trial.

        Returns:
            A float: the number itself, or the index of a choice.
        """
        if not self.choices:
            return float(value)
        same = (i for i, c in enumerate(self.choices) if c == value and type(c) is type(value))
        return float(next(same, math.nan))

    def numbers(self, trials: Iterable[FrozenTrial]) -> np.ndarray:
        """Return where the trials stand.

        Args:
            trials: Iterable of `optuna.trial.FrozenTrial`.

        Returns:
            Array of floats, NaN for trials that do not have this hyperparameter.
        """
        return np.array(
            [
                self.number(trial.params[self.name]) if self.name in trial.params else math.nan
                for trial in trials
            ],
            dtype=float,
        )

    def places(self, trials: Iterable[FrozenTrial]) -> np.ndarray:
        """Return where to draw the trials, those of one choice a little apart.

        Args:
            trials: Iterable of `optuna.trial.FrozenTrial`.

        Returns:
            Array of floats, NaN for trials that do not have this hyperparameter.
        """
        trials = list(trials)
        return self.numbers(trials) + (0.22 * spread(trials) if self.choices else 0.0)

    def unit(self, numbers: np.ndarray) -> np.ndarray:
        """Return numbers of this scale as parts of its range.

        Args:
            numbers: Array of floats.

        Returns:
            Array of floats, 0 at the low end and 1 at the high one.
        """
        if self.high == self.low:
            return np.where(np.isnan(numbers), np.nan, 0.5)
        low, high = np.array([self.low, self.high])
        if self.log:
            numbers, low, high = np.log(numbers), np.log(low), np.log(high)
        return (numbers - low) / (high - low)

    def from_unit(self, parts: np.ndarray) -> np.ndarray:
        """Return the numbers at parts of the range; the opposite of `unit`.

        Args:
            parts: Array of floats from 0 to 1.

        Returns:
            Array of floats.
        """
        if self.log:
            return self.low * (self.high / self.low) ** parts
        return self.low + parts * (self.high - self.low)

    def ticks(self, count: int = 5) -> tuple[np.ndarray, list[str]]:
        """Return where an axis should be labeled, and how.

        Args:
            count: Integer, about how many labels there is room for.

        Returns:
            Array of numbers, and a list of strings.
        """
        if self.choices:
            places = np.arange(0, len(self.choices), -(-len(self.choices) // MAX_NAMED))
            return places, [text.shorten(str(self.choices[place]), 12) for place in places]
        marks = _log_ticks(self.low, self.high, count) if self.log else self._linear_ticks(count)
        return marks, [number(float(mark), 3) for mark in marks]

    def _linear_ticks(self, count: int) -> np.ndarray:
        """Return round numbers within the range."""
        if self.high == self.low:
            return np.array([self.low])
        places = np.asarray(MaxNLocator(count, integer=self.whole).tick_values(self.low, self.high))
        return places[(places >= self.low) & (places <= self.high)]

    def put_on(self, ax: Axes, which: Literal["x", "y"], count: int = 5) -> None:
        """Give an axis this scale, its ticks and its name.

        Args:
            ax: `matplotlib.axes.Axes`. The axes.
            which: String, `"x"` or `"y"`.
            count: Integer, about how many ticks there is room for.
        """
        axis = ax.xaxis if which == "x" else ax.yaxis
        frame = ax.get_window_extent()
        inches = (frame.width if which == "x" else frame.height) / ax.figure.dpi
        if self.log:
            ax.set(**{f"{which}scale": "log"})
        places, labels = self.ticks(count)
        if self.choices:
            named = self._beside(inches) if which == "x" else self._one_above_another(inches)
            places, labels = named.places, named.words
            if named.slant:
                ax.tick_params(axis="x", rotation=named.slant, pad=1)
                for tick in ax.xaxis.get_major_ticks(len(places)):
                    va = "center" if named.slant == 90 else "baseline"
                    tick.label1.set(ha="right", va=va, rotation_mode="anchor")
        axis.set_major_locator(FixedLocator(places.tolist()))
        axis.set_major_formatter(FixedFormatter(labels))
        axis.set_minor_locator(NullLocator())
        margin = 0.0 if self.choices else 0.04
        ends = self.from_unit(np.array([-margin, 1 + margin]))
        if self.high == self.low:
            ends = self.low + max(abs(self.low), 1.0) * np.array([-0.5, 0.5])
        width = max(int(inches / NAME_CHARACTER), 12)
        ax.set(**{f"{which}lim": tuple(ends), f"{which}label": text.wrapped(self.label, width)})

    def lines_below(self, inches: float) -> int:
        """Return how many lines its ticks and its name take below a horizontal axis.

        Args:
            inches: Float, how wide the axis is.

        Returns:
            Integer, two where nothing is broken, staggered or slanted.

        Example:
            >>> Scale("kind", -0.5, 1.5, choices=("cnn", "mlp")).lines_below(2.0)
            2
        """
        name = text.wrapped(self.label, max(int(inches / NAME_CHARACTER), 12)).count("\n")
        if not self.choices:
            return 2 + name
        named = self._beside(inches)
        if named.slant:
            length = max(map(len, named.words)) * CHARACTER * math.sin(math.radians(named.slant))
            return 1 + name + math.ceil(length / LINE)
        return 2 + name + any("\n" in word for word in named.words)

    def _beside(self, inches: float) -> _Named:
        """Name the choices of a horizontal axis: in a row, in two, or slanted."""
        count, words = len(self.choices), [str(choice) for choice in self.choices]
        places, each = np.arange(count), inches / count
        if _fit(words, each):
            return _Named(places, words)
        brief = [text.shorten(word, 14) for word in words]
        if _fit(brief[::2], 2 * each) and _fit(brief[1::2], 2 * each):
            return _Named(places, [f"\n{w}" if i % 2 else w for i, w in enumerate(brief)])
        if each >= SLANTED:
            return _Named(places, [text.shorten(word, 12) for word in words], 40)
        step = -(-count // max(int(inches / UPRIGHT), 1))
        return _Named(places[::step], [text.shorten(word, 12) for word in words[::step]], 90)

    def _one_above_another(self, inches: float) -> _Named:
        """Name the choices of a vertical axis that it has room to name."""
        step = -(-len(self.choices) // max(int(inches / 0.2), 1))
        words = [text.shorten(str(choice), 16) for choice in self.choices[::step]]
        return _Named(np.arange(0, len(self.choices), step), words)


def _fit(words: Sequence[str], inches: float) -> bool:
    """Tell whether words so far apart do not touch."""
    widths = [len(word) * CHARACTER for word in words]
    return all((one + next_) / 2 + GAP <= inches for one, next_ in pairwise(widths))


def scales(search: Search) -> dict[str, Scale]:
    """Return the scale of every hyperparameter of a search that has more than one value.

    Args:
        search: The `Search`.

    Returns:
        Dict of names to `Scale`, in the order the trials met them.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
        >>> list(scales(Search.of(study)))
        ['x']
    """
    found: dict[str, dict[BaseDistribution, None]] = {}
    for trial in search.trials:
        for name, distribution in trial.distributions.items():
            found.setdefault(name, {})[distribution] = None
    made = {
        name: replace(Scale.of(name, distributions), short_name=search.short_name(name))
        for name, distributions in found.items()
    }
    return {name: scale for name, scale in made.items() if not scale.single}


def chosen(known: Sequence[Scale], names: Sequence[str]) -> list[Scale]:
    """Return the scales of some hyperparameters.

    Args:
        known: Sequence of `Scale`.
        names: Sequence of strings, the names of the hyperparameters, or one of them.

    Returns:
        List of `Scale`, in the order of the names.

    Raises:
        ValueError: If there is none of such a name.

    Example:
        >>> [scale.low for scale in chosen([Scale("x", 0, 1), Scale("y", 2, 3)], ["y"])]
        [2]
    """
    by_name = {name: scale for scale in known for name in (scale.label, scale.name)}
    names = [names] if isinstance(names, str) else list(names)
    for name in names:
        if name not in by_name:
            shown = ", ".join(scale.label for scale in known) or "none yet"
            raise ValueError(
                f"hyperparameters={names!r}: {name!r} is no hyperparameter that varies here. "
                f"Those are {shown}.{did_you_mean(name, by_name)}"
            )
    return [by_name[name] for name in names]


def spread(trials: Sequence[FrozenTrial]) -> np.ndarray:
    """Return a number from -1 to 1 for each trial, to keep apart what would lie upon another.

    Args:
        trials: Sequence of `optuna.trial.FrozenTrial`.

    Returns:
        Array of floats, the same for the same trial, and evenly spread.
    """
    golden = 0.618034 * np.array([trial.number for trial in trials], dtype=float)
    return 2 * (golden % 1) - 1


def _in_order(choices: list[Any]) -> tuple[Any, ...]:
    """Return each choice once; numbers by size, all else as it came."""
    once = list({(type(choice), choice): choice for choice in choices}.values())
    if all(isinstance(choice, int | float) for choice in once):
        once.sort()
    return tuple(once)


def _log_ticks(low: float, high: float, count: int) -> np.ndarray:
    """Return round numbers within the range: decades, or steps of 1, 2, 5 where those are few."""
    decades = np.arange(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    slack = 1e-9
    for digits in ((1,), (1, 3), (1, 2, 5)):
        places = np.sort((10.0 ** decades[:, None] * digits).ravel())
        places = places[(places >= low * (1 - slack)) & (places <= high * (1 + slack))]
        if len(places) >= 3:
            return places[:: -(-len(places) // count)]
    return np.array([low, high])
