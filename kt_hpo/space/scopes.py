"""Conditional scopes: which hyperparameters have a value beside others, and under which name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras_tuner

from kt_hpo.space.hyperparameters import HyperParameter
from kt_hpo.space.kinds import Value, corrected


def recorded_names(space: keras_tuner.HyperParameters) -> Iterator[tuple[HyperParameter, str]]:
    """Pairs each hyperparameter with its name in the record.

    Keras Tuner lets hyperparameters of several scopes share a name; Optuna wants one meaning a
    name, so every further one carries its conditions: `units [model=cnn]`. One whose range has
    changed to what Optuna takes for another meaning carries a number: `optimizer [2]`.

    Args:
        space: The search space.

    Yields:
        The hyperparameter and the name its values are recorded under.
    """
    for hyperparameter, names in all_recorded_names(space):
        yield hyperparameter, names[0]


def all_recorded_names(
    space: keras_tuner.HyperParameters,
) -> Iterator[tuple[HyperParameter, list[str]]]:
    """Pairs each hyperparameter with all names it has had in the record.

    Args:
        space: The search space.

    Yields:
        The hyperparameter and its names, the present one first.
    """
    recorded_as = getattr(space, "recorded_as", {})
    for hyperparameter, name in first_names(space):
        yield hyperparameter, recorded_as.get(name, [name])


def first_names(space: keras_tuner.HyperParameters) -> Iterator[tuple[HyperParameter, str]]:
    """Pairs each hyperparameter with the name in the record that it began with.

    Args:
        space: The search space.

    Yields:
        The hyperparameter and its name.
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


Renamed = dict[str, tuple[HyperParameter, str]]
"""Hyperparameters, each with its name in the record, by the names they have elsewhere."""


def renamed(known: keras_tuner.HyperParameters, rename: Callable[[str], str]) -> Renamed:
    """Gives hyperparameters the names that another engine allows, a number behind equal ones.

    Args:
        known: The search space.
        rename: Makes an allowed name of a name in the record.

    Returns:
        The hyperparameters by their new names.

    Example:
        >>> hp = keras_tuner.HyperParameters()
        >>> hp.Int("a/b", 1, 3), hp.Int("a_b", 1, 3)
        (1, 1)
        >>> list(renamed(hp, lambda name: name.replace("/", "_")))
        ['a_b', 'a_b_2']
    """
    named: Renamed = {}
    for hyperparameter, recorded in recorded_names(known):
        plain = name = rename(recorded)
        count = 1
        while name in named:
            count += 1
            name = f"{plain}_{count}"
        named[name] = (hyperparameter, recorded)
    return named


def values_of_renamed(
    known: keras_tuner.HyperParameters,
    named: Renamed,
    config: Mapping[str, Any],
    read: Callable[[HyperParameter, Any], Value],
) -> dict[str, Value]:
    """Reads a configuration that another engine has made.

    Args:
        known: The search space.
        named: Its hyperparameters by the names of that engine, from `renamed`.
        config: Values by these names.
        read: Makes a value of a hyperparameter of what the engine gives for it.

    Returns:
        The active values by name; the default where the configuration says nothing.
    """
    given = {recorded: config[name] for name, (_, recorded) in named.items() if name in config}

    def value_of(hyperparameter: HyperParameter, recorded: str) -> Value:
        if recorded not in given:
            return hyperparameter.default
        return read(hyperparameter, given[recorded])

    return active_values(known, value_of)
