"""Bayesian optimization with a Gaussian process and expected improvement (Jones et al. 1998).

It is freeze-thaw search whose trainings never pause: the same process, of points at one epoch.
"""

from __future__ import annotations

import math
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import TrialStatus

from kt_hpo.engines.freeze_thaw_search import FreezeThawSearchOracle
from kt_hpo.objectives import ObjectiveLike
from kt_hpo.space.kinds import Value
from kt_hpo.tuner import Tuner


class GaussianProcessSearchOracle(FreezeThawSearchOracle):
    """Proposes the configuration with the largest expected improvement.

    The process has a length for each hyperparameter, and sees losses on a logarithmic scale of
    their distance to the best. A number is one dimension, in its order and on its scale; a choice
    without an order is one dimension for each of its values. The first trials are random: ten, or
    a fifth of `max_trials` if that is less. Trials that run count as if they had ended as expected.

    Args:
        objective: As in `keras_tuner.Oracle`.
        max_trials: How many trials to run at most; None for no end.
        seed: Seed of all random choices.
        **kwargs: As in `keras_tuner.Oracle`.

    Raises:
        ValueError: If an argument is not allowed.

    Example:
        >>> GaussianProcessSearchOracle("val_loss", max_trials=20).initial
        4
    """

    pauses_trials = False

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = 10,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(objective, max_trials, max_epochs=1, seed=seed, **kwargs)
        self.max_trials = max_trials

    @property
    def epoch_budget(self) -> None:
        """None: trials are counted, not epochs."""
        return

    def _left(self) -> float:
        return math.inf

    def _running(self, values: dict[str, Value], left: float) -> dict[str, Any]:
        return {"status": TrialStatus.RUNNING, "values": values}


class GaussianProcessSearch(Tuner):
    """Bayesian optimization: a Gaussian process of all trials says where the next may be better.

    It is the engine for trials that are whole, where epochs say nothing of the objective; where
    they do, `FreezeThawSearch` has the same process of learning curves. `BayesianOptimization` is
    Keras Tuner's, which proposes what it proposes there.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)`.
        objective: Name of a metric, a `keras_tuner.Objective`, or a list of them.
        max_trials: How many trials to run at most; None for as long as there is time.
        seed: Seed of values, weights and shuffling. The same seed gives the same trials.
        hyperparameters: Space to override or to prescribe.
        tune_new_entries: Whether hyperparameters that are not in `hyperparameters` are searched.
        allow_new_entries: Whether the hypermodel may ask for such.
        max_retries_per_trial: How often a trial that failed is tried again.
        max_consecutive_failed_trials: After how many failed trials in a row the search stops.
        **kwargs: The arguments of `kt_hpo.Tuner`.

    Example:
        >>> class Parabola(GaussianProcessSearch):
        ...     def run_trial(self, trial):
        ...         return (trial.hyperparameters.Float("x", -1, 1) - 0.3) ** 2
        >>> tuner = Parabola(max_trials=15, seed=0, directory="runs", overwrite=True)
        >>> tuner.search(verbose=0)
        >>> tuner.study.best_value < 0.01
        True
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: ObjectiveLike = None,
        max_trials: int | None = 10,
        seed: int | None = None,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        oracle = GaussianProcessSearchOracle(
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
