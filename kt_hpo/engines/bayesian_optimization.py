"""Bayesian optimization with a Gaussian process and an upper confidence bound, Keras Tuner's own.

There it thinks about 2 seconds a trial on an idle machine and 12 on a busy one: the threads of the
linear algebra wait for each other over matrices of a few numbers, and slopes are found by
differences. Here one thread calculates, slopes too.
"""

from __future__ import annotations

import warnings
from typing import Any, Literal

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import TrialStatus
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from kt_hpo._private_apis.keras_tuner import check_inherited
from kt_hpo.engines.optuna_search import OptunaSearchOracle
from kt_hpo.engines.proposals.gaussian_process import GaussianProcess
from kt_hpo.engines.proposals.samplers import tpe
from kt_hpo.objectives import ObjectiveLike
from kt_hpo.oracle.recorded import RecordedOracle
from kt_hpo.space.kinds import Value
from kt_hpo.tuner import Tuner

_PLACES = 50


class BayesianOptimizationOracle(RecordedOracle, keras_tuner.oracles.BayesianOptimizationOracle):
    """Proposes where a Gaussian process expects the most, and no point twice.

    Keras Tuner's may return to a point it has measured; that proposal is replaced by a random one.

    Args: as in `keras_tuner.oracles.BayesianOptimizationOracle`.

    Example:
        >>> BayesianOptimizationOracle(objective="val_loss", beta=3.0).beta
        3.0
    """

    learns_from_trials = True

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Proposes the values of a trial.

        Args:
            trial_id: The trial's id.

        Returns:
            `{"status": ..., "values": ...}`, as every oracle.
        """
        stream = np.random.RandomState(self._stream().integers(2**32))
        self.gpr.random_state = self.seed % 2**32
        own = self.trials
        try:
            past = {f"past {one.trial_id}": one for one in self.past}
            known = (past | own).items()
            self.trials = {name: trial for name, trial in known if self.is_in_range(trial)}
            with (
                warnings.catch_warnings(category=ConvergenceWarning, action="ignore"),
                threadpool_limits(1),
            ):
                values = self._proposal(stream)
        finally:
            self.trials = own
        return self._untried(values)

    def _proposal(self, stream: np.random.RandomState) -> dict[str, Value] | None:
        """What Keras Tuner would propose: from as many places down, on the same bound."""
        measured = sum(trial.status == TrialStatus.COMPLETED for trial in self.trials.values())
        if measured < (self.num_initial_points or max(3 * len(self.hyperparameters.space), 3)):
            return self._random_values()
        points, scores = self._vectorize_trials()
        self.gpr.fit(*(np.nan_to_num(part, posinf=0, neginf=0) for part in (points, scores)))
        bounds = [(0, 1)] * points.shape[1]
        starts = stream.uniform(size=(_PLACES, len(bounds)))
        ends = [
            minimize(self.gpr.bound, start, self.beta, "L-BFGS-B", jac=True, bounds=bounds)
            for start in starts
        ]
        lowest = min(ends, key=lambda end: end.fun)
        return self._vector_to_values(lowest.x)

    def _start_recording(self, seed: int | None) -> None:
        check_inherited(BayesianOptimizationOracle)
        super()._start_recording(seed)
        self.gpr = GaussianProcess(alpha=self.alpha)


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
