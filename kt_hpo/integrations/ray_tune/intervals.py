"""A trial in the record, as far as a trial of Ray's is it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import keras
import keras_tuner
from optuna.trial import FrozenTrial, TrialState
from ray.tune.result import AUTO_RESULT_KEYS, DEBUG_METRICS
from ray.tune.utils import flatten_dict

from kt_hpo import objectives
from kt_hpo.integrations.ray_tune.actor import PARAMETERS, TRAINED
from kt_hpo.space.continuation import Continuation, reserved_values
from kt_hpo.training.results import Result, missing_objective, read_results

# What Ray adds to a result, and what is not measured anew each epoch.
_NO_METRICS = {*AUTO_RESULT_KEYS, *DEBUG_METRICS, PARAMETERS}


@dataclass
class RecordedInterval:
    """A trial in the record: one of Ray's, or a part of it that ends where it exploits another.

    Attributes:
        number: Its number in the record.
        place: Where it stands in a population; None without one.
        source: The checkpoint of another trial that it went on from.
        epochs: Its metrics by epoch, counted from 0.
        is_trained: Whether it has trained all of its epochs.
        parameters: How many weights its model has, if that is known.
    """

    number: int
    place: Continuation | None = None
    source: str | None = None
    epochs: dict[int, dict[str, float]] = field(default_factory=dict)
    is_trained: bool = False
    parameters: int | None = None

    @property
    def state(self) -> TrialState:
        """How it ends, if it ends now."""
        return TrialState.COMPLETE if self.is_trained else TrialState.PRUNED

    def take(self, reported: Mapping[str, Any], objective: keras_tuner.Objective) -> int:
        """Takes in what Ray's trial has reported of an epoch.

        Args:
            reported: Ray's result.
            objective: What is optimized.

        Returns:
            The epoch. One that is trained again, after a failure, replaces what was known of it.

        Raises:
            ValueError: If the objective is not among the metrics.
        """
        metrics = objectives.with_objective(objective, _metrics_of(reported))
        for part in (*objectives.parts(objective), objective):
            if part.name not in metrics:
                raise ValueError(missing_objective(part.name, list(metrics), "Ray's trials"))
        epoch = int(reported["training_iteration"]) - 1
        self.epochs[epoch] = metrics
        self.is_trained = bool(reported.get(TRAINED, True))
        if PARAMETERS in reported:
            self.parameters = int(reported[PARAMETERS])
        return epoch

    def result(self, objective: keras_tuner.Objective) -> Result:
        """Gives what its epochs come to.

        Args:
            objective: What is optimized.

        Returns:
            The metrics of the best epoch, and those of all.
        """
        rows = [self.epochs[epoch] for epoch in sorted(self.epochs)]
        names = [name for name in rows[0] if all(name in row for row in rows)]
        history = keras.callbacks.History()
        history.epoch = sorted(self.epochs)
        history.history = {name: [row[name] for row in rows] for name in names}
        (result,) = read_results(history, objective, "Ray's trials")
        return result


def taken_up(
    recorded: FrozenTrial, objective: keras_tuner.Objective, known: RecordedInterval | None
) -> RecordedInterval:
    """Takes a trial up that was running when its experiment was interrupted.

    Args:
        recorded: The trial in the record.
        objective: What is optimized.
        known: What Ray has kept of it, maybe some epochs less, or an interval before.

    Returns:
        The interval. Of epochs that only the record knows it has the objective alone.
    """
    if known is None or known.number != recorded.number:
        place = reserved_values(recorded.user_attrs.get("values", {}))
        known = RecordedInterval(recorded.number, Continuation.of(place) if place else None)
    if len(objectives.parts(objective)) == 1:
        for epoch, value in recorded.intermediate_values.items():
            known.epochs.setdefault(epoch, {objective.name: value})
    return known


def _metrics_of(reported: Mapping[str, Any]) -> dict[str, float]:
    """The numbers that the trainable has reported, without those that Ray adds."""
    return {
        name: float(value)
        for name, value in flatten_dict(dict(reported)).items()
        if isinstance(value, Real) and not isinstance(value, bool)
        if name.split("/")[0] not in _NO_METRICS
    }
