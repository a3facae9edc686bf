"""A search in a worker: it runs what the chief gives it."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing import AuthenticationError
from pathlib import Path
from typing import Any

from keras_tuner import errors

from kt_hpo.execution.context import ExecutionContext
from kt_hpo.execution.distributed import authentication
from kt_hpo.execution.distributed.cluster_config import ClusterConfig, current_cluster
from kt_hpo.execution.messages import (
    ChiefError,
    Fatal,
    Raised,
    Ready,
    SearchOverError,
    TrialTask,
    packed,
    portable,
    unpacked,
)
from kt_hpo.execution.processes.channel import Channel
from kt_hpo.execution.processes.remote import Questions, Remote, report_to_search
from kt_hpo.execution.trial import run_trial
from kt_hpo.oracle.recorded import RecordedOracle
from kt_hpo.record.journal import RecordError
from kt_hpo.record.record import Record, is_planned
from kt_hpo.record.studies import open_study
from kt_hpo.startup import quiet_retracing
from kt_hpo.training.compiled import kept_programs
from kt_hpo.training.memory import quick_collections

# Seconds in which the chief may be started, and in which it may be started again.
_FIRST, _AGAIN = 3600.0, 600.0
# Seconds between two tries to reach it, and after which the user is told that it is waited for.
_PAUSE, _TOLD = 1.0, 10.0
# What the program itself says of the oracle, and is the same in the chief.
_SAME = (
    "allow_new_entries",
    "constraints",
    "inherit_weights",
    "max_trials",
    "objective",
    "pruner",
    "tune_new_entries",
)


class ChiefConnection:
    """A worker's connection to the chief, which may be started later, and started again.

    Args:
        cluster: The worker's cluster.
        project_dir: The directory of the search.
        is_over: Tells whether the search has ended, as far as can be seen without the chief.
    """

    def __init__(
        self, cluster: ClusterConfig, project_dir: Path, is_over: Callable[[], bool]
    ) -> None:
        self._cluster = cluster
        self._project_dir = project_dir
        self._is_over = is_over
        self._patience = _FIRST
        self._channel: Channel | None = None

    @property
    def was_answered(self) -> bool:
        """Whether there has been a chief."""
        return self._patience != _FIRST

    def next_task(self) -> TrialTask:
        """Waits for something to run, and for the chief if it is not there.

        Returns:
            What to run.

        Raises:
            SearchOverError: If the search has ended.
            ChiefError: If it has ended with an error, or the chief stays away.
        """
        while True:
            if self._channel is None:
                self._connect()
            try:
                return self._heard(unpacked(self.receive()))
            except EOFError:
                self.close()

    def send(self, message: bytes) -> None:
        """Sends a message; an EOFError if there is no chief now."""
        if self._channel is None:
            raise EOFError("The chief is gone.")
        self._channel.send(message)

    def receive(self) -> bytes:
        """Waits for the next message; an EOFError if the chief is gone."""
        if self._channel is None:
            raise EOFError("The chief is gone.")
        return self._channel.receive()

    def close(self) -> None:
        """Closes the connection."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _connect(self) -> None:
        begin, is_told = time.monotonic(), False
        while self._channel is None:
            with suppress(OSError, AuthenticationError):
                key = authentication.key_path(self._project_dir).read_bytes()
                self._channel = authentication.connect(self._cluster.ip, self._cluster.port, key)
                self._channel.send(packed(Ready(self._cluster.tuner_id)))
                self._patience = _AGAIN
                return
            if self._is_over():
                raise SearchOverError("The search has ended.")
            waited = time.monotonic() - begin
            if waited > self._patience:
                raise ChiefError(f"{self._no_chief} It is waited for no longer.")
            if not is_told and waited > _TOLD:
                is_told = True
                print(self._no_chief, file=sys.stderr)
            time.sleep(_PAUSE)

    @property
    def _no_chief(self) -> str:
        path = authentication.key_path(self._project_dir).absolute()
        if not path.exists():
            return (
                f"There is no {path}, which the chief makes when it searches: it has not started "
                "yet, or does not share this directory with its workers. Give all of them the same "
                "directory=..."
            )
        return f"The chief at {self._cluster.address} does not answer."

    @staticmethod
    def _heard(message: Any) -> TrialTask:
        if isinstance(message, Raised):
            raise message.error
        return message


