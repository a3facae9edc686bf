"""The space of a hypermodel as Ray Tune's, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import keras_tuner
import numpy as np
from ray import tune

from kt_hpo.arguments import did_you_mean
from kt_hpo.integrations.sklearn.configurations import HyperModelLike, find_space
from kt_hpo.space.hyperparameters import HyperParameter
from kt_hpo.space.kinds import Boolean, Choice, Fixed, Float, Int, Value, corrected
from kt_hpo.space.scopes import Renamed, renamed, values_of_renamed


def param_space(hypermodel: HyperModelLike) -> dict[str, Any]:
    """Gives the search space of a hypermodel, for `tune.Tuner(param_space=...)`.

    Integers become `randint` or `lograndint`, floats `uniform` or `loguniform`, choices and
    booleans `choice`, a step that is added `qrandint` or `quniform`. What Ray has no word for: the
    values of a step that multiplies, or that does not begin at a multiple of itself, are a
    `choice`; reverse-log sampling is uniform; the order of a choice is lost. What has one value
    only stands there as this value.

    Ray's searchers know no conditions. All hyperparameters are in the space, and a trial takes
    those that are active beside the others. Names are those of the record, with an underscore for a
    slash, which Ray keeps for itself.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a build function.

    Returns:
        Ray's domains, and constants, by the names of hyperparameters; a plain dict, to be changed
        and added to as any.

    Raises:
        ValueError: If it is no hypermodel, or cannot be built with any values.

    Example:
        >>> space = param_space(lambda hp: hp.Float("rate", 1e-4, 0.1, sampling="log"))
        >>> space["rate"].lower, space["rate"].upper
        (0.0001, 0.1)
    """
    known = find_space(hypermodel)
    return {name: _domain(corrected(one)) for name, (one, _) in parameters_of(known).items()}


def parameters_of(known: keras_tuner.HyperParameters) -> Renamed:
    """Names the hyperparameters of a space as Ray Tune may name them.

    Args:
        known: The search space.

    Returns:
        The hyperparameters, each with its name in the record, by their names in Ray's space.

    Example:
        >>> hp = keras_tuner.HyperParameters()
        >>> hp.Int("layer/units", 1, 3)
        1
        >>> list(parameters_of(hp))
        ['layer_units']
    """
    return renamed(known, lambda name: name.replace("/", "_"))


def read_values(known: keras_tuner.HyperParameters, config: Mapping[str, Any]) -> dict[str, Value]:
    """Reads the config of a trial of Ray's.

    What explores, such as population-based training, multiplies values without asking for their
    range, and some searchers drop steps: the nearest value that is allowed is taken.

    Args:
        known: The search space.
        config: Values by the names of Ray's space. Names that begin with two underscores are
            Ray's own.

    Returns:
        The active values by the names of hyperparameters; the default where the config says
        nothing.

    Raises:
        ValueError: If a name is unknown, or a value is no number where one is needed, or none of
            the choices.

    Example:
        >>> hp = keras_tuner.HyperParameters()
        >>> hp.Float("rate", 0.01, 0.1), hp.Int("units", 8, 64, step=8)
        (0.01, 8)
        >>> read_values(hp, {"rate": 0.12, "units": 38})
        {'rate': 0.1, 'units': 40}
    """
    named = parameters_of(known)
    for name in config:
        if name not in named and not name.startswith("__"):
            raise ValueError(
                f"{name!r} is no hyperparameter of the hypermodel.{did_you_mean(name, named)} It "
                f"has {', '.join(named) or 'none'}; kt_hpo.ray.param_space(hypermodel) gives them."
            )
    return values_of_renamed(known, named, config, _nearest)


def _domain(hyperparameter: HyperParameter) -> Any:
    match hyperparameter:
        case Fixed():
            return hyperparameter.value
        case Choice() | Boolean():
            return _choice(list(dict.fromkeys(hyperparameter.values)))
        case Int() | Float() if hyperparameter.step is not None and not _is_every(hyperparameter):
            return _stepped(hyperparameter, _values(hyperparameter))
        case Int() | Float() if hyperparameter.min_value == hyperparameter.max_value:
            return hyperparameter.min_value
        case Int():
            sample = tune.lograndint if hyperparameter.sampling == "log" else tune.randint
            return sample(hyperparameter.min_value, hyperparameter.max_value + 1)
        case Float():
            sample = tune.loguniform if hyperparameter.sampling == "log" else tune.uniform
            return sample(float(hyperparameter.min_value), float(hyperparameter.max_value))
    raise TypeError(f"{hyperparameter!r} is no hyperparameter of Keras Tuner.")


def _is_every(hyperparameter: Int | Float) -> bool:
    """Whether a step leaves no integer out."""
    step = (hyperparameter.sampling, hyperparameter.step)
    return isinstance(hyperparameter, Int) and step == ("linear", 1)


def _values(hyperparameter: Int | Float) -> list[Any]:
    """The values of a hyperparameter with a step; Keras Tuner may give integers as floats."""
    kind = int if isinstance(hyperparameter, Int) else float
    return sorted({kind(value) for value in hyperparameter.values})


def _stepped(hyperparameter: Int | Float, values: Sequence[Any]) -> Any:
    """Ray's steps are the multiples of one number."""
    low, high, step = values[0], values[-1], hyperparameter.step
    if len(values) == 1 or hyperparameter.sampling != "linear" or not _divides(step, low):
        return _choice(values)
    if isinstance(hyperparameter, Int):
        return tune.qrandint(low, high, step)
    return tune.quniform(float(low), float(high), step)


def _divides(step: float, number: float) -> bool:
    """Whether Ray finds a step in a number; what it takes for one in a large number is none."""
    count = number / step
    return math.isclose(count, round(count)) and abs(count - round(count)) < 1e-9


def _choice(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else tune.choice(list(values))


def _nearest(hyperparameter: HyperParameter, value: Any) -> Value:
    """The allowed value that a given one means."""
    value = value.item() if isinstance(value, np.generic) else value
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    match hyperparameter:
        case Int() | Float() if is_number:
            return _nearest_number(hyperparameter, value)
        case Choice() | Boolean() | Fixed():
            allowed = list(hyperparameter.values)
            for one in allowed:
                if one == value and isinstance(one, bool) == isinstance(value, bool):
                    return one
            if is_number and not isinstance(allowed[0], bool | str):
                return min(allowed, key=lambda one: abs(one - value))
    raise ValueError(
        f"{hyperparameter.name}={value!r} is not allowed; it must be one of {hyperparameter}."
    )


def _nearest_number(hyperparameter: Int | Float, value: float) -> int | float:
    if hyperparameter.step is not None and not _is_every(hyperparameter):
        return min(_values(hyperparameter), key=lambda one: abs(one - value))
    within = min(max(value, hyperparameter.min_value), hyperparameter.max_value)
    return round(within) if isinstance(hyperparameter, Int) else float(within)
