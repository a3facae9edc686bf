"""The callbacks of a trial, in the order they act: what measures, the user's own, the search's."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import keras_tuner
from keras_tuner.engine.trial import Trial
from keras_tuner.errors import FatalValueError

from kt_hpo import objectives
from kt_hpo.constraints import Constraint
from kt_hpo.training import callbacks as cb
from kt_hpo.training import executions, measures
from kt_hpo.training.context import TrainingContext
from kt_hpo.training.interruption import StopWhenAsked


def measuring(
    objective: keras_tuner.Objective,
    constraints: Sequence[Constraint],
    best_weights: cb.BestWeights,
) -> list[keras.callbacks.Callback]:
    """Makes the callbacks that objective and constraints ask for.

    Args:
        objective: The objective of the search.
        constraints: Its constraints.
        best_weights: Keeps the best epoch, where functions of the model are measured.

    Returns:
        The callbacks.
    """
    asked = measures.names_asked_for(objective, constraints)
    callbacks: list[keras.callbacks.Callback] = []
    if objectives.GAP in asked:
        callbacks.append(cb.GeneralizationGap())
    if measures.functions_of(objective):
        callbacks.append(best_weights)
    return callbacks


def callbacks_of(
    context: TrainingContext, trial: Trial, fit_kwargs: dict[str, Any], execution: int = 0
) -> list[keras.callbacks.Callback]:
    """Makes the callbacks of the search for a training.

    Args:
        context: The training's context.
        trial: The trial.
        fit_kwargs: Keyword arguments of `search`.
        execution: The number of the training within its trial.

    Returns:
        The callbacks.
    """
    return [
        # The user's own, as they are: they may add to the logs what the search asks for.
        cb.TunerHooks(context, trial),
        *guiding(context, fit_kwargs),
        *_logging(context, trial, execution),
        cb.Report(partial(_reporter(context), trial)),
        StopWhenAsked(context.interruption),
    ]


def guiding(context: TrainingContext, fit_kwargs: dict[str, Any]) -> list[keras.callbacks.Callback]:
    """Makes the callbacks that a training goes by, whether it is reported or not.

    Args:
        context: The training's context.
        fit_kwargs: Keyword arguments of `search`; an `EarlyStopping` of the user's is the only one.

    Returns:
        The callbacks.
    """
    objective = objectives.while_training(context.oracle.objective)
    theirs = fit_kwargs.get("callbacks") or []
    stops_early = any(isinstance(one, keras.callbacks.EarlyStopping) for one in theirs)
    callbacks: list[keras.callbacks.Callback] = [cb.StopOnNaN(objective)]
    if not context.fits_its_own_way:
        validation_freq = fit_kwargs.get("validation_freq", 1)
        callbacks.append(cb.CheckObjective(objective, validation_freq))
    if context.early_stopping and not stops_early:
        callbacks.append(cb.EarlyStopping(objective, context.early_stopping))
    if context.training.reduce_lr_on_plateau:
        callbacks.append(cb.ReduceLROnPlateau(objective, context.training.reduce_lr_on_plateau))
    return callbacks


def may_add_metrics(context: TrainingContext, fit_kwargs: dict[str, Any]) -> bool:
    """Tells whether code of the user's may add metrics to the logs of an epoch.

    Args:
        context: The training's context.
        fit_kwargs: Keyword arguments of `search`.

    Returns:
        True if there is a callback that is not Keras' own, or the tuner overrides a hook.
    """
    if context.overridden_hooks:
        return True
    for callback in fit_kwargs.get("callbacks") or []:
        kind = callback if isinstance(callback, type) else type(callback)
        if kind is keras.callbacks.LambdaCallback or not kind.__module__.startswith("keras."):
            return True
    return False


def progress_bars(verbose: int | str) -> list[keras.callbacks.Callback]:
    """Makes what keeps `model.fit` from showing each epoch of each trial.

    Args:
        verbose: As in `Tuner.search`.

    Returns:
        A callback; none where `fit` shows nothing or the user wants to see all epochs.
    """
    return [] if verbose in (0, 2) else [cb.QuietProgressBar(verbose)]


def copied(callbacks: Sequence[Any], trial_id: str, execution: int) -> list[Any]:
    """Makes callbacks of a trial's own from those the user gave to `search`.

    Args:
        callbacks: Callbacks, each to be copied; or functions that make one, for those that
            cannot be.
        trial_id: The trial, in which TensorBoard's folder is named after it.
        execution: The number of the training, likewise.

    Returns:
        Callbacks that no other trial has.

    Raises:
        FatalValueError: If one can neither be copied nor called.
    """
    made = [_copy(callback) for callback in callbacks]
    for callback in made:
        if isinstance(callback, keras.callbacks.TensorBoard):
            callback.log_dir = str(Path(callback.log_dir) / trial_id / f"execution{execution}")
    return made


def _copy(callback: Any) -> Any:
    if not isinstance(callback, keras.callbacks.Callback) and callable(callback):
        return callback()
    try:
        return copy.deepcopy(callback)
    except Exception as error:
        raise FatalValueError(
            f"The callback {callback!r} cannot be copied, and every trial needs one of its own. "
            "Give a function that makes it instead: "
            f"callbacks=[lambda: {type(callback).__name__}(...)]."
        ) from error


def _logging(
    context: TrainingContext, trial: Trial, execution: int
) -> list[keras.callbacks.Callback]:
    """The CSV log, if it is wanted."""
    if not context.training.csv_log:
        return []
    name = f"log_{execution}.csv" if execution else "log.csv"
    return [keras.callbacks.CSVLogger(str(Path(context.get_trial_dir(trial.trial_id)) / name))]


def _reporter(context: TrainingContext) -> Callable[[Trial, int, dict[str, float]], bool]:
    """What is told of each epoch; where the pruner compares trainings, the user alone is."""
    if not executions.compares_executions(context):
        return context.report

    def show(trial: Trial, epoch: int, metrics: dict[str, float]) -> bool:
        context.progress.epoch(int(trial.trial_id), epoch, None, metrics)
        return True

    return show
