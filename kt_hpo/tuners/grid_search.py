"""Grid search."""

from __future__ import annotations

from typing import Any

import keras_tuner

from kt_hpo.objectives import ObjectiveLike
from kt_hpo.oracles import GridSearchOracle
from kt_hpo.tuner import Tuner


class GridSearch(Tuner):
    """Grid search: every combination, in order; ten values of a range without a step.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)`.
        objective: Name of a metric, a `keras_tuner.Objective`, or a list of them.
        max_trials: How many trials to run at most; None for all combinations.
        seed: Seed of values, weights and shuffling. The same seed gives the same trials.
        hyperparameters: Space to override or to prescribe.
        tune_new_entries: Whether hyperparameters that are not in `hyperparameters` are searched.
        allow_new_entries: Whether the hypermodel may ask for such.
        max_retries_per_trial: How often a trial that failed is tried again.
        max_consecutive_failed_trials: After how many failed trials in a row the search stops.
        **kwargs: The arguments of `kt_hpo.Tuner`.

    Example:
        >>> class Table(GridSearch):
        ...     def run_trial(self, trial):
        ...         hp = trial.hyperparameters
        ...         return hp.Choice("a", [1, 2, 3]) * hp.Choice("b", [10, 20])
        >>> tuner = Table(directory="runs", project_name="grid", overwrite=True)
        >>> tuner.search(verbose=0)
        >>> len(tuner.study.trials)
        6
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: ObjectiveLike = None,
        max_trials: int | None = None,
        seed: int | None = None,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        oracle = GridSearchOracle(
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
