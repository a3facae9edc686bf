"""What the record holds of a trial of Ray's, and what Ray knows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any

import keras
import keras_tuner
from optuna.trial import TrialState
from ray import tune
from ray.tune.experiment import Trial
from ray.tune.result import AUTO_RESULT_KEYS, DEBUG_METRICS
from ray.tune.utils import flatten_dict

from kt_hpo import objectives
from kt_hpo.hyperparameters import HyperParameters
from kt_hpo.ray.actor import PARAMETERS, TRAINED
from kt_hpo.ray.space import read_values
from kt_hpo.training.results import Result, missing_objective, read_results

_NO_METRICS = {*AUTO_RESULT_KEYS, *DEBUG_METRICS}


@dataclass
class Interval:
    """A trial in the record: one of Ray's, or the part of it between two exploits.

    Attributes:
        number: Its number in the record.
        place: Where it stands in a population, under names like `tuner/member`; empty without one.
        source: The checkpoint of another trial that it went on from.
        epochs: Its metrics by epoch, counted from 0.
        is_trained: Whether it has trained all of its epochs.
        parameters: How many weights its model has, if that is known.
    """

    number: int
    place: dict[str, Any] = field(default_factory=dict)
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
            objective: What is optimised.

        Returns:
            The epoch; one that is trained again, after a failure, takes the place of the first.

        Raises:
            ValueError: If the objective is not among the metrics.
        """
        metrics = _metrics_of(reported)
        if PARAMETERS in reported:
            self.parameters = int(metrics.pop(PARAMETERS))
        metrics = objectives.with_objective(objective, metrics)
        for part in (*objectives.parts(objective), objective):
            if part.name not in metrics:
                raise ValueError(missing_objective(part.name, list(metrics), "Ray's trials"))
        epoch = int(reported["training_iteration"]) - 1
        self.epochs[epoch] = metrics
        self.is_trained = bool(reported.get(TRAINED, True))
        return epoch

    def result(self, objective: keras_tuner.Objective) -> Result:
        """Gives what its epochs come to.

        Args:
            objective: What is optimised.

        Returns:
            The metrics of the best epoch, and those of all.
        """
        history = keras.callbacks.History()
        rows = [self.epochs[epoch] for epoch in sorted(self.epochs)]
        names = [name for name in rows[0] if all(name in row for row in rows)]
        history.epoch = sorted(self.epochs)
        history.history = {name: [row[name] for row in rows] for name in names}
        (result,) = read_results(history, objective, "Ray's trials")
        return result


def values_of(trial: Trial) -> dict[str, Any]:
    """Reads the values of a trial.

    Args:
        trial: A trial of Ray's.

    Returns:
        Values by the names of hyperparameters; of a trainable whose space is not known by those of
        its config.
    """
    known = space_of(trial)
    if known.space:
        return dict(read_values(known, trial.config))
    plain = bool | int | float | str
    config = flatten_dict(trial.config)
    return {name: v if isinstance(v, plain) else str(v) for name, v in config.items()}


def space_of(trial: Trial) -> HyperParameters:
    """Finds the search space of a trial.

    Args:
        trial: A trial of Ray's.

    Returns:
        The space; an empty one if `kt_hpo.ray.trainable` has not made what the trial runs.
    """
    return getattr(trial.get_trainable_cls(), "known", HyperParameters())


def source_of(trial: Trial) -> str | None:
    """Finds the checkpoint of another trial that a trial goes on from.

    Args:
        trial: A trial of Ray's, about to start.

    Returns:
        Its path; None if the trial begins anew, or goes on with what is its own.
    """
    checkpoint: tune.Checkpoint | None = trial.checkpoint
    if checkpoint is None or _owns(trial, checkpoint.path):
        return None
    return checkpoint.path


def owner_of(checkpoint: str, trials: list[Trial]) -> Trial | None:
    """Finds the trial that has made a checkpoint.

    Args:
        checkpoint: Its path.
        trials: All trials.

    Returns:
        The trial; None if it is none of these.
    """
    return next((trial for trial in trials if _owns(trial, checkpoint)), None)


def _owns(trial: Trial, checkpoint: str) -> bool:
    return trial.storage.trial_dir_name == Path(checkpoint).parent.name


def _metrics_of(reported: Mapping[str, Any]) -> dict[str, float]:
    """The numbers that the trainable has reported, without those that Ray adds."""
    return {
        name: float(value)
        for name, value in flatten_dict(dict(reported)).items()
        if isinstance(value, Real) and not isinstance(value, bool)
        if name.split("/")[0] not in _NO_METRICS
    }
