"""Any of Optuna's samplers."""

from __future__ import annotations

from typing import Any

import keras_tuner
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler

from kt_hpo.arguments import is_one_of
from kt_hpo.objectives import ObjectiveLike
from kt_hpo.oracles import OptunaSearchOracle
from kt_hpo.tuner import Tuner


class OptunaSearch(Tuner):
    """Search with any of Optuna's samplers, by default TPE, which answers in milliseconds.

    `tuner.study` is the sampler's own study. With several objectives the search is for the Pareto
    front: `tuner.pareto_front()`. `sampler="bohb"` is TPE with Optuna's `HyperbandPruner`, which
    is what Optuna has in the place of BOHB (Falkner et al. 2018): brackets prune asynchronously, a
    trial is never resumed, and TPE learns from the trials of its own bracket.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)`.
        objective: Name of a metric, a `keras_tuner.Objective`, or a list of them.
        max_trials: How many trials to run at most.
        sampler: An `optuna.samplers` object, or a name: tpe (the default: multivariate, over groups
            of conditional hyperparameters, fit for parallel trials), bohb, cmaes, nsga2, nsga3,
            qmc, gp, random, brute_force.
        pruner: Which trials stop early: an `optuna.pruners` object or a name; see `kt_hpo.Tuner`.
        storage: Where the record is kept; see `kt_hpo.Tuner`.
        seed: Seed of values, weights and shuffling. The same seed gives the same trials.
        hyperparameters: Space to override or to prescribe.
        tune_new_entries: Whether hyperparameters that are not in `hyperparameters` are searched.
        allow_new_entries: Whether the hypermodel may ask for such.
        max_retries_per_trial: How often a trial that failed is tried again.
        max_consecutive_failed_trials: After how many failed trials in a row the search stops.
        **kwargs: The arguments of `kt_hpo.Tuner`.

    Example:
        >>> class Parabola(OptunaSearch):
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
        sampler: str | BaseSampler | None = None,
        pruner: str | BasePruner | None = None,
        storage: Any = None,
        seed: int | None = None,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        if is_one_of(sampler, ["bohb"]):
            sampler, pruner = "tpe", pruner or "hyperband"
        oracle = OptunaSearchOracle(
            objective=objective,
            max_trials=max_trials,
            sampler=sampler,
            seed=seed,
            hyperparameters=hyperparameters,
            tune_new_entries=tune_new_entries,
            allow_new_entries=allow_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        super().__init__(oracle, hypermodel, pruner=pruner, storage=storage, **kwargs)
