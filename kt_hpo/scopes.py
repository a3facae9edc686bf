"""Conditional scopes: which hyperparameters have a value beside others, and under which name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import keras_tuner

from kt_hpo.hyperparameters import HyperParameter, Value, corrected


def recorded_names(space: keras_tuner.HyperParameters) -> Iterator[tuple[HyperParameter, str]]:
    """Pairs each hyperparameter with its name in the record.

    Keras Tuner lets hyperparameters of several scopes share a name; Optuna wants one meaning a
    name, so every further one carries its conditions: `units [model=cnn]`.

    Args:
        space: The search space.

    Yields:
        The hyperparameter and the name its values are recorded under.
    """
    seen: set[str] = set()
    for hyperparameter in space.space:
        name = hyperparameter.name
        if name in seen:
            scopes = (f"{c.name}={'|'.join(map(str, c.values))}" for c in hyperparameter.conditions)
            name = f"{name} [{', '.join(scopes)}]"
        seen.add(name)
        yield hyperparameter, name


def is_active(hyperparameter: HyperParameter, values: Mapping[str, Value]) -> bool:
    """Tells whether the conditions of a hyperparameter hold.

    Args:
        hyperparameter: A hyperparameter.
        values: Values by the names of hyperparameters.

    Returns:
        Whether it has a value beside these.
    """
    return all(condition.is_active(values) for condition in hyperparameter.conditions)


def active_values(
    known: keras_tuner.HyperParameters, value_of: Callable[[HyperParameter, str], Value]
) -> dict[str, Value]:
    """Puts a configuration together, each hyperparameter after those it depends on.

    Args:
        known: The search space.
        value_of: Gives the value of an active hyperparameter with its name in the record.

    Returns:
        The active values by name.
    """
    values: dict[str, Value] = {}
    for hyperparameter, name in recorded_names(known):
        if is_active(hyperparameter, values):
            values[hyperparameter.name] = value_of(corrected(hyperparameter), name)
    return values
