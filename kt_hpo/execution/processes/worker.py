"""A worker as the search sees it: its place, its process and what it does."""

from __future__ import annotations

import time

from keras_tuner.engine.trial import Trial

from kt_hpo.execution.dispatcher import Assignment
from kt_hpo.execution.messages import Setup, TrialTask, packed
from kt_hpo.execution.processes import settings
from kt_hpo.execution.processes.devices import Share
from kt_hpo.execution.processes.launcher import Ending, Launcher, Process


class Worker:
    """A place for one trial at a time, or a training of one, and the process that runs it.

    Args:
        number: The worker's number, counted from 1.
        share: What it has of the machine.

    Attributes:
        assignment: What it has to run, while it has something.
        process: Its process, while it has one.
        is_ready: Whether the process takes trials.
    """

    def __init__(self, number: int, share: Share) -> None:
        self.number = number
        self.assignment: Assignment | None = None
        self.process: Process | None = None
        self.is_ready = False
        self._share = share
        self._is_at_work = False

    @property
    def trial(self) -> Trial | None:
        """Its trial, while it has one."""
        return self.assignment.trial if self.assignment else None

    @property
    def name(self) -> str:
        """Whose words these are: the trial's, while there is one."""
        return f"trial {int(self.trial.trial_id)}" if self.trial else f"worker {self.number}"

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the trial has taken too long; None if it never has."""
        assignment = self.assignment if self._is_at_work else None
        deadline = assignment.run.deadline if assignment else None
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

    def begin(self) -> None:
        """Has the process begin.

        Raises:
            EOFError: If the process is gone.
        """
        assert self.process is not None and self.assignment is not None
        self._is_at_work = True
        task = TrialTask(self.assignment.trial, self.assignment.training)
        self.process.channel.send(packed(task))

    def finish(self) -> Assignment:
        """Is free again, its work done or lost.

        Returns:
            What it had to run.
        """
        assert self.assignment is not None
        self.show_output()
        assignment, self.assignment, self._is_at_work = self.assignment, None, False
        return assignment

    def show_output(self) -> None:
        """Prints what its process has printed."""
        if self.process is not None:
            self.process.output.show(self.name)
