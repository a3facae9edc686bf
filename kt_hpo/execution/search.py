"""A search, from its beginning to its end in front of the user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kt_hpo.execution.context import ExecutionContext
from kt_hpo.oracle.trials import STATES, trial_id_of
from kt_hpo.record import journal, shared_storage
from kt_hpo.tracking import Audience, Counts, TrackedSearch, make_progress

if TYPE_CHECKING:
    import keras
    import keras_tuner


@contextmanager
def alone(tuner: ExecutionContext) -> Iterator[None]:
    """Keeps other processes from running the search of a tuner.

    Args:
        tuner: The tuner.

    Yields:
        Nothing, while the search is this process's.

    Raises:
        RecordError: If another process runs it, from this directory or another one.
    """
    folder = Path(tuner.project_dir)
    with journal.claimed(folder), shared_storage.running(tuner.study, folder):
        yield


@contextmanager
def shown(tuner: ExecutionContext, verbose: int | str) -> Iterator[None]:
    """Has the progress display and the trackers hear of a search.

    Args:
        tuner: The tuner.
        verbose: As in `Tuner.search`.

    Yields:
        Nothing, while the search runs.

    Raises:
        ValueError: If `verbose` is not allowed.
        Exception: What keeps a tracker from opening.
    """

    def load_model(number: int) -> keras.Model:
        return tuner.load_model(tuner.oracle.get_trial(trial_id_of(number)))

    objective = tuner.oracle.objective
    display = make_progress(verbose, objective.name, objective.direction)
    search = TrackedSearch(
        tuner.oracle.record, Path(tuner.project_dir), tuner.executions_per_trial, load_model
    )
    tuner.progress = Audience(display, tuner.trackers, search)
    oracle = tuner.oracle
    tuner.progress.start(oracle.planned_trials, _counts(oracle))
    if budget := oracle.epoch_budget:
        tuner.progress.budget(*budget)
    try:
        yield
    except KeyboardInterrupt:
        tuner.progress.note("Interrupted. Run the same program again to go on.")
        raise
    finally:
        tuner.progress.stop()


def _counts(oracle: keras_tuner.Oracle) -> Counts:
    """How many trials have ended, by how they did."""
    total = Counts()
    for trial in oracle.trials.values():
        if trial.status in STATES:
            total = total.plus(STATES[trial.status])
    return total
