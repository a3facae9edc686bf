"""The oracle as a worker has it: what a training needs of it, asked of the chief."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from kt_hpo.execution.distributed.cluster_config import ClusterConfig
from kt_hpo.execution.distributed.connection import Connection
from kt_hpo.execution.distributed.dispatcher import OPEN, OWN
from kt_hpo.execution.distributed.messages import TrialLostError
from kt_hpo.oracle.recorded import RecordedOracle
from kt_hpo.oracle.trials import trial_meant
from kt_hpo.record.journal import RecordError
from kt_hpo.record.studies import open_study

# What the program itself says, and is the same in the chief.
_SAME = frozenset(
    {
        "allow_new_entries",
        "constraints",
        "inherit_weights",
        "max_trials",
        "objective",
        "pruner",
        "tune_new_entries",
    }
)


class OracleClient:
    """Stands for the oracle of the chief.

    Args:
        oracle: The oracle that this process would have if it searched alone.
        cluster: The cluster of this process.
        begins_anew: Whether the chief forgets what the project's folder holds.

    Attributes:
        alone: The oracle as given.
        line: The connection to the chief.
    """

    def __init__(
        self, oracle: RecordedOracle, cluster: ClusterConfig, begins_anew: bool = False
    ) -> None:
        self.alone = oracle
        self.line = Connection(cluster, self._is_over)
        self._seed: int | None = None
        self._begins_anew = begins_anew

    @property
    def seed(self) -> int:
        """The seed of the search."""
        if self._seed is None:
            self._seed = self.line.ask("seed")
        return self._seed

    def create_trial(self, tuner_id: str) -> Trial:
        """Asks for a trial to run; see `RecordedOracle.create_trial`."""
        self.line.attend()
        trial = self.line.ask("create_trial")
        if trial.status == TrialStatus.RUNNING:
            trial.hyperparameters.propose = partial(self.meet, trial.trial_id)
        return trial

    def report(self, trial_id: str, epoch: int, metrics: dict[str, float]) -> bool:
        """Reports an epoch; see `RecordedOracle.report`."""
        return self.line.ask("report", trial_id, epoch, metrics)

    def start_clock(self, trial_id: str) -> None:
        """Does nothing: the chief starts the clock of a trial as it gives the trial out."""

    def annotate(self, trial_id: str, **attributes: Any) -> None:
        """Records what else is known of a trial; see `RecordedOracle.annotate`."""
        with suppress(TrialLostError):  # Its end says so.
            self.line.ask("annotate", trial_id, **attributes)

    def end_trial(self, *trial: Any, **named: Any) -> None:
        """Ends a trial; see `RecordedOracle.end_trial`."""
        try:
            self.line.ask("end_trial", trial_meant(self, *trial, **named))
        except TrialLostError as lost:
            # The chief was started again, or has taken this worker for lost: the next one, then.
            print(lost, file=sys.stderr)

    def fail(self, error: keras_tuner.errors.FatalError) -> None:
        """Ends the search.

        Args:
            error: What every other trial would meet too.
        """
        self.line.ask("fail", type(error).__name__, str(error))

    def _is_over(self) -> bool:
        """Whether the record, as far as it can be seen here, says that nothing is left to do."""
        if self._begins_anew and not self.line.was_answered:
            return False
        project, storage = self.alone.project_dir, self.alone.storage
        if not isinstance(storage, str | None):
            return False  # Who knows how to open it anew?
        try:
            study = open_study(storage, project.name) if storage else open_study(project)
        except (FileNotFoundError, ValueError, RecordError):
            return False
        known = study.user_attrs
        as_planned = known.get("planned_trials") == self.alone.planned_trials
        return bool(known.get("finished")) and as_planned

    def __getattr__(self, name: str) -> Any:
        if name in OPEN | OWN:
            return partial(self.line.ask, name)
        if name in _SAME:
            return getattr(self.alone, name)
        raise AttributeError(
            f"A worker's oracle has no {name!r}: the oracle itself is in the process of the chief."
        )
