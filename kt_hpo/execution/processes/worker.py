"""A worker as the search sees it: its place, its process and its trial."""

from __future__ import annotations

import time

from keras_tuner.engine.trial import Trial

from kt_hpo.execution.processes import settings
from kt_hpo.execution.processes.devices import Share
from kt_hpo.execution.processes.launcher import Ending, Launcher, Process
from kt_hpo.execution.processes.messages import Setup, packed

# A trial that only takes long notices by itself, at the end of a batch; one that hangs does not.
_GRACE = 3.0


class Worker:
    """A place for one trial at a time, and the process that runs it.

    Args:
        number: The worker's number, counted from 1.
        share: What it has of the machine.
        trial_timeout: Seconds that a trial may take; None for any time.

    Attributes:
        trial: Its trial, while it has one.
        process: Its process, while it has one.
        is_ready: Whether the process takes trials.
        trial_timeout: As given.
    """

    def __init__(self, number: int, share: Share, trial_timeout: float | None) -> None:
        self.number = number
        self.trial: Trial | None = None
        self.process: Process | None = None
        self.is_ready = False
        self._share = share
        self.trial_timeout = trial_timeout
        self._deadline: float | None = None

    @property
    def name(self) -> str:
        """Whose words these are: the trial's, while there is one."""
        return f"trial {int(self.trial.trial_id)}" if self.trial else f"worker {self.number}"

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the trial has taken too long; None if it never has."""
        return None if self._deadline is None else self._deadline - time.monotonic()

    def start(self, launcher: Launcher, parcel: tuple[int, int]) -> None:
        """Starts its process.

        Args:
            launcher: Starts it.
            parcel: Where the parcel with the search begins, and how large it is.

        Raises:
            StartError: If it could not be started.
            EOFError: If it ended at once.
        """
        self.is_ready = False
        self.process = launcher.start(self._share.environment)
        self.process.channel.send(
            packed(Setup(*parcel, self._share.gpu_memory, settings.current()))
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
        self.process, self.is_ready, self._deadline = None, False, None
        return ending

    def begin_trial(self) -> None:
        """Sends its trial to the process.

        Raises:
            EOFError: If the process is gone.
        """
        assert self.process is not None
        if self.trial_timeout is not None:
            self._deadline = time.monotonic() + self.trial_timeout + _GRACE
        self.process.channel.send(packed(self.trial))

    def end_trial(self) -> Trial:
        """Takes its trial away.

        Returns:
            The trial.
        """
        assert self.trial is not None
        self.show_output()
        trial, self.trial, self._deadline = self.trial, None, None
        return trial

    def show_output(self) -> None:
        """Prints what its process has printed."""
        if self.process is not None:
            self.process.output.show(self.name)
