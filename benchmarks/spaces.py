"""A finite search space, as tables have one: every library is given the same."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import kt_hpo

Values = dict[str, Any]


@dataclass(frozen=True)
class Dimension:
    """A hyperparameter of a table.

    Attributes:
        name: Its name.
        levels: The values it has in the table.
        ordered: Whether the levels are steps along a line. A library sees their number then, an
            integer from 0 on, else the choice itself.
    """

    name: str
    levels: tuple[Any, ...]
    ordered: bool = True

    @property
    def choices(self) -> tuple[Any, ...]:
        """What a library chooses from."""
        return tuple(range(len(self.levels))) if self.ordered else self.levels

    def level(self, chosen: Any) -> Any:
        """The value in the table of what a library has chosen."""
        return self.levels[int(chosen)] if self.ordered else chosen


@dataclass(frozen=True)
class Space:
    """The dimensions of a table, whose rows are all their combinations, the last dimension first.

    Example:
        >>> space = Space((Dimension("a", (0.1, 0.2)), Dimension("b", ("x", "y"), ordered=False)))
        >>> len(space), space.row({"a": 1, "b": "x"}), space.values(2)
        (4, 2, {'a': 1, 'b': 'x'})
    """

    dimensions: tuple[Dimension, ...]

    def __len__(self) -> int:
        return math.prod(len(one.levels) for one in self.dimensions)

    def __iter__(self) -> Iterator[Values]:
        names = [one.name for one in self.dimensions]
        for chosen in itertools.product(*(one.choices for one in self.dimensions)):
            yield dict(zip(names, chosen, strict=True))

    def row(self, values: Mapping[str, Any]) -> int:
        """The number of a configuration."""
        number = 0
        for one in self.dimensions:
            place = one.choices.index(int(values[one.name]) if one.ordered else values[one.name])
            number = number * len(one.levels) + place
        return number

    def values(self, row: int) -> Values:
        """The configuration of a number."""
        found = {}
        for one in reversed(self.dimensions):
            row, place = divmod(row, len(one.levels))
            found[one.name] = one.choices[place]
        return dict(reversed(found.items()))

    def levels(self, values: Mapping[str, Any]) -> Values:
        """What a configuration means."""
        return {one.name: one.level(values[one.name]) for one in self.dimensions}

    def hyperparameters(self) -> kt_hpo.HyperParameters:
        """The same in Keras Tuner's words."""
        hp = kt_hpo.HyperParameters()
        for one in self.dimensions:
            if one.ordered:
                hp.Int(one.name, 0, len(one.levels) - 1)
            else:
                hp.Choice(one.name, list(one.levels))
        return hp
