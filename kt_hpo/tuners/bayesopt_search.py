"""Bayesian optimization with the package `bayesian-optimization`."""

from __future__ import annotations

from typing import Any

import keras_tuner
from scipy.optimize import NonlinearConstraint

from kt_hpo.objectives import ObjectiveLike
from kt_hpo.oracles import BayesOptSearchOracle
from kt_hpo.tuner import Tuner


class BayesOptSearch(Tuner):
    """Search with a Gaussian process; needs `pip install "kt-hpo[bayesopt]"`.

    Good where a trial is long and hyperparameters are few and mostly numbers: it thinks for some
    tenths of a second a trial. A constraint keeps trials to values that are allowed, and its
    boundary is learned.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)`.
        objective: Name of a metric, a `keras_tuner.Objective`, or a list of them.
        max_trials: How many trials to run at most.
        acquisition: "ei" (expected improvement), "ucb" (upper confidence bound), "poi" (probability
            of improvement), or a `bayes_opt.acquisition` object.
        num_initial_points: How many trials are drawn at random first; 5, as in bayes_opt.
        constraint: A `scipy.optimize.NonlinearConstraint` whose function takes hyperparameters by
            name and gives a number; it is called for values, before any training.
        seed: Seed of values, weights and shuffling. The same seed gives the same trials.
        hyperparameters: Space to override or to prescribe.
        tune_new_entries: Whether hyperparameters that are not in `hyperparameters` are searched.
        allow_new_entries: Whether the hypermodel may ask for such.
        max_retries_per_trial: How often a trial that failed is tried again.
        max_consecutive_failed_trials: After how many failed trials in a row the search stops.
        **kwargs: The arguments of `kt_hpo.Tuner`.

    Example:
        >>> class Parabola(BayesOptSearch):
        ...     def run_trial(self, trial):
        ...         return trial.hyperparameters.Float("x", -1, 1) ** 2
        >>> tuner = Parabola(max_trials=8, seed=1, directory="runs", overwrite=True)
        >>> tuner.search(verbose=0)
        >>> tuner.study.best_value < 0.1
        True
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: ObjectiveLike = None,
        max_trials: int = 10,
        acquisition: Any = "ei",
        num_initial_points: int = 5,
        constraint: NonlinearConstraint | None = None,
        seed: int | None = None,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        oracle = BayesOptSearchOracle(
            objective=objective,
            max_trials=max_trials,
            acquisition=acquisition,
            num_initial_points=num_initial_points,
            constraint=constraint,
            seed=seed,
            hyperparameters=hyperparameters,
            tune_new_entries=tune_new_entries,
            allow_new_entries=allow_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        super().__init__(oracle, hypermodel, **kwargs)
