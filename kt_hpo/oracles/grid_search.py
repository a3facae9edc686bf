"""Grid search: every combination of the values, in order."""

from __future__ import annotations

from functools import cmp_to_key

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from kt_hpo import space
from kt_hpo.oracles.recorded import RecordedOracle, synchronized


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
