"""Keras Tuner's trials <-> their recorded form."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus
from optuna.trial import FrozenTrial, TrialState

from kt_hpo import objectives
from kt_hpo.metric_directions import metric_direction
from kt_hpo.record.journal import RecordError
from kt_hpo.record.record import Record
from kt_hpo.space import domain
from kt_hpo.space.continuation import Continuation

# Keras Tuner has no word for a trial that was stopped early.
PRUNED = "PRUNED"

_STATUS = {
    TrialState.COMPLETE: TrialStatus.COMPLETED,
    TrialState.PRUNED: PRUNED,
    TrialState.FAIL: TrialStatus.FAILED,
    TrialState.RUNNING: TrialStatus.RUNNING,
}

STATES = {status: state.name for state, status in _STATUS.items() if state.is_finished()}
"""Optuna's names of how a trial ended, by Keras Tuner's."""

_ENDS = (TrialStatus.COMPLETED, TrialStatus.INVALID, TrialStatus.FAILED)


def trial_id_of(number: int) -> str:
    """Gives Keras Tuner's id of the trial with a number, `"0007"` for 7."""
    return f"{number:04d}"


def lineage(trials: Mapping[str, Trial], trial: Trial) -> list[Trial]:
    """Lists the trials that a trained model went through.

    Args:
        trials: The trials of a search by their ids.
        trial: One of them.

    Returns:
        The trial at whose end this one began, what that went on from, and so on: the first one
        first, this one last.
    """
    lived = [trial]
    while (source := Continuation.of(lived[0].hyperparameters.values).trial_id) is not None:
        lived.insert(0, trials[source])
    return lived


def past_of(trials: Iterable[Trial]) -> set[str]:
    """Names the trials from whose ends others go on.

    Args:
        trials: The others.

    Returns:
        Ids.
    """
    ids = {Continuation.of(trial.hyperparameters.values).trial_id for trial in trials}
    return {trial_id for trial_id in ids if trial_id is not None}


def all_may_be_nan() -> AbstractContextManager[Any]:
    """Keeps NumPy from warning that all values of a metric are NaN, where Keras Tuner asks it."""
    return warnings.catch_warnings(category=RuntimeWarning, action="ignore")


def add_metrics(
    trial: Trial, objective: keras_tuner.Objective, metrics: Mapping[str, float], epoch: int
) -> None:
    """Adds metrics to a trial, the objectives with their directions.

    Args:
        trial: The trial.
        objective: The objective of the search.
        metrics: Values by the metrics' names.
        epoch: The epoch they were reached at.
    """
    known = {part.name: part.direction for part in [objective, *objectives.parts(objective)]}
    for name, value in metrics.items():
        if not trial.metrics.exists(name):
            trial.metrics.register(name, direction=known.get(name) or metric_direction(name))
        trial.metrics.metrics[name].update(float(value), step=epoch)


def best_value(trial: Trial, name: str) -> float:
    """Gives the best value of a metric, without Keras Tuner where there is only one.

    Args:
        trial: The trial.
        name: The metric, which the trial has.

    Returns:
        The value.
    """
    observed = trial.metrics.get_history(name)
    if len(observed) == 1 and len(observed[0].value) == 1:
        return float(observed[0].value[0])
    with all_may_be_nan():
        return float(trial.metrics.get_best_value(name))


def score(trial: Trial, objective: keras_tuner.Objective) -> None:
    """Gives a trial its score and the epoch it was reached at, as Keras Tuner does.

    Args:
        trial: The trial.
        objective: What is optimized.
    """
    name = objective.name
    observed = trial.metrics.get_history(name)
    if len(observed) == 1 and not math.isnan(best := best_value(trial, name)):
        trial.score, trial.best_step = best, observed[0].step
        return
    with all_may_be_nan():
        trial.score = trial.metrics.get_best_value(name)
        trial.best_step = trial.metrics.get_best_step(name)


def trial_meant(
    oracle: keras_tuner.Oracle,
    trial: Trial | str | None = None,
    status: str = TrialStatus.COMPLETED,
    trial_id: str | None = None,
) -> Trial:
    """Gives the trial that a call of `Oracle.end_trial` is about.

    Args:
        oracle: The oracle.
        trial: The trial, or its id, as older Keras Tuner has it.
        status: How it ended, where an id is given.
        trial_id: The id, if it was given by this name.

    Returns:
        The trial; where an id was given, with its status.
    """
    if isinstance(trial, Trial):
        return trial
    meant = oracle.get_trial(trial_id if trial is None else trial)
    # Keras Tuner takes any word here, and its own tests say COMPLETE, as Optuna does.
    meant.status = TrialStatus.COMPLETED if status == "COMPLETE" else status
    return meant


