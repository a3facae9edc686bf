"""Bayesian optimization with a Gaussian process and an upper confidence bound, Keras Tuner's own.

There it thinks about 2 seconds a trial on an idle machine and 12 on a busy one: the threads of the
linear algebra wait for each other over matrices of a few numbers, and slopes are found by
differences. Here one thread calculates, slopes too.
"""

from __future__ import annotations

import warnings
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import TrialStatus
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from kt_hpo.oracles.gaussian_process import GaussianProcess
from kt_hpo.oracles.recorded import RecordedOracle

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
        self._random_state = np.random.RandomState(self._stream().integers(2**32))
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
                response = self._proposal()
        finally:
            self.trials = own
        if response["values"] is not None and self._duplicate(response["values"]):
            return self._random_populate_space()
        return response

    def _proposal(self) -> dict[str, Any]:
        """What Keras Tuner would propose: from as many places down, on the same bound."""
        measured = sum(trial.status == TrialStatus.COMPLETED for trial in self.trials.values())
        if measured < (self.num_initial_points or max(3 * len(self.hyperparameters.space), 3)):
            return self._random_populate_space()
        points, scores = self._vectorize_trials()
        self.gpr.fit(*(np.nan_to_num(part, posinf=0, neginf=0) for part in (points, scores)))
        bounds = self._get_hp_bounds()
        starts = self._random_state.uniform(bounds[:, 0], bounds[:, 1], (_PLACES, len(bounds)))
        ends = [
            minimize(self.gpr.bound, start, self.beta, "L-BFGS-B", jac=True, bounds=bounds)
            for start in starts
        ]
        lowest = min(ends, key=lambda end: end.fun)
        return {"status": TrialStatus.RUNNING, "values": self._vector_to_values(lowest.x)}

    def _make_gpr(self) -> GaussianProcess:
        return GaussianProcess(alpha=self.alpha, random_state=self.seed)
