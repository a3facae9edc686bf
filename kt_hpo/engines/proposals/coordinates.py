"""Configurations as points of a space of numbers, as a Gaussian process sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kt_hpo.engines.proposals.observations import dimensions, is_choice, to_unit
from kt_hpo.space.hyperparameters import HyperParameter, HyperParameters
from kt_hpo.space.kinds import Choice, Value
from kt_hpo.space.scopes import is_active


class Coordinates:
    """The coordinates of configurations in a search space, each from 0 to 1.

    A number is one coordinate, in its order and on its scale; a choice without an order is one for
    each of its values. A number that is not active lies in the middle, and of a choice that is not
    active all are 0.

    Args:
        known: The search space.

    Example:
        >>> hp = HyperParameters()
        >>> _ = hp.Float("dropout", 0.0, 0.5), hp.Choice("kind", ["cnn", "mlp"])
        >>> Coordinates(hp).of({"dropout": 0.1, "kind": "mlp"})
        array([0.2, 0. , 1. ])
    """

    def __init__(self, known: HyperParameters) -> None:
        self._axes = [(axis, _choices(axis)) for axis, _ in dimensions(known)]
        self._ranges = _ranges(known)

    def are_in(self, known: HyperParameters) -> bool:
        """Tells whether these are the coordinates in a search space, which may have grown.

        Args:
            known: The search space.

        Returns:
            Whether it has the same ranges.
        """
        return _ranges(known) == self._ranges

    def of(self, values: Mapping[str, Value]) -> np.ndarray:
        """Places a configuration.

        Args:
            values: Its values, by the names of hyperparameters.

        Returns:
            Its coordinates, of shape `(dimensions,)`.
        """
        found: list[float] = []
        for axis, choices in self._axes:
            value = values[axis.name] if axis.name in values and is_active(axis, values) else None
            if choices:
                found += [float(value == choice) for choice in choices]
            else:
                found.append(0.5 if value is None else to_unit(axis, value))
        return np.array(found)


def _ranges(known: HyperParameters) -> tuple[list[Any], dict[str, list[str]]]:
    """All that coordinates depend on; trials of before a range changed have other names."""
    named = [(axis.get_config(), name) for axis, name in dimensions(known)]
    return named, dict(known.recorded_as)


def _choices(axis: HyperParameter) -> list[Value]:
    """The values that have no order; nothing for a number."""
    if not is_choice(axis):
        return []
    return list(dict.fromkeys(axis.values)) if isinstance(axis, Choice) else [False, True]
