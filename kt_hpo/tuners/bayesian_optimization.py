"""Bayesian optimization."""

from __future__ import annotations

from typing import Any, Literal

import keras_tuner

from kt_hpo.objectives import ObjectiveLike
from kt_hpo.oracles import BayesianOptimizationOracle, OptunaSearchOracle, RecordedOracle
from kt_hpo.oracles.samplers import tpe
from kt_hpo.tuner import Tuner


class BayesianOptimization(Tuner):
    """Bayesian optimization, with Keras Tuner's Gaussian process or Optuna's TPE.

    In Keras Tuner the Gaussian process thinks about 2 seconds a trial, 12 on a busy machine. Here
    its proposals are the same, in some tenths of a second. TPE answers in milliseconds, and
    `OptunaSearch` has it by default.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)`.
        objective: Name of a metric, a `keras_tuner.Objective`, or a list of them.
        max_trials: How many trials to run at most.
        num_initial_points: How many random trials come first; 3 times the number of
            hyperparameters if not given.
        engine: `"keras_tuner"` for its Gaussian process, `"optuna"` for TPE, after as many random
            trials.
        alpha: Noise expected in the objective, added to the kernel's diagonal.
        beta: Weight of the uncertainty in the upper confidence bound; more explores more.
        seed: Seed of values, weights and shuffling. The same seed gives the same trials.
        hyperparameters: Space to override or to prescribe.
        tune_new_entries: Whether hyperparameters that are not in `hyperparameters` are searched.
        allow_new_entries: Whether the hypermodel may ask for such.
        max_retries_per_trial: How often a trial that failed is tried again.
        max_consecutive_failed_trials: After how many failed trials in a row the search stops.
        **kwargs: The arguments of `kt_hpo.Tuner`.

    Raises:
        ValueError: If the engine is unknown, or is told an argument of the other.

    Example:
        >>> class Parabola(BayesianOptimization):
        ...     def run_trial(self, trial):
        ...         return trial.hyperparameters.Float("x", -1, 1) ** 2
        >>> tuner = Parabola(max_trials=5, seed=0, directory="runs", overwrite=True)
        >>> tuner.search(verbose=0)
        >>> tuner.study.best_value < 0.5
        True
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: ObjectiveLike = None,
        max_trials: int = 10,
        num_initial_points: int | None = None,
        alpha: float = 1e-4,
        beta: float = 2.6,
        seed: int | None = None,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        engine: Literal["keras_tuner", "optuna"] = "keras_tuner",
        **kwargs: Any,
    ) -> None:
        common: dict[str, Any] = {
            "objective": objective,
            "max_trials": max_trials,
            "seed": seed,
            "hyperparameters": hyperparameters,
            "tune_new_entries": tune_new_entries,
            "allow_new_entries": allow_new_entries,
            "max_retries_per_trial": max_retries_per_trial,
            "max_consecutive_failed_trials": max_consecutive_failed_trials,
        }
        oracle: RecordedOracle
        name = engine if isinstance(engine, str) else ""
        if name == "keras_tuner":
            oracle = BayesianOptimizationOracle(
                num_initial_points=num_initial_points, alpha=alpha, beta=beta, **common
            )
        elif name == "optuna":
            if (alpha, beta) != (1e-4, 2.6):
                raise ValueError(
                    f"alpha={alpha} and beta={beta} are of the Gaussian process; TPE has neither. "
                    'Leave them out, or choose engine="keras_tuner".'
                )
            oracle = OptunaSearchOracle(sampler=tpe(num_initial_points or 10), **common)
        else:
            raise ValueError(f"engine={engine!r} is unknown; give 'keras_tuner' or 'optuna'.")
        super().__init__(oracle, hypermodel, **kwargs)
