"""When a search is stopped because its trials fail."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import takewhile

from keras_tuner.engine.trial import Trial, TrialStatus


def check_failures(ended: Iterable[Trial], allowed: int) -> None:
    """Stops a search whose last trials all failed.

    Args:
        ended: The trials that have ended, the one that was asked for last first; no more of them
            are looked at than have failed.
        allowed: How many failed trials in a row are too many.

    Raises:
        RuntimeError: If that many failed, with the traceback of the first.
    """
    failed = list(takewhile(lambda trial: trial.status == TrialStatus.FAILED, ended))
    if len(failed) == allowed:
        first = failed[-1]
        raise RuntimeError(
            f"{len(failed)} trials failed in a row, so the search is stopped. The first error "
            f"was, in trial {first.trial_id}:\n\n{first.message}\n"
            "Correct it and run the search again: it goes on after the failed trials. "
            "max_consecutive_failed_trials= allows more of them."
        )


def check_any_went_well(trials: Collection[Trial]) -> None:
    """Refuses to end a search in silence of which every trial has failed.

    Args:
        trials: All trials of the search, in the order they were begun.

    Raises:
        RuntimeError: If there are some and all failed, with the traceback of the first.
    """
    if trials and all(trial.status == TrialStatus.FAILED for trial in trials):
        first = next(iter(trials))
        those = f"All {len(trials)} trials" if len(trials) > 1 else "The only trial"
        raise RuntimeError(
            f"{those} failed, so the search has found nothing. The first error was, in trial "
            f"{first.trial_id}:\n\n{first.message}\n"
            "Correct it and run the search again with overwrite=True, or with a larger max_trials "
            "to go on after the failed trials."
        )
