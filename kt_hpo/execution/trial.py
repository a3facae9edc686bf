"""One trial, run in whichever process it is given to."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from keras_tuner import errors
from keras_tuner.engine.trial import Trial, TrialStatus

from kt_hpo.execution.context import ExecutionContext
from kt_hpo.execution.messages import Ended
from kt_hpo.record.journal import RecordError
from kt_hpo.training import side_by_side
from kt_hpo.training.memory import is_out_of_memory, released_graphs
from kt_hpo.training.results import Result, read_results


def run_trial(
    tuner: ExecutionContext,
    trial: Trial,
    fit_args: tuple[Any, ...],
    fit_kwargs: dict[str, Any],
    training: int | None = None,
) -> Ended:
    """Runs a trial, or one of its trainings; an error in it ends it alone.

    Args:
        tuner: The tuner.
        trial: The trial.
        fit_args: Positional arguments of `search`.
        fit_kwargs: Keyword arguments of `search`.
        training: The number of the training; None for the whole trial.

    Returns:
        How it ended.

    Raises:
        FatalError: If every other trial would fail of the same mistake.
        RecordError: If the record cannot be written.
    """

    def results() -> list[Result] | None:
        if training is not None:
            return side_by_side.train(tuner, trial, training, fit_args, fit_kwargs)
        returned = tuner.run_trial(trial, *fit_args, **fit_kwargs)
        if returned is None or _has_results(tuner, trial):
            return None
        return read_results(returned, tuner.oracle.objective, "Tuner.run_trial()")

    with released_graphs():
        return attempt(trial, results)


def attempt(trial: Trial, results: Callable[[], list[Result] | None]) -> Ended:
    """Runs a trial, or a part of it.

    Args:
        trial: The trial.
        results: Runs it.

    Returns:
        How it ended, with what `results` returned.

    Raises:
        FatalError: If every other trial would fail of the same mistake.
        RecordError: If the record cannot be written.
    """
    status, message, found, out_of_memory = TrialStatus.COMPLETED, None, None, False
    try:
        found = results()
    except (errors.FatalError, RecordError):
        raise  # What cannot be written is not the trial's fault, and the next one's neither.
    except errors.FailedTrialError:
        status, message = TrialStatus.FAILED, traceback.format_exc()
    except Exception as error:
        # What does not fit into memory would not fit at a second try either.
        out_of_memory = is_out_of_memory(error)
        status = TrialStatus.FAILED if out_of_memory else TrialStatus.INVALID
        message = traceback.format_exc()
    return Ended(status, message, trial.hyperparameters, found, out_of_memory)


def _has_results(tuner: ExecutionContext, trial: Trial) -> bool:
    """Whether an older program has called `oracle.update_trial` in its `run_trial`."""
    if not tuner.runs_its_own_way:
        return False
    metrics = tuner.oracle.get_trial(trial.trial_id).metrics
    return metrics.exists(tuner.oracle.objective.name)
