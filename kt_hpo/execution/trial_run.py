"""What becomes of a trial that runs, whole or in several trainings side by side."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence

from keras_tuner.engine.trial import Trial, TrialStatus

from kt_hpo.execution.context import ExecutionContext
from kt_hpo.execution.messages import Ended
from kt_hpo.execution.trial import attempt
from kt_hpo.training import executions, side_by_side
from kt_hpo.training.results import Result, mean_best_epoch, mean_metrics, read_results

# A trial that only takes long notices by itself, at the end of a batch; one that hangs does not.
_GRACE = 3.0


class TrialRun:
    """A trial that runs: what of it waits for a worker, is in work, and has ended.

    Args:
        tuner: The tuner.
        trial: The trial.
        trainings: How many trainings of it may run side by side; None if one worker runs it whole.

    Attributes:
        trial: As given.
        deadline: When it has taken too long, by `time.monotonic`; None if it never has.
    """

    def __init__(self, tuner: ExecutionContext, trial: Trial, trainings: int | None = None) -> None:
        self.trial = trial
        self.deadline: float | None = None
        self._tuner = tuner
        self._results: list[Result] | None = None
        self._ends: dict[int, list[Result]] = {}
        self._in_work = 0
        self._failure: Ended | None = None
        self._has_begun = False
        self._waiting: deque[int | None] = deque(self._left(trainings))

    def _left(self, trainings: int | None) -> Sequence[int | None]:
        """What is to be done; an earlier attempt may have done a part."""
        if trainings is None:
            return [None]
        kept = executions.finished(self._tuner.annotations(self.trial))[: trainings - 1]
        self._ends.update({number: [result] for number, result in enumerate(kept)})
        return range(len(kept), trainings)

    @property
    def too_long(self) -> str:
        """Says that it has taken too long."""
        seconds = self._tuner.training.trial_timeout
        return f"The trial took longer than trial_timeout={seconds:g} seconds."

    @property
    def waits(self) -> bool:
        """Whether there is something for a worker to do."""
        return bool(self._waiting)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do."""
        return not self._waiting and not self._in_work

    def give(self) -> int | None:
        """Hands out the next thing to do.

        Returns:
            The number of a training; None for the whole trial.
        """
        self._in_work += 1
        return self._waiting.popleft()

    def begin(self) -> bool:
        """Begins the trial, or goes on with it.

        Returns:
            Whether it begins only now.
        """
        begins, self._has_begun = not self._has_begun, True
        seconds = self._tuner.training.trial_timeout
        if begins and seconds is not None:
            self.deadline = time.monotonic() + seconds + _GRACE
        return begins

    def take_in(self, training: int | None, ended: Ended) -> None:
        """Takes in the end of what a worker had to do.

        Args:
            training: What it was, as `give` returned it.
            ended: How it ended.
        """
        self._in_work -= 1
        self.trial.hyperparameters = ended.hyperparameters
        goes_on = ended.status == TrialStatus.COMPLETED
        if not goes_on:
            self._failure = self._failure or ended
        elif training is None:
            self._results = ended.results
        else:
            self._ends[training] = ended.results or []
            goes_on = side_by_side.take_in(self._tuner, self.trial, training, self._ends)
        if not goes_on:
            self._waiting.clear()

    def settle(self) -> None:
        """Gives the trial its metrics and its status when it is over.

        Raises:
            FatalError: If every other trial would fail of the same mistake.
        """
        ended = self._failure or attempt(self.trial, self._record_results)
        self.trial.status, self.trial.message = ended.status, ended.message
        if ended.out_of_memory:
            self._tuner.annotate(self.trial, out_of_memory=True)

    def _record_results(self) -> None:
        tuner, trial, oracle = self._tuner, self.trial, self._tuner.oracle
        results = side_by_side.gather(tuner, trial, self._ends) if self._ends else self._results
        if results is None:
            if oracle.get_trial(trial.trial_id).metrics.exists(oracle.objective.name):
                return  # An older program that has called `oracle.update_trial` in its `run_trial`.
            stopped = oracle.is_stopped(trial.trial_id)
            reported = oracle.best_reported(trial.trial_id) if stopped else None
            results = read_results(reported, oracle.objective, "Tuner.run_trial()")
        histories = [result.history for result in results if result.history]
        if histories:
            tuner.annotate(trial, history=histories)
        if len(results) > 1:
            tuner.annotate(trial, **executions.summary(results))
        oracle.update_trial(trial.trial_id, mean_metrics(results), step=mean_best_epoch(results))
