"""A finite search space, as tables have one: every library is given the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import kt_hpo

Values = dict[str, Any]


@dataclass(frozen=True)
class Dimension:
    """A hyperparameter of a table.

    Attributes:
        name: Its name.
        levels: The values it has in the table.
        ordered: Whether the levels are steps along a line.
        when: The name of a dimension before it, and the values of that at which this one is there;
            None if it always is.
    """

    name: str
    levels: tuple[Any, ...]
    ordered: bool = True
    when: tuple[str, tuple[Any, ...]] | None = None

    def is_active(self, values: Mapping[str, Any]) -> bool:
        """Whether it is there, given the values of the dimensions before it."""
        return self.when is None or values.get(self.when[0]) in self.when[1]


@dataclass(frozen=True)
class Space:
    """The dimensions of a table, whose rows are all their combinations, the last dimension first.

    Example:
        >>> space = Space((Dimension("layers", (1, 2)), Dimension("a", (0.1, 0.2)),
        ...                Dimension("b", ("x", "y"), ordered=False, when=("layers", (2,)))))
        >>> len(space), list(space)[2]
        (6, {'layers': 2, 'a': 0.1, 'b': 'x'})
        >>> [space.row({"layers": layers, "a": 0.2, "b": "y"}) for layers in (1, 2)]
        [1, 5]
    """

    dimensions: tuple[Dimension, ...]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Values]:
        found: list[Values] = [{}]
        for one in self.dimensions:
            found = [
                {**values, one.name: level} if one.is_active(values) else values
                for values in found
                for level in (one.levels if one.is_active(values) else (None,))
            ]
        return iter(found)

    def row(self, values: Mapping[str, Any]) -> int:
        """The number of a configuration, whatever else is among the values."""
        active = self.asked(lambda one: values[one.name])
        if tuple(active.items()) not in self._rows:
            raise ValueError(f"{active} is no row of the table.")
        return self._rows[tuple(active.items())]

    @cached_property
    def _rows(self) -> dict[tuple[Any, ...], int]:
        return {tuple(values.items()): row for row, values in enumerate(self)}

    def asked(self, ask: Callable[[Dimension], Any]) -> Values:
        """Asks for the value of each dimension that is there, as a `build` does."""
        values: Values = {}
        for one in self.dimensions:
            if one.is_active(values):
                values[one.name] = ask(one)
        return values

    def hyperparameters(self) -> kt_hpo.HyperParameters:
        """The same as users of Keras Tuner and kt_hpo write it: `hp.Choice` of the values."""
        hp = kt_hpo.HyperParameters()
        for one in self.dimensions:
            with hp.conditional_scope(*one.when) if one.when else nullcontext():
                hp.Choice(one.name, list(one.levels))
        return hp
