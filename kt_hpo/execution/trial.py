"""One trial, from its beginning to its end in the record, and in front of the user."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import keras_tuner
from keras_tuner import errors
from keras_tuner.engine.trial import Trial, TrialStatus

from kt_hpo.oracle.trials import PRUNED
from kt_hpo.record.journal import RecordError
from kt_hpo.tracking import BestSoFar, Counts
from kt_hpo.training.executions import summary
from kt_hpo.training.memory import is_out_of_memory, released_graphs
from kt_hpo.training.results import mean_best_epoch, mean_metrics, read_results

if TYPE_CHECKING:
    from kt_hpo.tuner import Tuner

T = TypeVar("T")

_STATES = {TrialStatus.COMPLETED: "COMPLETE", PRUNED: "PRUNED", TrialStatus.FAILED: "FAIL"}


def execute(
    tuner: Tuner, trial: Trial, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]
) -> None:
    """Runs a trial that the oracle has created; an error in it is recorded and ends it alone.

    Args:
        tuner: The tuner.
        trial: The trial.
        fit_args: Positional arguments of `search`.
        fit_kwargs: Keyword arguments of `search`.

    Raises:
        FatalError: If every other trial would fail of the same mistake.
        RuntimeError: If too many trials failed in a row.
    """
    begin(tuner, trial)
    run(tuner, trial, fit_args, fit_kwargs)


def run(tuner: Tuner, trial: Trial, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]) -> None:
    """Runs a trial that has begun to its end, as `execute` does.

    Args:
        tuner: The tuner.
        trial: The trial.
        fit_args: Positional arguments of `search`.
        fit_kwargs: Keyword arguments of `search`.
    """
    with released_graphs():
        settle(tuner, trial, lambda: tuner.run_trial(trial, *fit_args, **fit_kwargs))
    end(tuner, trial)


def begin(tuner: Tuner, trial: Trial) -> None:
    """Tells everyone that a trial begins.

    Args:
        tuner: The tuner.
        trial: The trial.
    """
    tuner.oracle.start_clock(trial.trial_id)
    tuner.progress.trial_started(int(trial.trial_id), trial.hyperparameters.values)
    tuner.on_trial_begin(trial)


def end(tuner: Tuner, trial: Trial, record: Callable[[Trial], None] | None = None) -> None:
    """Records how a trial ended, and tells everyone.

    Args:
        tuner: The tuner.
        trial: The trial, its status that of its end.
        record: Records it; `tuner.on_trial_end` if not given.

    Raises:
        RuntimeError: If too many trials failed in a row.
        KeyboardInterrupt: If Ctrl-C was pressed meanwhile.
        TimeIsUpError: If the time of the search is up.
    """
    is_recorded = True
    try:
        (record or tuner.on_trial_end)(trial)
    except RecordError:
        is_recorded = False
        raise
    finally:
        if is_recorded:
            _show_end(tuner, tuner.oracle.get_trial(trial.trial_id))
    tuner.interruption.check()


def settle(tuner: Tuner, trial: Trial, run: Callable[[], Any]) -> None:
    """Gives a trial its metrics and its status, whatever comes of it.

    Args:
        tuner: The tuner.
        trial: The trial.
        run: Runs it, and returns the results as `Tuner.run_trial` does.

    Raises:
        FatalError: If every other trial would fail of the same mistake.
    """
    attempt(tuner, trial, lambda: _update(tuner, trial, run()))


def attempt(tuner: Tuner, trial: Trial, run: Callable[[], T]) -> T | None:
    """Runs a trial, or a part of it, and gives the trial its status.

    Args:
        tuner: The tuner.
        trial: The trial.
        run: Runs it.

    Returns:
        What `run` returned; None if it failed.

    Raises:
        FatalError: If every other trial would fail of the same mistake.
    """
    try:
        returned = run()
    except (errors.FatalError, RecordError):
        raise  # What cannot be written is not the trial's fault, and the next one's neither.
    except errors.FailedTrialError:
        trial.status, trial.message = TrialStatus.FAILED, traceback.format_exc()
    except Exception as error:
        trial.status, trial.message = TrialStatus.INVALID, traceback.format_exc()
        if is_out_of_memory(error):
            trial.status = TrialStatus.FAILED  # It would not fit at a second try either.
            tuner.annotate(trial, out_of_memory=True)
    else:
        trial.status, trial.message = TrialStatus.COMPLETED, None
        return returned
    return None


def _update(tuner: Tuner, trial: Trial, returned: Any) -> None:
    oracle = tuner.oracle
    if returned is None and oracle.is_stopped(trial.trial_id):
        returned = oracle.best_reported(trial.trial_id)
    if oracle.get_trial(trial.trial_id).metrics.exists(oracle.objective.name):
        return  # An older program that has called `oracle.update_trial` in its `run_trial`.
    results = read_results(returned, oracle.objective, "Tuner.run_trial()")
    histories = [result.history for result in results if result.history]
    if histories:
        tuner.annotate(trial, history=histories)
    if len(results) > 1:
        tuner.annotate(trial, **summary(results))
    oracle.update_trial(trial.trial_id, mean_metrics(results), step=mean_best_epoch(results))


def counts(oracle: keras_tuner.Oracle) -> Counts:
    """Counts the trials that have ended.

    Args:
        oracle: The oracle of a search.

    Returns:
        How many, by how they ended.
    """
    total = Counts()
    for trial in oracle.trials.values():
        if trial.status in _STATES:
            total = total.plus(_STATES[trial.status])
    return total


def _show_end(tuner: Tuner, trial: Trial) -> None:
    state = _STATES.get(trial.status)
    if trial.message:
        error = trial.message.strip().splitlines()[-1]
        again = "" if state else " It will be tried again."
        tuner.progress.note(f"Trial {trial.trial_id} failed: {error}{again}")
    if state is not None:
        score = None if state == "FAIL" else trial.score
        tuner.progress.trial_ended(int(trial.trial_id), state, score, _best(tuner.oracle))


def _best(oracle: keras_tuner.Oracle) -> BestSoFar | None:
    for trial in oracle.get_best_trials(1):
        return BestSoFar(int(trial.trial_id), trial.score, trial.hyperparameters.values)
    return None
