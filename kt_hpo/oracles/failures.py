"""When a search is stopped because its trials fail."""

from __future__ import annotations

from collections.abc import Iterable

from keras_tuner.engine.trial import Trial, TrialStatus


def check_failures(ended: Iterable[Trial], allowed: int) -> None:
    """Stops a search whose last trials all failed.

    Args:
        ended: The trials that have ended, in the order they did.
        allowed: How many failed trials in a row are too many.

    Raises:
        RuntimeError: If that many failed, with the traceback of the first.
    """
    failed: list[Trial] = []
    for trial in ended:
        failed = [*failed, trial] if trial.status == TrialStatus.FAILED else []
    if len(failed) == allowed:
        raise RuntimeError(
            f"{len(failed)} trials failed in a row, so the search is stopped. The first error "
            f"was, in trial {failed[0].trial_id}:\n\n{failed[0].message}\n"
            "Correct it and run the search again: it goes on after the failed trials. "
            "max_consecutive_failed_trials= allows more of them."
        )
