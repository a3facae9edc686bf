"""The space of a hypermodel, and what values given by name make of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import keras_tuner
import numpy as np

from kt_hpo.space import domain
from kt_hpo.space.hyperparameters import HyperParameter, HyperParameters
from kt_hpo.space.kinds import Float, Int, Value

HyperModelLike: TypeAlias = keras_tuner.HyperModel | Callable[[HyperParameters], Any]


def as_hypermodel(hypermodel: Any) -> keras_tuner.HyperModel:
    """Makes a hypermodel of a build function; a hypermodel stays what it is.

    Args:
        hypermodel: What a user gave.

    Returns:
        The hypermodel.

    Raises:
        ValueError: If it is neither.
    """
    is_made = isinstance(hypermodel, keras_tuner.HyperModel) or callable(hypermodel)
    if not is_made or isinstance(hypermodel, type):
        raise ValueError(
            f"hypermodel={hypermodel!r} is not allowed; give a keras_tuner.HyperModel (an "
            "instance, not the class) or a function build(hp) that returns a compiled model."
        )
    if isinstance(hypermodel, keras_tuner.HyperModel):
        return hypermodel
    made = keras_tuner.HyperModel()
    made.build = hypermodel
    return made


def find_space(hypermodel: HyperModelLike) -> HyperParameters:
    """Finds all hyperparameters of a hypermodel, by building it in each of its scopes.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a build function.

    Returns:
        The space.

    Raises:
        ValueError: If it is no hypermodel, or cannot be built with any values.

    Example:
        >>> [hp.name for hp in find_space(lambda hp: hp.Int("units", 1, 4)).space]
        ['units']
    """
    made = as_hypermodel(hypermodel)
    declared = HyperParameters()
    made.declare_hyperparameters(declared)
    return domain.explore(made.build, declared)


def check_given(known: HyperParameters, given: Mapping[str, Any]) -> None:
    """Refuses values that no scope of a space allows.

    Args:
        known: The space.
        given: Values by the names of hyperparameters; None for the default.

    Raises:
        ValueError: If a name is unknown, or a value outside its range in every scope.
    """
    for name, value in given.items():
        same = [hyperparameter for hyperparameter in known.space if hyperparameter.name == name]
        if value is not None and not any(_allows(each, value) for each in same):
            domain.check_values(known, {name: _plain(value)})


def configuration(known: HyperParameters, given: Mapping[str, Any]) -> HyperParameters:
    """Completes given values to a configuration of a space.

    Args:
        known: The space.
        given: Values by the names of hyperparameters; None for the default. Those of scopes that
            the others leave inactive are passed over.

    Returns:
        The space with a value for each active hyperparameter, the default where none is given.

    Raises:
        ValueError: If a value is outside its range.

    Example:
        >>> hp = HyperParameters()
        >>> hp.Int("units", 1, 8), hp.Float("rate", 0, 1)
        (1, 0.0)
        >>> configuration(hp, {"units": 4}).values
        {'units': 4, 'rate': 0.0}
    """
    active = HyperParameters()
    for hyperparameter in known.space:
        if not active.is_active(hyperparameter):
            continue
        active.merge([hyperparameter], overwrite=False)
        value = given.get(hyperparameter.name)
        if value is not None and _allows(hyperparameter, value):
            active.values[hyperparameter.name] = held(hyperparameter, value)
    check_given(active, {name: given.get(name) for name in active.values})
    complete = known.copy()
    complete.values = active.values
    return complete


def held(hyperparameter: HyperParameter, value: Any) -> Any:
    """Gives a value the type the hyperparameter's own values have.

    NumPy's scalars become Python's, and what is outside a range by a rounding error only, as
    `numpy.logspace` and SciPy's distributions make them, becomes its end.

    Args:
        hyperparameter: The hyperparameter.
        value: The value.

    Returns:
        The value as a search would have drawn it; as it is where it could not have.

    Example:
        >>> held(Float("rate", 0.01, 0.1), np.float64(0.1 + 1e-17))
        0.1
    """
    value = _plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    match hyperparameter:
        case Int() if float(value).is_integer():
            return int(value)
        case Float():
            nearest = min(max(value, hyperparameter.min_value), hyperparameter.max_value)
            return float(nearest if math.isclose(value, nearest, rel_tol=1e-12) else value)
    return value


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _allows(hyperparameter: HyperParameter, value: Any) -> bool:
    alone = HyperParameters()
    alone.merge([hyperparameter])
    held_value: Value = held(hyperparameter, value)
    try:
        domain.check_values(alone, {hyperparameter.name: held_value})
    except ValueError:
        return False
    return True
