"""Hyperband."""

from __future__ import annotations

from typing import Any

import keras_tuner

from kt_hpo.objectives import ObjectiveLike
from kt_hpo.oracles import HyperbandOracle
from kt_hpo.tuner import Tuner


class Hyperband(Tuner):
    """Hyperband: many trials get a few epochs, the best of them ever more.

    A promoted trial goes on from where it ended, its optimizer's state included.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)`.
        objective: Name of a metric, a `keras_tuner.Objective`, or a list of them.
        max_epochs: Epochs of a trial that is promoted to the end.
        factor: How many times fewer trials, and more epochs, each rung has than the one below.
        hyperband_iterations: How often all brackets are run; may be `float("inf")`.
        seed: Seed of values, weights and shuffling. The same seed gives the same trials.
        hyperparameters: Space to override or to prescribe.
        tune_new_entries: Whether hyperparameters that are not in `hyperparameters` are searched.
        allow_new_entries: Whether the hypermodel may ask for such.
        max_retries_per_trial: How often a trial that failed is tried again.
        max_consecutive_failed_trials: After how many failed trials in a row the search stops.
        **kwargs: The arguments of `kt_hpo.Tuner`.

    Example:
        >>> def build(hp):
        ...     import keras
        ...     layers = [keras.Input((2,)), keras.layers.Dense(hp.Int("units", 1, 64))]
        ...     model = keras.Sequential(layers)
        ...     model.compile(loss="mse")
        ...     return model
        >>> tuner = Hyperband(build, "val_loss", max_epochs=9, directory="runs", overwrite=True)
        >>> tuner.oracle.planned_trials
        23
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: ObjectiveLike = None,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: int | float = 1,
        seed: int | None = None,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        oracle = HyperbandOracle(
            objective=objective,
            max_epochs=max_epochs,
            factor=factor,
            hyperband_iterations=hyperband_iterations,
            seed=seed,
            hyperparameters=hyperparameters,
            tune_new_entries=tune_new_entries,
            allow_new_entries=allow_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        super().__init__(oracle, hypermodel, **kwargs)
