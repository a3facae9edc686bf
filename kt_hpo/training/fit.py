"""One trial, from its values to its results."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras_tuner.engine.trial import Trial
from keras_tuner.errors import FailedTrialError, FatalTypeError

from kt_hpo import objectives
from kt_hpo.training import callbacks as cb
from kt_hpo.training import checkpoints, inheritance, measures
from kt_hpo.training.data import made
from kt_hpo.training.measures import count_parameters
from kt_hpo.training.results import Result, read_results

if TYPE_CHECKING:
    from kt_hpo.tuner import Tuner


def run_trial(
    tuner: Tuner, trial: Trial, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]
) -> list[Result]:
    """Trains and measures the model of a trial, `tuner.executions_per_trial` times.

    Weights and shuffling are seeded with the search's seed, the trial's number and the execution's,
    so that a trial that is run again gives the same.

    Args:
        tuner: The tuner.
        trial: The trial.
        fit_args: Positional arguments of `search`.
        fit_kwargs: Keyword arguments of `search`.

    Returns:
        A result an execution.
    """
    hp = trial.hyperparameters
    folder = Path(tuner.get_trial_dir(trial.trial_id))
    objective = tuner.oracle.objective
    by_epoch = objectives.while_training(objective)
    best_epoch = cb.BestEpoch(by_epoch, folder / checkpoints.BEST)
    fit_args, fit_kwargs = made(fit_args, fit_kwargs)
    kwargs = {**fit_kwargs, **epochs_of(hp.values)}
    kwargs["verbose"] = 2 if fit_kwargs.get("verbose") == 2 else 0
    results = []
    for execution in range(tuner.executions_per_trial):
        keras.utils.clear_session()
        keras.utils.set_random_seed(seed_of(tuner.oracle.seed, trial, execution))
        model = build(tuner, trial)
        best_weights = cb.BestWeights(by_epoch)
        kwargs["callbacks"] = [
            *_measuring(tuner, best_weights),
            *cb.copied(fit_kwargs.get("callbacks") or [], trial.trial_id, execution),
            *callbacks_of(tuner, trial, fit_kwargs),
            best_epoch,
        ]
        started = time.perf_counter()
        returned = tuner.hypermodel.fit(hp, model, *fit_args, **kwargs)
        trained = measures.Trained(
            model,
            time.perf_counter() - started,
            fit_kwargs.get("x", next(iter(fit_args), None)),
            best_weights.weights,
        )
        measured = measures.measure(trained, objective, tuner.oracle.constraints)
        results += read_results(returned, objective, "HyperModel.fit()", measured)
        if tuner.oracle.is_stopped(trial.trial_id):
            break
    if tuner.oracle.may_be_continued(trial):
        checkpoints.save(model, folder / checkpoints.LAST)
    tuner.annotate(trial, parameters=count_parameters(model), checkpoint=checkpoint_of(folder))
    return results


def build(tuner: Tuner, trial: Trial) -> keras.Model:
    """Builds the model of a trial, as far trained as the trial it continues or descends from.

    Args:
        tuner: The tuner.
        trial: The trial.

    Returns:
        The model.

    Raises:
        FatalTypeError: If the hypermodel does not return a model.
        FailedTrialError: If the model has more than `max_model_size` weights.
    """
    model = tuner._build_hypermodel(trial.hyperparameters)
    if not isinstance(model, keras.Model):
        raise FatalTypeError(
            f"HyperModel.build(hp) returned {model!r} of type {type(model).__name__}; it must "
            "return a keras.Model. Is its `return model` missing?"
        )
    size = count_parameters(model)
    if tuner.max_model_size and size > tuner.max_model_size:
        raise FailedTrialError(
            f"The model has {size:,} weights, more than max_model_size={tuner.max_model_size:,}."
        )
    past_id = trial.hyperparameters.values.get("tuner/trial_id")
    if past_id is not None:
        checkpoints.go_on_from(model, Path(tuner.get_trial_dir(past_id)) / checkpoints.LAST)
    if tuner.oracle.inherit_weights:
        inherited = inheritance.inherit_from_parent(tuner, trial, model)
        if inherited is not None:
            tuner.annotate(trial, inherited=inherited)
    return model


def seed_of(seed: int, trial: Trial, execution: int = 0) -> int:
    """Derives the seed of an execution of a trial, independent of all others.

    Args:
        seed: The seed of the search.
        trial: The trial.
        execution: The execution, counted from 0.

    Returns:
        A number below 2**32.
    """
    sequence = np.random.SeedSequence([seed, int(trial.trial_id), execution])
    return int(sequence.generate_state(1)[0])


def epochs_of(values: dict[str, Any]) -> dict[str, int]:
    """Reads the epochs a search algorithm gives to a trial, if it gives any.

    Args:
        values: The trial's values.

    Returns:
        Arguments of `model.fit`.
    """
    if "tuner/epochs" not in values:
        return {}
    return {"epochs": values["tuner/epochs"], "initial_epoch": values["tuner/initial_epoch"]}


def callbacks_of(
    tuner: Tuner, trial: Trial, fit_kwargs: dict[str, Any]
) -> list[keras.callbacks.Callback]:
    """Makes the callbacks of the search for a trial, the order as they are to act.

    Args:
        tuner: The tuner.
        trial: The trial.
        fit_kwargs: Keyword arguments of `search`.

    Returns:
        The callbacks.
    """
    objective = objectives.while_training(tuner.oracle.objective)
    theirs = fit_kwargs.get("callbacks") or []
    stops_early = any(isinstance(one, keras.callbacks.EarlyStopping) for one in theirs)
    callbacks: list[keras.callbacks.Callback] = [cb.StopOnNaN(objective)]
    if not tuner.fits_its_own_way:
        callbacks.append(cb.CheckObjective(objective))
    if tuner.early_stopping and not stops_early:
        callbacks.append(cb.EarlyStopping(objective, tuner.early_stopping))
    callbacks.append(cb.Report(lambda epoch, logs: tuner.report(trial, epoch, logs)))
    callbacks.append(cb.TunerHooks(tuner, trial))
    return callbacks


def _measuring(tuner: Tuner, best_weights: cb.BestWeights) -> list[keras.callbacks.Callback]:
    """The callbacks that objective and constraints ask for."""
    objective = tuner.oracle.objective
    asked = measures.names_asked_for(objective, tuner.oracle.constraints)
    callbacks: list[keras.callbacks.Callback] = []
    if objectives.GAP in asked:
        callbacks.append(cb.GeneralizationGap())
    if measures.functions_of(objective):
        callbacks.append(best_weights)
    return callbacks


def checkpoint_of(folder: Path) -> str:
    """Gives the path of a trial's checkpoint within the project's folder.

    Args:
        folder: Folder of the trial.

    Returns:
        The path.
    """
    return f"{folder.name}/{checkpoints.BEST}"