def trial_to_end(oracle: keras_tuner.Oracle, *trial: Any, **named: Any) -> Trial:
    """Gives the trial that a call of `Oracle.end_trial` is about, with how it ended.

    Args:
        oracle: The oracle that keeps the trial.
        *trial: As in `trial_meant`.
        **named: Likewise.

    Returns:
        The trial, with its status.

    Raises:
        ValueError: If it has another status than a trial can end with.
    """
    ended = trial_meant(oracle, *trial, **named)
    kept = oracle.trials.get(ended.trial_id, ended)
    if ended.status == TrialStatus.RUNNING and kept.metrics.exists(oracle.objective.name):
        ended.status = TrialStatus.COMPLETED  # Its result is there, and nobody has said otherwise.
    if ended.status not in _ENDS:
        raise ValueError(
            f"Trial {ended.trial_id} cannot end with the status {ended.status!r}. Set trial.status "
            f"to one of {', '.join(_ENDS)}; INVALID is tried again while retries are left."
        )
    return ended


def write_end(
    record: Record,
    trial: Trial,
    objective: keras_tuner.Objective,
    known: keras_tuner.HyperParameters,
    violations: Mapping[str, float],
) -> None:
    """Records how a trial ended; one that is to be tried again stays running.

    Args:
        record: The record.
        trial: A trial that is COMPLETED, PRUNED, FAILED or INVALID.
        objective: The objective of the search.
        known: The search space.
        violations: How far it is from keeping each constraint.
    """
    number = int(trial.trial_id)
    record.complete_params(number, known, trial.hyperparameters.values)
    if trial.message:
        record.annotate(number, traceback=trial.message)
    if trial.status == TrialStatus.INVALID:
        return
    metrics = {name: best_value(trial, name) for name in trial.metrics.metrics}
    if metrics:
        record.annotate(number, metrics=metrics, **_observations(trial))
    if trial.status == TrialStatus.FAILED:
        record.end(number, TrialState.FAIL)
    else:
        record.annotate(number, best_epoch=int(trial.best_step))
        for name, violation in violations.items():
            record.constrain(number, name, violation)
        if trial.status == PRUNED:
            record.end(number, TrialState.PRUNED)
        else:
            values = [metrics[part.name] for part in objectives.parts(objective)]
            record.end(number, TrialState.COMPLETE, values)


def failed_of_nan(trial: Trial, objective: keras_tuner.Objective) -> bool:
    """Tells whether a trial failed because its objective was NaN."""
    known = trial.metrics.exists(objective.name)
    is_failed = trial.status == TrialStatus.FAILED
    return is_failed and known and math.isnan(best_value(trial, objective.name))


def _observations(trial: Trial) -> dict[str, Any]:
    """The values of all steps, where `metrics` and `best_epoch` do not tell them."""
    every = [trial.metrics.get_history(name) for name in trial.metrics.metrics]
    told = [len(one) == 1 and one[0].step == trial.best_step for one in every]
    return {} if all(told) else {"observations": trial.metrics.get_config()}


def rebuild(
    frozen: FrozenTrial, objective: keras_tuner.Objective, known: keras_tuner.HyperParameters
) -> Trial:
    """Makes a trial from its record.

    Args:
        frozen: The trial in the study.
        objective: The objective of the search.
        known: The search space.

    Returns:
        The trial, not scored yet.
    """
    attributes = frozen.user_attrs
    went_well = frozen.state in (TrialState.COMPLETE, TrialState.PRUNED)
    trial = Trial(
        domain.from_params(known, frozen.params, attributes.get("values")),
        trial_id=trial_id_of(frozen.number),
        status=_STATUS[frozen.state],
        # That of a trial that went well is of an attempt before.
        message=None if went_well else attributes.get("traceback"),
    )
    if went_well:
        missing = [name for name in ("metrics", "best_epoch") if name not in attributes]
        if missing or objective.name not in attributes["metrics"]:
            raise RecordError(
                f"The record of trial {trial.trial_id} lacks {missing or objective.name!r}: it was "
                "not written by a search, or was changed by something else. Pass overwrite=True "
                "or give the search another project_name to begin anew."
            )
    if "observations" in attributes:
        trial.metrics = trial.metrics.from_config(attributes["observations"])
    elif frozen.state.is_finished() and "metrics" in attributes:
        add_metrics(trial, objective, attributes["metrics"], attributes.get("best_epoch", 0))
    return trial
