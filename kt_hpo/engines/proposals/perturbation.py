"""Values near those that went well: how population-based training explores."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import keras_tuner
import numpy as np

from kt_hpo.space.hyperparameters import HyperParameter
from kt_hpo.space.kinds import Float, Int, Value
from kt_hpo.space.scopes import active_values


def explore(
    known: keras_tuner.HyperParameters,
    values: Mapping[str, Value],
    names: Collection[str],
    factors: Sequence[float],
    resample_probability: float,
    stream: np.random.Generator,
) -> dict[str, Value]:
    """Changes some values of a configuration (Jaderberg et al. 2017, section 4.1.1, "Explore").

    Args:
        known: The search space.
        values: The active values to begin from; what is missing is drawn at random.
        names: The hyperparameters to change; all others stay as they are.
        factors: One of them, drawn for each hyperparameter, multiplies its value.
        resample_probability: How often a value is drawn anew from its whole range instead.
        stream: Source of random numbers.

    Returns:
        The active values of a new configuration.

    Example:
        >>> from kt_hpo.space.hyperparameters import HyperParameters
        >>> hp = HyperParameters()
        >>> hp.Float("rate", 0.0, 1.0)
        0.0
        >>> explore(hp, {"rate": 0.5}, ["rate"], [1.2], 0.0, np.random.default_rng(0))
        {'rate': 0.6}
    """

    def value_of(hyperparameter: HyperParameter, _: str) -> Value:
        name = hyperparameter.name
        is_changed = name in names
        if name not in values or (is_changed and stream.random() < resample_probability):
            return hyperparameter.prob_to_value(float(stream.random()))
        if is_changed:
            return perturbed(hyperparameter, values[name], float(stream.choice(factors)))
        return values[name]

    return active_values(known, value_of)


def perturbed(hyperparameter: HyperParameter, value: Any, factor: float) -> Value:
    """Multiplies a value, within its range and on its steps.

    Args:
        hyperparameter: The hyperparameter the value is of.
        value: The value.
        factor: Multiplies a number; where the nearest step is the old one, and for what is no
            number, a factor above 1 takes the next value, one below 1 the one before.

    Returns:
        A value that the hyperparameter may have; at the end of a range possibly the old one.

    Example:
        >>> perturbed(Int("units", 1, 64), 10, 0.8)
        8
        >>> perturbed(Float("dropout", 0, 0.5, step=0.1), 0.2, 1.2)
        0.3
    """
    if isinstance(hyperparameter, Float) and hyperparameter.step is None:
        return min(max(value * factor, hyperparameter.min_value), hyperparameter.max_value)
    allowed = _allowed(hyperparameter)
    if isinstance(hyperparameter, Int | Float):
        old, new = _nearest(allowed, value), _nearest(allowed, value * factor)
    else:
        old = new = allowed.index(value)
    if new == old:
        new += 1 if factor > 1 else -1
    return allowed[min(max(new, 0), len(allowed) - 1)]


def _allowed(hyperparameter: HyperParameter) -> Sequence[Value]:
    """The values of a hyperparameter that has finitely many, in their order."""
    if not isinstance(hyperparameter, Int | Float):
        return list(hyperparameter.values)
    if hyperparameter.step is None:
        return range(hyperparameter.min_value, hyperparameter.max_value + 1)
    kind = int if isinstance(hyperparameter, Int) else float
    return sorted(map(kind, hyperparameter.values))


def _nearest(allowed: Sequence[Value], number: float) -> int:
    return int(np.abs(np.asarray(allowed) - number).argmin())
