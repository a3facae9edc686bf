"""Who runs which trial: the one dispatcher of every executor."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import count
from typing import Any

from keras_tuner.engine.trial import Trial, TrialStatus

from kt_hpo.execution.context import ExecutionContext
from kt_hpo.execution.messages import Ended, Fatal
from kt_hpo.execution.trial_run import TrialRun
from kt_hpo.oracle.trials import STATES
from kt_hpo.record.journal import RecordError
from kt_hpo.tracking import BestSoFar


@dataclass(eq=False)
class Assignment:
    """What a worker is given to run: a trial, or one of its trainings.

    Attributes:
        run: The run of the trial.
        training: The number of the training; None for the whole trial.
        worker: The number of the worker that runs it, if workers have numbers.
    """

    run: TrialRun
    training: int | None
    worker: int | None = None

    @property
    def trial(self) -> Trial:
        """The trial."""
        return self.run.trial


class Dispatcher:
    """Hands out the trials of a search, hears how they go, and ends them.

    It is in the process of the search, and the only one that asks the oracle for trials. An
    executor has what `next` hands out run somewhere, and says so by `begin` and `end`.

    Args:
        tuner: The tuner.
        at_once: How many trials may run at once; `math.inf` for any number.
        trainings: How many trainings of a trial may run side by side; None if a trial runs whole.
    """

    def __init__(
        self, tuner: ExecutionContext, at_once: float = 1, trainings: int | None = None
    ) -> None:
        self._tuner = tuner
        self._at_once = at_once
        self._trainings = trainings
        self._runs: dict[int, TrialRun] = {}
        self._status = TrialStatus.IDLE
        self._may_be_more = True

    @property
    def is_over(self) -> bool:
        """Whether the oracle has no more trials, and none is running."""
        has_ended = self._status == TrialStatus.STOPPED and not self._may_be_more
        return has_ended and not self._runs

    def next(self) -> Assignment | None:
        """Hands out what is to be run next.

        Returns:
            A part of a trial that runs, or a new trial; None if there is nothing to run now.
        """
        run = next((run for run in self._runs.values() if run.waits), None) or self._new_run()
        return None if run is None else Assignment(run, run.give())

    def begin(self, assignment: Assignment, worker: int | None = None, **where: Any) -> None:
        """Hears that something begins to run.

        Args:
            assignment: What.
            worker: The number of the worker that runs it, if workers have numbers.
            **where: What else the record keeps of the place.
        """
        tuner, trial = self._tuner, assignment.trial
        if assignment.run.begin():
            tuner.oracle.start_clock(trial.trial_id)
            tuner.progress.trial_started(int(trial.trial_id), trial.hyperparameters.values)
            tuner.on_trial_begin(trial)
            if worker is not None:
                tuner.annotate(trial, worker=worker, **where)
        assignment.worker = worker
        if worker is not None:
            tuner.progress.worker(worker, int(trial.trial_id))

    def report(self, trial_id: str, epoch: int, metrics: dict[str, float]) -> bool:
        """Hears of an epoch; see `Tuner.report`.

        Args:
            trial_id: The trial.
            epoch: The epoch, counted from 0.
            metrics: Values by the metrics' names.

        Returns:
            Whether the trial shall go on.
        """
        return self._tuner.report(self._tuner.oracle.get_trial(trial_id), epoch, metrics)

    def end(self, assignment: Assignment, ended: Ended | Fatal) -> None:
        """Hears how something ended, and ends its trial when nothing of it is left to run.

        Args:
            assignment: What.
            ended: How it ended.

        Raises:
            FatalError: If every other trial would fail of the same mistake.
            RuntimeError: If too many trials failed in a row.
            KeyboardInterrupt: If Ctrl-C was pressed meanwhile.
            TimeIsUpError: If the time of the search is up.
        """
        if isinstance(ended, Fatal):
            raise ended.error
        run = assignment.run
        run.take_in(assignment.training, ended)
        self._may_be_more = True
        if assignment.worker is not None:
            self._tuner.progress.worker(assignment.worker, None)
        if run.is_over:
            self._runs = {number: other for number, other in self._runs.items() if other is not run}
            run.settle()
            self._end_trial(run.trial)

    def lose(self, assignment: Assignment, message: str) -> None:
        """Hears that something was lost with the process that ran it; as `end`.

        Args:
            assignment: What.
            message: How it was lost.
        """
        hyperparameters = assignment.trial.hyperparameters
        self.end(assignment, Ended(TrialStatus.INVALID, message, hyperparameters))

    def _new_run(self) -> TrialRun | None:
        """Asks the oracle for a trial, unless what has ended since cannot have changed a no."""
        is_idle = not self._runs
        if len(self._runs) >= self._at_once or not (self._may_be_more or is_idle):
            return None
        # An oracle gives who asks again the trial it had, until that has ended.
        number = lowest_free(self._runs)
        self._tuner.pre_create_trial()
        trial = self._tuner.oracle.create_trial(f"{self._tuner.tuner_id}:{number}")
        self._status = trial.status
        self._may_be_more = trial.status == TrialStatus.RUNNING
        if not self._may_be_more:
            return None
        self._runs[number] = TrialRun(self._tuner, trial, self._trainings)
        return self._runs[number]

    def _end_trial(self, trial: Trial) -> None:
        """Records how a trial ended, and tells everyone."""
        is_recorded = True
        try:
            self._tuner.on_trial_end(trial)
        except RecordError:
            is_recorded = False
            raise
        finally:
            if is_recorded:
                self._show_end(self._tuner.oracle.get_trial(trial.trial_id))
        self._tuner.interruption.check()

    def _show_end(self, trial: Trial) -> None:
        state, progress = STATES.get(trial.status), self._tuner.progress
        if trial.message:
            error = trial.message.strip().splitlines()[-1]
            again = "" if state else " It will be tried again."
            progress.note(f"Trial {trial.trial_id} failed: {error}{again}")
        if state is not None:
            score = None if state == "FAIL" else trial.score
            progress.trial_ended(int(trial.trial_id), state, score, self._best())

    def _best(self) -> BestSoFar | None:
        for trial in self._tuner.oracle.get_best_trials(1):
            return BestSoFar(int(trial.trial_id), trial.score, trial.hyperparameters.values)
        return None


def lowest_free(taken: Collection[int | None]) -> int:
    """Finds the lowest number from 1 that is not taken.

    Args:
        taken: The numbers that are.

    Returns:
        The number.

    Example:
        >>> lowest_free({1, 2, 4})
        3
    """
    return next(number for number in count(1) if number not in taken)
