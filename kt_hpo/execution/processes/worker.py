"""A worker as the search sees it: its place, its process and what it does."""

from __future__ import annotations

import time

from keras_tuner.engine.trial import Trial

from kt_hpo.execution.processes import settings
from kt_hpo.execution.processes.devices import Share
from kt_hpo.execution.processes.launcher import Ending, Launcher, Process
from kt_hpo.execution.processes.messages import Ended, Setup, Task, packed
from kt_hpo.execution.processes.trial_run import TrialRun


class Worker:
    """A place for one trial at a time, or a training of one, and the process that runs it.

    Args:
        number: The worker's number, counted from 1.
        share: What it has of the machine.

    Attributes:
        trial_run: The trial_run of its trial, while it has one.
        process: Its process, while it has one.
        is_ready: Whether the process takes trials.
    """

    def __init__(self, number: int, share: Share) -> None:
        self.number = number
        self.trial_run: TrialRun | None = None
        self.process: Process | None = None
        self.is_ready = False
        self._share = share
        self._training: int | None = None
        self._is_at_work = False

    @property
    def trial(self) -> Trial | None:
        """Its trial, while it has one."""
        return self.trial_run.trial if self.trial_run else None

    @property
    def name(self) -> str:
        """Whose words these are: the trial's, while there is one."""
        return f"trial {int(self.trial.trial_id)}" if self.trial else f"worker {self.number}"

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the trial has taken too long; None if it never has."""
        trial_run = self.trial_run if self._is_at_work else None
        deadline = trial_run.deadline if trial_run else None
        return None if deadline is None else deadline - time.monotonic()

    def start(self, launcher: Launcher, payload: tuple[int, int]) -> None:
        """Starts its process.

        Args:
            launcher: Starts it.
            payload: Where the payload with the search begins, and how large it is.

        Raises:
            StartError: If it could not be started.
            EOFError: If it ended at once.
        """
        self.is_ready = False
        self.process = launcher.start(self._share.environment)
        self.process.channel.send(
            packed(Setup(*payload, self._share.gpu_memory, settings.current()))
        )

    def end(self, launcher: Launcher, hangs: bool = False) -> Ending | None:
        """Ends its process.

        Args:
            launcher: Ends it.
            hangs: Whether to ask for the stack where it hangs.

        Returns:
            How it ended; None if it had no process.
        """
        if self.process is None:
            return None
        ending = launcher.end(self.process, hangs)
        self.process.release(self.name)
        self.process, self.is_ready, self._is_at_work = None, False, False
        return ending

    def take(self, trial_run: TrialRun) -> None:
        """Takes what is next to be done of a trial.

        Args:
            trial_run: The trial's trial_run.
        """
        self.trial_run, self._training = trial_run, trial_run.give()

    def begin(self) -> None:
        """Has the process begin.

        Raises:
            EOFError: If the process is gone.
        """
        assert self.process is not None and self.trial is not None
        self._is_at_work = True
        self.process.channel.send(packed(Task(self.trial, self._training)))

    def finish(self, ended: Ended) -> TrialRun:
        """Hands in what has become of its work, and is free again.

        Args:
            ended: How it ended.

        Returns:
            The trial_run it was of.
        """
        assert self.trial_run is not None
        self.show_output()
        trial_run, training = self.trial_run, self._training
        self.trial_run, self._is_at_work = None, False
        trial_run.take_in(training, ended)
        return trial_run

    def show_output(self) -> None:
        """Prints what its process has printed."""
        if self.process is not None:
            self.process.output.show(self.name)
