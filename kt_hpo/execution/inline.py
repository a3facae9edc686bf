"""One trial after the other, in this process."""

from __future__ import annotations

import time
from typing import Any

from kt_hpo.execution.context import ExecutionContext
from kt_hpo.execution.dispatcher import Dispatcher
from kt_hpo.execution.trial import run_trial
from kt_hpo.training.compiled import kept_programs
from kt_hpo.training.memory import quick_collections

# Seconds to wait while an oracle has nothing to run yet.
PAUSE = 0.1


class Inline:
    """Runs the trials of a search one after the other, in this process.

    Example:
        >>> Inline()
        Inline()
    """

    def run(
        self, tuner: ExecutionContext, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]
    ) -> None:
        """Runs trials until the oracle has no more.

        Args:
            tuner: The tuner.
            fit_args: Positional arguments of `search`.
            fit_kwargs: Keyword arguments of `search`.
        """
        dispatcher = Dispatcher(tuner)
        with quick_collections(), kept_programs():
            while (assignment := dispatcher.next()) or not dispatcher.is_over:
                if assignment is None:
                    time.sleep(PAUSE)
                    continue
                dispatcher.begin(assignment)
                dispatcher.end(assignment, run_trial(tuner, assignment.trial, fit_args, fit_kwargs))

    def __repr__(self) -> str:
        return "Inline()"
