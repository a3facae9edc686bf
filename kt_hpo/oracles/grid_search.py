"""Grid search: every combination of the values, in order."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cmp_to_key
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from kt_hpo import space
from kt_hpo.hyperparameters import HyperParameter
from kt_hpo.kinds import Value
from kt_hpo.oracles.locking import synchronized
from kt_hpo.oracles.recorded import RecordedOracle


class GridSearchOracle(RecordedOracle, keras_tuner.oracles.GridSearchOracle):
    """Goes through all combinations; a range without a step gives ten values.

    Args: as in `keras_tuner.oracles.GridSearchOracle`.

    Example:
        >>> GridSearchOracle(objective="val_loss").max_trials is None
        True
    """

    @property
    def planned_trials(self) -> int | None:
        """How many trials the search will have at most; None if nobody knows."""
        counts = (size for size in (self.max_trials, space.size(self.hyperparameters)) if size)
        return min(counts, default=None)

    def propose(self, trial_id: str, hyperparameter: HyperParameter) -> Value:
        """Begins with the default; the other values of the grid have their turn later."""
        return hyperparameter.default

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Gives the next combination, without waiting for the trials that run.

        Keras Tuner lets at most two run at once. A hyperparameter that a trial is the first to ask
        for is taken up when that trial has ended.

        Args:
            trial_id: The trial's id.

        Returns:
            `{"status": ..., "values": ...}`, as every oracle.
        """
        if self.start_order and not self._populate_next:
            self._populate_next.append(self.start_order[-1])
        return super().populate_space(trial_id)

    def populate_enqueued(self, trial_id: str, fixed: Mapping[str, Value]) -> dict[str, Any]:
        """Passes over what is enqueued: every combination is tried in its turn."""
        return {"status": TrialStatus.IDLE}

    def enqueue(self, values: Mapping[str, Value]) -> None:
        """Raises ValueError: a grid has an order already."""
        raise ValueError(
            "GridSearch tries every combination in order, so nothing can be enqueued. Use "
            "RandomSearch or OptunaSearch to begin with values of your own."
        )

    @synchronized
    def end_trial(self, trial: Trial | str, status: str = TrialStatus.COMPLETED) -> None:
        """Ends a trial, and lets the combination after it be the next."""
        super().end_trial(trial, status)
        self._populate_next.append(trial if isinstance(trial, str) else trial.trial_id)

    @synchronized
    def reload(self) -> None:
        """Takes up a search; where each combination stands follows from its values."""
        super().reload()

        def compare(a: str, b: str) -> int:
            return self._compare(*(self.trials[i].hyperparameters.values for i in (a, b)))

        previous = None
        for trial_id in sorted(self.trials, key=cmp_to_key(compare)):
            self._ordered_ids.insert(trial_id, previous)
            previous = trial_id
        self._populate_next = [*self.start_order[:1], *self.end_order]
