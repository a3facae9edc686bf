"""Mutation of a configuration: one hyperparameter changes, and what hangs on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras_tuner
import numpy as np
from optuna.distributions import CategoricalDistribution

from kt_hpo.engines.proposals.observations import is_choice, to_unit
from kt_hpo.space import domain
from kt_hpo.space.hyperparameters import HyperParameter
from kt_hpo.space.kinds import Int, Value
from kt_hpo.space.scopes import active_values, is_active

# How often a number is drawn anew from its whole range instead of moving near where it is.
REDRAWN = 0.1
# How far a number moves: the standard deviation, as a part of its range on its own scale.
WIDTH = 0.15


def mutate(
    known: keras_tuner.HyperParameters, values: Mapping[str, Value], stream: np.random.Generator
) -> dict[str, Value] | None:
    """Changes one of the active hyperparameters of a configuration, all equally likely.

    A number, or an ordered choice, moves near its value on its own scale, or is drawn anew; another
    choice takes any other of its values. A number that conditional scopes hang on, like a number of
    layers, takes one step up or down. Hyperparameters that become active are drawn at random; all
    others keep their values, also where another scope has one of the same name and range.

    Args:
        known: The search space.
        values: The configuration: active values by name.
        stream: Source of the random numbers.

    Returns:
        The new configuration, active values only; None if there is nothing that could change.

    Example:
        >>> from kt_hpo.space.hyperparameters import HyperParameters
        >>> hp = HyperParameters()
        >>> layers = hp.Int("layers", 1, 3)
        >>> with hp.conditional_scope("layers", [2, 3]):
        ...     units = hp.Int("units", 8, 64)
        >>> mutate(hp, {"layers": 1}, np.random.default_rng(0))
        {'layers': 2, 'units': 44}
    """
    genes = _genes(known, values)
    free = [gene for gene in genes.values() if not domain.to_distribution(gene).single()]
    if not free:
        return None
    chosen = free[stream.integers(len(free))]
    kept = {**values, chosen.name: _changed(chosen, values[chosen.name], known, stream)}

    def value_of(gene: HyperParameter, _: str) -> Value:
        inherited = gene.name in genes and _same_range(gene, genes[gene.name])
        return kept[gene.name] if inherited else gene.prob_to_value(float(stream.random()))

    return active_values(known, value_of)


def _genes(
    known: keras_tuner.HyperParameters, values: Mapping[str, Value]
) -> dict[str, HyperParameter]:
    """The active hyperparameters by name."""
    return {
        gene.name: gene for gene in known.space if gene.name in values and is_active(gene, values)
    }


def _same_range(one: HyperParameter, other: HyperParameter) -> bool:
    return one is other or domain.to_distribution(one) == domain.to_distribution(other)


def _changed(
    gene: HyperParameter,
    value: Value,
    known: keras_tuner.HyperParameters,
    stream: np.random.Generator,
) -> Value:
    """Another value of a hyperparameter that has several."""
    around: list[Any] = []
    distribution = domain.to_distribution(gene)
    if isinstance(distribution, CategoricalDistribution) and is_choice(gene):
        around = [choice for choice in distribution.choices if choice != value]
    elif isinstance(gene, Int) and gene.sampling == "linear" and _carries_scopes(gene, known):
        steps = (value - gene.step, value + gene.step)
        around = [step for step in steps if gene.min_value <= step <= gene.max_value]
    if around:
        return around[stream.integers(len(around))]
    if stream.random() < REDRAWN:
        drawn = gene.prob_to_value(float(stream.random()))
        if drawn != value:
            return drawn
    return _near(gene, value, stream)


def _carries_scopes(gene: HyperParameter, known: keras_tuner.HyperParameters) -> bool:
    return any(
        condition.name == gene.name
        for hyperparameter in known.space
        for condition in hyperparameter.conditions
    )


def _near(gene: HyperParameter, value: Value, stream: np.random.Generator) -> Value:
    """A value that is near on the hyperparameter's scale, farther away only if it must be."""
    start = to_unit(gene, value)
    for doublings in range(10):
        place = abs(start + WIDTH * 2**doublings * float(stream.standard_normal())) % 2
        moved = gene.prob_to_value(min(place, 2 - place))
        if moved != value:
            return moved
    return value
