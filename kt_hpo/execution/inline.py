"""One trial after the other, in this process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from keras_tuner.engine.trial import TrialStatus

from kt_hpo.execution.trial import execute
from kt_hpo.training.memory import quick_collections

if TYPE_CHECKING:
    from kt_hpo.tuner import Tuner


class Inline:
    """Runs the trials of a search one after the other, in this process.

    Example:
        >>> Inline()
        Inline()
    """

    def run(self, tuner: Tuner, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]) -> None:
        """Runs trials until the oracle has no more.

        Args:
            tuner: The tuner.
            fit_args: Positional arguments of `search`.
            fit_kwargs: Keyword arguments of `search`.
        """
        with quick_collections():
            while True:
                tuner.pre_create_trial()
                trial = tuner.oracle.create_trial(tuner.tuner_id)
                if trial.status == TrialStatus.STOPPED:
                    return
                if trial.status == TrialStatus.IDLE:
                    time.sleep(0.1)
                    continue
                execute(tuner, trial, fit_args, fit_kwargs)

    def __repr__(self) -> str:
        return "Inline()"