def make_worker(tuner: ExecutionContext, oracle: RecordedOracle, overwrite: bool = False) -> None:
    """Makes a tuner one of a worker: its oracle is the chief's.

    Args:
        tuner: A tuner in a process that Keras Tuner's environment variables make a worker.
        oracle: The oracle it would have if it searched alone.
        overwrite: Whether the chief begins the search anew.
    """
    cluster = current_cluster()
    assert cluster is not None

    def is_over() -> bool:
        return (connection.was_answered or not overwrite) and _is_finished(oracle)

    connection = ChiefConnection(cluster, Path(tuner.project_dir), is_over)
    ask = Questions(connection).ask
    known = {name: getattr(oracle, name) for name in _SAME}
    known |= {"alone": oracle, "connection": connection}
    chiefs: Any = Remote(ask, "oracle", known)
    progress: Any = Remote(ask, "progress")
    tuner.oracle, tuner.progress = chiefs, progress
    report_to_search(tuner, Remote(ask, "dispatcher"))


def work(tuner: ExecutionContext, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]) -> None:
    """Runs trials until the chief has no more; the tuner has the results then.

    Args:
        tuner: A tuner of `make_worker`.
        fit_args: Positional arguments of `search`.
        fit_kwargs: Keyword arguments of `search`.

    Raises:
        FatalError: If every other trial would fail of the same mistake, the search has failed
            elsewhere, or there is no chief any more.
    """
    if isinstance(tuner.oracle, RecordedOracle):
        make_worker(tuner, tuner.oracle)  # Searching once more.
    connection, oracle = tuner.oracle.connection, tuner.oracle.alone
    tuner.on_search_begin()
    try:
        with quiet_retracing(), quick_collections(), kept_programs():
            while True:
                _run(tuner, connection, connection.next_task(), (fit_args, fit_kwargs))
    except SearchOverError as over:
        if str(over):
            print(over)
    finally:
        connection.close()
    _show_results(tuner, oracle)
    tuner.on_search_end()


def _run(
    tuner: ExecutionContext, connection: ChiefConnection, task: TrialTask, data: tuple[Any, Any]
) -> None:
    """Runs a trial; one whose chief is gone meanwhile is lost, and the next chief repeats it."""
    trial = task.trial
    trial.hyperparameters.propose = partial(tuner.oracle.meet, trial.trial_id)
    try:
        ended = run_trial(tuner, trial, *data)
    except ChiefError:
        raise
    except errors.FatalError as error:
        with suppress(EOFError):
            connection.send(packed(Fatal(portable(error, "a worker"))))
        raise
    try:
        connection.send(packed(ended))
    except EOFError:
        print(f"The chief is gone, and trial {trial.trial_id} is lost.", file=sys.stderr)
        connection.close()


def _is_finished(oracle: RecordedOracle) -> bool:
    """Whether the record, as far as it can be seen here, says that nothing is left to do."""
    project, storage = oracle.project_dir, oracle.storage
    if not isinstance(storage, str | None):
        return False  # Who knows how to open it anew?
    try:
        study = open_study(storage, project.name) if storage else open_study(project)
    except (FileNotFoundError, ValueError, RecordError):
        return False
    known = study.user_attrs
    return bool(known.get("finished")) and is_planned(known, oracle.plan)


def _show_results(tuner: ExecutionContext, oracle: RecordedOracle) -> None:
    """Gives a tuner the oracle of a search that is over, as far as its record can be seen here."""
    del tuner.report  # Its own one again.
    try:
        if oracle.storage is None:
            oracle.look_into(Record(open_study(tuner.project_dir)))
        else:
            oracle.look_into(oracle.record)
    except FileNotFoundError:
        warnings.warn(
            f"The chief's record is not in {Path(tuner.project_dir).absolute()}. Results and "
            "models are to be had from the chief alone.",
            UserWarning,
            stacklevel=4,
        )
    else:
        tuner.oracle = oracle
