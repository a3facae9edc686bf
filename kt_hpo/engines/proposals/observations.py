"""What engines from elsewhere learn from: a space in numbers, and the losses seen in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from kt_hpo.oracle.trials import PRUNED
from kt_hpo.space import domain
from kt_hpo.space.hyperparameters import HyperParameter
from kt_hpo.space.kinds import Boolean, Choice, Float, Int, Value, corrected
from kt_hpo.space.scopes import recorded_names


class Observation(NamedTuple):
    """The values of a trial and what came of them.

    Attributes:
        values: Active values by the names of hyperparameters.
        loss: The objective, to be minimized; None while the trial runs.
    """

    values: Mapping[str, Value]
    loss: float | None


def observations(trials: Iterable[Trial], objective: keras_tuner.Objective) -> list[Observation]:
    """Gives what there is to learn from trials.

    A pruned trial counts with the best it has reported: it was stopped because that was bad. A
    failed one says nothing.

    Args:
        trials: Trials of a search.
        objective: What is optimized.

    Returns:
        An observation for each trial that is completed, pruned or running.
    """
    sign = -1.0 if objective.direction == "max" else 1.0
    seen = []
    for trial in trials:
        values = trial.hyperparameters.values
        if trial.status in (TrialStatus.COMPLETED, PRUNED):
            seen.append(Observation(values, sign * trial.score))
        elif trial.status == TrialStatus.RUNNING:
            seen.append(Observation(values, None))
    return seen


def dimensions(known: keras_tuner.HyperParameters) -> list[tuple[HyperParameter, str]]:
    """Lists the hyperparameters that have more than one value.

    Args:
        known: The search space.

    Returns:
        Each with its name in the record, which no other has.
    """
    return [
        (corrected(hyperparameter), name)
        for hyperparameter, name in recorded_names(known)
        if not domain.to_distribution(hyperparameter).single()
    ]


def is_choice(hyperparameter: HyperParameter) -> bool:
    """Tells whether the values of a hyperparameter have no order.

    Args:
        hyperparameter: A hyperparameter.

    Returns:
        True for booleans and choices that are not ordered.

    Example:
        >>> is_choice(Choice("width", [16, 32])), is_choice(Choice("kind", ["mlp", "cnn"]))
        (False, True)
    """
    return isinstance(hyperparameter, Boolean) or (
        isinstance(hyperparameter, Choice) and not hyperparameter.ordered
    )


def to_unit(hyperparameter: HyperParameter, value: Value) -> float:
    """Places a value on the scale it is sampled on: linear, logarithmic, or by its order.

    Args:
        hyperparameter: A hyperparameter.
        value: One of its values; one beyond its range counts as the end of it.

    Returns:
        A number from 0 to 1 that `hyperparameter.prob_to_value` turns back into the value.

    Example:
        >>> to_unit(Float("rate", 1e-4, 1.0, sampling="log"), 1e-2)
        0.5
    """
    if isinstance(hyperparameter, Int | Float):
        assert not isinstance(value, str)
        value = min(max(value, hyperparameter.min_value), hyperparameter.max_value)
    return min(max(hyperparameter.value_to_prob(value), 0.0), 1.0)
