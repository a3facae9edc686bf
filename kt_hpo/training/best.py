"""Trials that are trained anew when the search is over."""

from __future__ import annotations

import math
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
from keras_tuner.engine.trial import Trial

from kt_hpo.arguments import check_whole
from kt_hpo.oracle.trials import lineage
from kt_hpo.space.continuation import Continuation
from kt_hpo.startup import quiet_retracing
from kt_hpo.training import checkpoints, distribution, fit
from kt_hpo.training.compiled import kept_programs
from kt_hpo.training.context import SearchContext, TrainingContext
from kt_hpo.training.cross_validation import Data
from kt_hpo.training.ensemble import average, can_be_averaged
from kt_hpo.training.interruption import TimeIsUpError
from kt_hpo.training.reproducibility import seed_of


def fit_best(
    search: SearchContext,
    fit_args: tuple[Any, ...],
    fit_kwargs: dict[str, Any],
    ensemble: int = 1,
    until: float = math.inf,
) -> keras.Model:
    """Trains the model of the best trial from its beginning.

    Args:
        search: The search.
        fit_args: Positional arguments of `HyperModel.fit`.
        fit_kwargs: Its keyword arguments; without `epochs`, as many as the trial needed to reach
            its best epoch.
        ensemble: How often, each time with other initial weights.
        until: The `time.monotonic()` at which no further training is to go on; the first does.

    Returns:
        The trained model, or the mean of several (see `kt_hpo.training.ensemble.average`).

    Raises:
        ValueError: If no trial has been completed, or none that keeps the constraints.
    """
    check_whole(ensemble=ensemble)
    reason = search.oracle.why_none_is_best()
    if reason:
        raise ValueError(reason)
    [best] = search.oracle.get_best_trials(1)
    epochs = fit_kwargs.get("epochs", best.best_step + 1)
    models: list[keras.Model] = []
    with kept_programs():
        for number in range(ensemble):
            begun = time.monotonic()
            seed = partial(seed_of, search.oracle.seed, execution=number)
            try:
                models.append(retrain(search, best, (fit_args, fit_kwargs), epochs, seed)[0])
            except TimeIsUpError:
                if not models:
                    raise
                break
            ended = time.monotonic()
            if number + 1 < ensemble and not can_be_averaged(models[0]):
                warnings.warn(
                    f"ensemble={ensemble} takes Sequential and functional models, and the best, "
                    f"{type(models[0]).__name__}, has a call() of its own: it was trained once.",
                    stacklevel=3,
                )
                break
            if ended + (ended - begun) > until:
                break
    return average(models) if len(models) > 1 else models[0]


def retrain(
    search: SearchContext,
    trial: Trial,
    data: Data,
    epochs: int | None,
    seed: Callable[[Trial], int],
) -> tuple[keras.Model, Any]:
    """Trains the model of a trial from its beginning.

    A trial that went on from another is trained through all that it went through, each part with
    its own hyperparameters, weights and optimizer state carried on.

    Args:
        search: The search.
        trial: The trial.
        data: Positional and keyword arguments of `HyperModel.fit`.
        epochs: How long; None for as long as the trial, or `data`, say.
        seed: Gives the seed of each part.

    Returns:
        The trained model, and what `HyperModel.fit` returned of the last part.
    """
    fit_args, fit_kwargs = data
    with tempfile.TemporaryDirectory() as folder, kept_programs():
        path = Path(folder) / checkpoints.LAST
        lived = lineage(search.oracle.trials, trial)
        for part, begin, end in _parts(lived, epochs):
            keras.utils.clear_session()
            keras.utils.set_random_seed(seed(part))
            hp = part.hyperparameters.copy()
            seen = keras.callbacks.Callback()
            kwargs = {"verbose": 0, **fit_kwargs}
            kwargs["callbacks"] = [*(kwargs.get("callbacks") or []), seen]
            if end is not None and search.fits_its_own_way and "epochs" in hp.values:
                hp.values["epochs"] = end
            elif end is not None:
                kwargs["epochs"] = end
            if begin:
                kwargs["initial_epoch"] = begin
            prepare = partial(_prepare, search, part, data, path if begin else None)
            with quiet_retracing(), fit.preparing(search, prepare) as preparation:
                again = Trial(hp, part.trial_id)
                returned = search._build_and_fit_model(again, *fit_args, **kwargs)
            model = preparation.model or seen.model
            if part is not trial:
                checkpoints.save(model, path)
    return model, returned


def _prepare(
    context: TrainingContext, part: Trial, data: Data, past: Path | None, model: keras.Model
) -> None:
    if past is not None:
        with distribution.scope(context.distribution_strategy):
            checkpoints.go_on_from(model, past)
    fit.scale_learning_rate(context, part, model, data)


def _parts(lived: Sequence[Trial], epochs: int | None) -> Iterator[tuple[Trial, int, int | None]]:
    """Pairs the trials that a model went through with their first epoch and the one after the last.

    The last of them goes on for as many epochs as are wanted.
    """
    parts = [Continuation.of(trial.hyperparameters.values) for trial in lived]
    if epochs is None:
        epochs = parts[-1].epochs
    begins = [part.initial_epoch for part in parts]
    for trial, begin, end in zip(lived, begins, [*begins[1:], epochs], strict=True):
        if epochs is None or begin == 0 or begin < epochs:
            yield trial, begin, end if epochs is None or end is None else min(end, epochs)
