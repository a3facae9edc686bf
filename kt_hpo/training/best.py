"""The best trial's model, trained anew."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
from keras_tuner.engine.trial import Trial

from kt_hpo.oracles.trials import lineage
from kt_hpo.training import checkpoints, fit

if TYPE_CHECKING:
    from kt_hpo.tuner import Tuner


def fit_best(tuner: Tuner, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]) -> keras.Model:
    """Trains the model of the best trial from its beginning.

    A trial that went on from another is trained through all that it went through, each part with
    its own hyperparameters, weights and optimizer state carried on.

    Args:
        tuner: The tuner.
        fit_args: Positional arguments of `HyperModel.fit`.
        fit_kwargs: Its keyword arguments; without `epochs`, as many as the trial needed to reach
            its best epoch.

    Returns:
        The trained model.

    Raises:
        ValueError: If no trial has been completed, or none that keeps the constraints.
    """
    reason = tuner.oracle.why_none_is_best()
    if reason:
        raise ValueError(reason)
    [best] = tuner.oracle.get_best_trials(1)
    epochs = fit_kwargs.get("epochs", best.best_step + 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / checkpoints.LAST
        for part, begin, end in _parts(lineage(tuner.oracle.trials, best), epochs):
            keras.utils.clear_session()
            keras.utils.set_random_seed(fit.seed_of(tuner.oracle.seed, part))
            hp = part.hyperparameters.copy()
            model = tuner._build_hypermodel(hp)
            if begin:
                checkpoints.go_on_from(model, path)
            if tuner.fits_its_own_way and "epochs" in hp.values:
                hp.values["epochs"] = end
            else:
                fit_kwargs = {**fit_kwargs, "epochs": end}
            resumed = {"initial_epoch": begin} if begin else {}
            tuner.hypermodel.fit(hp, model, *fit_args, **{"verbose": 0, **fit_kwargs, **resumed})
            if end < epochs:
                checkpoints.save(model, path)
    return model


def _parts(lived: list[Trial], epochs: int) -> Iterator[tuple[Trial, int, int]]:
    """Pairs the trials that a model went through with their first epoch and the one after the last.

    The last of them goes on for as many epochs as are wanted.
    """
    begins = [trial.hyperparameters.values.get("tuner/initial_epoch", 0) for trial in lived]
    for trial, begin, end in zip(lived, begins, [*begins[1:], epochs], strict=True):
        if begin == 0 or begin < epochs:
            yield trial, begin, min(end, epochs)
