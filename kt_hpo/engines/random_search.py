"""Random search (Bergstra & Bengio 2012, "Random Search for Hyper-Parameter Optimization")."""

from __future__ import annotations

from typing import Any

import keras_tuner

from kt_hpo.objectives import ObjectiveLike
from kt_hpo.oracle.recorded import RecordedOracle
from kt_hpo.tuner import Tuner


class RandomSearchOracle(RecordedOracle, keras_tuner.oracles.RandomSearchOracle):
    """Draws every trial at random, none twice.

    Keras Tuner draws all values of all trials from one counter, so that searches with near seeds
    share most of their trials; here every trial of every seed has a random stream of its own.

    Args: as in `keras_tuner.oracles.RandomSearchOracle`.

    Example:
        >>> RandomSearchOracle(objective="val_loss", max_trials=5, seed=0).seed
        0
    """


class RandomSearch(Tuner):
    """Random search: every trial drawn at random, none twice.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)`.
        objective: Name of a metric, a `keras_tuner.Objective`, or a list of them.
        max_trials: How many trials to run at most.
        seed: Seed of values, weights and shuffling. The same seed gives the same trials.
        hyperparameters: Space to override or to prescribe.
        tune_new_entries: Whether hyperparameters that are not in `hyperparameters` are searched.
        allow_new_entries: Whether the hypermodel may ask for such.
        max_retries_per_trial: How often a trial that failed is tried again.
        max_consecutive_failed_trials: After how many failed trials in a row the search stops.
        **kwargs: The arguments of `kt_hpo.Tuner`.

    Example:
        >>> class Parabola(RandomSearch):
        ...     def run_trial(self, trial):
        ...         return trial.hyperparameters.Float("x", -1, 1) ** 2
        >>> tuner = Parabola(max_trials=20, directory="runs", overwrite=True)
        >>> tuner.search(verbose=0)
        >>> len(tuner.study.trials)
        20
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: ObjectiveLike = None,
        max_trials: int = 10,
        seed: int | None = None,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        oracle = RandomSearchOracle(
            objective=objective,
            max_trials=max_trials,
            seed=seed,
            hyperparameters=hyperparameters,
            tune_new_entries=tune_new_entries,
            allow_new_entries=allow_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        super().__init__(oracle, hypermodel, **kwargs)
