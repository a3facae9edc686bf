"""Hyperopt's algorithms."""

from __future__ import annotations

from typing import Any

import keras_tuner

from kt_hpo.objectives import ObjectiveLike
from kt_hpo.oracles import HyperoptSearchOracle
from kt_hpo.oracles.hyperopt_search import Suggest
from kt_hpo.tuner import Tuner


class HyperoptSearch(Tuner):
    """Search with one of Hyperopt's algorithms; needs `pip install "kt-hpo[hyperopt]"`.

    Its TPE looks at each hyperparameter by itself and begins with 20 random trials; its annealing
    draws ever closer to the best trials. Both answer in hundredths of a second.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)`.
        objective: Name of a metric, a `keras_tuner.Objective`, or a list of them.
        max_trials: How many trials to run at most.
        algorithm: "tpe", "anneal", "random", or a function that `hyperopt.fmin` takes as `algo`,
            such as `functools.partial(hyperopt.tpe.suggest, n_startup_jobs=10)`.
        seed: Seed of values, weights and shuffling. The same seed gives the same trials.
        hyperparameters: Space to override or to prescribe.
        tune_new_entries: Whether hyperparameters that are not in `hyperparameters` are searched.
        allow_new_entries: Whether the hypermodel may ask for such.
        max_retries_per_trial: How often a trial that failed is tried again.
        max_consecutive_failed_trials: After how many failed trials in a row the search stops.
        **kwargs: The arguments of `kt_hpo.Tuner`.

    Example:
        >>> class Parabola(HyperoptSearch):
        ...     def run_trial(self, trial):
        ...         return trial.hyperparameters.Float("x", -1, 1) ** 2
        >>> tuner = Parabola(max_trials=25, seed=0, directory="runs", overwrite=True)
        >>> tuner.search(verbose=0)
        >>> tuner.study.best_value < 0.1
        True
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: ObjectiveLike = None,
        max_trials: int = 10,
        algorithm: str | Suggest = "tpe",
        seed: int | None = None,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        oracle = HyperoptSearchOracle(
            objective=objective,
            max_trials=max_trials,
            algorithm=algorithm,
            seed=seed,
            hyperparameters=hyperparameters,
            tune_new_entries=tune_new_entries,
            allow_new_entries=allow_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        super().__init__(oracle, hypermodel, **kwargs)
