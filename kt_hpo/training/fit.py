"""One trial, from its values to its results."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import keras
from keras_tuner.engine.trial import Trial

from kt_hpo import objectives
from kt_hpo.space.continuation import Continuation
from kt_hpo.training import callbacks as cb
from kt_hpo.training import checkpoints, cross_validation, executions, learning_rate, measures
from kt_hpo.training.build import Preparation, continue_past
from kt_hpo.training.callback_list import callbacks_of, copied, measuring, progress_bars
from kt_hpo.training.compiled import trained_by_programs
from kt_hpo.training.context import TrainingContext
from kt_hpo.training.cross_validation import Data
from kt_hpo.training.data import make_data, validates
from kt_hpo.training.executions import Execution
from kt_hpo.training.measures import count_parameters
from kt_hpo.training.results import Result, mean_metrics, read_results


def run_trial(
    context: TrainingContext, trial: Trial, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]
) -> list[Result]:
    """Trains and measures the model of a trial: each execution, on each fold.

    Weights and shuffling are seeded with the search's seed, the trial's number and the execution's,
    so that a trial that is run again gives the same. One that was interrupted goes on with the
    training it was in.

    Args:
        context: The training's context.
        trial: The trial.
        fit_args: Positional arguments of `search`.
        fit_kwargs: Keyword arguments of `search`.

    Returns:
        A result a training.
    """
    data = make_data(fit_args, fit_kwargs)
    folder = Path(context.get_trial_dir(trial.trial_id))
    plan = executions.planned(context, data)
    results = executions.finished(context.annotations(trial)) if len(plan) > 1 else []
    best_epoch = cb.BestEpoch(
        objectives.while_training(context.oracle.objective), folder / checkpoints.BEST
    )
    for result in results:
        best_epoch.improves(result.metrics)
    time_limit = cb.TimeLimit(context.training.trial_timeout)
    for execution in plan[len(results) :]:
        if results:
            context.interruption.check()
        results += execute(context, trial, execution, data, [best_epoch, time_limit])
        if len(plan) > 1 and not _goes_on(context, trial, execution, results):
            break
    return results


def execute(
    context: TrainingContext,
    trial: Trial,
    execution: Execution,
    data: Data,
    watching: list[keras.callbacks.Callback],
) -> list[Result]:
    """Does one training of a trial, and leaves what the record and other trials need of it.

    Args:
        context: The training's context.
        trial: The trial.
        execution: Which of its trainings.
        data: Positional and keyword arguments of `search`.
        watching: Callbacks besides those that every training has.

    Returns:
        What the training gave: one result, unless the hypermodel's `fit` returns a list.
    """
    folder = Path(context.get_trial_dir(trial.trial_id))
    model, results = train(context, trial, execution, data, watching)
    if model is None:  # The tuner trains something else in a `_build_and_fit_model` of its own.
        return results
    if context.oracle.may_be_continued(trial):
        checkpoints.save(model, folder / checkpoints.last(execution.number))
    context.annotate(trial, parameters=count_parameters(model), checkpoint=checkpoint_of(folder))
    return results


def train(
    context: TrainingContext,
    trial: Trial,
    execution: Execution,
    data: Data,
    watching: list[keras.callbacks.Callback],
) -> tuple[keras.Model | None, list[Result]]:
    """Trains and measures the model of a trial once.

    Args:
        context: The training's context.
        trial: The trial.
        execution: Which of its trainings.
        data: Positional and keyword arguments of `search`.
        watching: Callbacks besides those that every training has.

    Returns:
        The model, None where a tuner trains something else, and what the training gave: one result,
        unless the hypermodel's `fit` returns a list.
    """
    hp, objective = trial.hyperparameters, context.oracle.objective
    keras.utils.clear_session()
    keras.utils.set_random_seed(execution.seed(context.oracle.seed, trial))
    args, kwargs = cross_validation.select(data, execution.fold)
    best_weights = cb.BestWeights(objectives.while_training(objective))
    epochs = cb.Epochs()
    kwargs |= epochs_of(hp.values)
    kwargs |= validated_once(kwargs, hp.values)
    kwargs["callbacks"] = [
        *measuring(objective, context.oracle.constraints, best_weights),
        *copied(kwargs.get("callbacks") or [], trial.trial_id, execution.number),
        *callbacks_of(context, trial, data[1], execution.number),
        *watching,
        epochs,
        cb.BuildOptimizer(),
        *progress_bars(kwargs.get("verbose", "auto")),
    ]

    def prepare(model: keras.Model) -> None:
        continue_past(context, trial, model, execution.number)
        factor = scale_learning_rate(context, trial, model, (args, kwargs))
        if factor is not None:
            context.annotate(trial, learning_rate_factor=factor)

    is_continued = context.oracle.may_be_continued(trial)
    with preparing(context, prepare, is_continued) as preparation:
        returned = context._build_and_fit_model(trial, *args, **kwargs)
    for callback in watching:
        if isinstance(callback, cb.BestEpoch):
            callback.write()
    seconds = time.perf_counter() - preparation.ready
    model = preparation.model or epochs.model
    x, _, _ = cross_validation.named_data(data)
    trained = measures.Trained(model, seconds, x, best_weights.weights)
    measured = measures.measure(trained, objective, context.oracle.constraints)
    source = "HyperModel.fit()"
    return model, read_results(returned, objective, source, measured, epochs.trainings)


@contextmanager
def preparing(
    context: TrainingContext, prepare: Callable[[keras.Model], None], is_continued: bool = False
) -> Iterator[Preparation]:
    """Has a tuner make models ready for their training, by programs unless told otherwise.

    Args:
        context: The training's context.
        prepare: Called with a model that is built.
        is_continued: Whether another training may continue this one.

    Yields:
        What knows the model then.
    """
    with ExitStack() as programs:

        def ready(model: keras.Model) -> None:
            prepare(model)
            if context.training.compiled:
                programs.enter_context(
                    trained_by_programs(model, context.progress.note, is_continued)
                )

        context.preparation = preparation = Preparation(ready)
        try:
            yield preparation
        finally:
            context.preparation = None


def _goes_on(
    context: TrainingContext, trial: Trial, execution: Execution, results: list[Result]
) -> bool:
    """Records what has been trained of a trial, and asks whether to train it once more."""
    if len(results) == execution.number + 1:  # Otherwise the user's `fit` has its own executions.
        executions.keep(context, trial, results)
    if executions.compares_executions(context):
        latest = mean_metrics(results[execution.number :])
        context.oracle.report(trial.trial_id, execution.number, latest)
    return not context.oracle.is_stopped(trial.trial_id)


def scale_learning_rate(
    context: TrainingContext, trial: Trial, model: keras.Model, data: Data
) -> float | None:
    """Scales a model's learning rate to the batch size it is trained with, where that is wanted.

    Args:
        context: The training's context.
        trial: The trial.
        model: The compiled model.
        data: Positional and keyword arguments of `fit`.

    Returns:
        The factor; None where nothing is to be scaled.
    """
    meant_for = context.training.scale_learning_rate
    if meant_for is None:
        return None
    batches = getattr(context.hypermodel, "batches_pipelines", False)
    values = trial.hyperparameters.values
    factor = learning_rate.batch_size_of(data, values, batches) / meant_for
    learning_rate.scale(model, factor)
    return factor


def epochs_of(values: dict[str, Any]) -> dict[str, int]:
    """Reads the epochs a search algorithm gives to a trial, if it gives any.

    Args:
        values: The trial's values.

    Returns:
        Arguments of `model.fit`.
    """
    part = Continuation.of(values)
    if part.epochs is None:
        return {}
    return {"epochs": part.epochs, "initial_epoch": part.initial_epoch}


def validated_once(kwargs: dict[str, Any], values: dict[str, Any]) -> dict[str, list[int]]:
    """Has the last epoch validate where a search algorithm gives a trial epochs of which none does.

    Args:
        kwargs: Keyword arguments of `model.fit`, the epochs among them.
        values: The trial's values.

    Returns:
        Arguments of `model.fit`.

    Example:
        >>> kwargs = {"validation_freq": 10, "initial_epoch": 2, "epochs": 6}
        >>> validated_once(kwargs, {"tuner/epochs": 6})
        {'validation_freq': [6]}
    """
    if Continuation.of(values).epochs is None or "validation_freq" not in kwargs:
        return {}
    epochs = range(kwargs["initial_epoch"], kwargs["epochs"])
    if any(validates(epoch, kwargs["validation_freq"]) for epoch in epochs):
        return {}
    return {"validation_freq": [kwargs["epochs"]]}


def checkpoint_of(folder: Path) -> str:
    """Gives the path of a trial's checkpoint within the project's folder.

    Args:
        folder: Folder of the trial.

    Returns:
        The path.
    """
    return f"{folder.name}/{checkpoints.BEST}"
