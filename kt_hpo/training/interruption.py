"""How a search is stopped from outside: by Ctrl-C, or because its time is up.

Ctrl-C waits for the end of the running epoch, time does not. What was trained is in the record, and
the same program run again goes on.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras


class TimeIsUpError(BaseException):
    """The time budget of a search is spent; no error, so no `except Exception` takes it for one."""


class Interruption:
    """Knows whether a search shall stop.

    Args:
        seconds: How long it may take from now on; None for as long as it takes.

    Attributes:
        reserve: Says how many seconds of the time budget are for other things than the search, the
            retraining of the best model, say; None where all of it is for the search.

    Example:
        >>> Interruption().check()
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._asked = False
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self.reserve: Callable[[], float] | None = None

    def check(self) -> None:
        """Stops the search if it shall.

        Raises:
            KeyboardInterrupt: If Ctrl-C was pressed.
            TimeIsUpError: If its time is up.
        """
        if self._asked:
            raise KeyboardInterrupt
        self.check_time()

    @property
    def has_deadline(self) -> bool:
        """Whether there is a time at which it stops."""
        return self._deadline is not None

    def check_time(self) -> None:
        """Stops the search if its time is up; Ctrl-C has to wait.

        Raises:
            TimeIsUpError: If it is.
        """
        if self.seconds_left() < 0:
            raise TimeIsUpError

    def seconds_left(self) -> float:
        """Tells how long the search may still take.

        Returns:
            Seconds, without those of the reserve; infinite where there is no time budget.
        """
        if self._deadline is None:
            return math.inf
        reserved = 0.0 if self.reserve is None else self.reserve()
        return self._deadline - reserved - time.monotonic()

    def __getstate__(self) -> dict[str, Any]:
        # In another process nothing stops a trial but the process of the search.
        return {"_asked": False, "_deadline": None, "reserve": None}

    @contextmanager
    def listening(
        self, note: Callable[[str], None], time_budget: float | None, waits: bool = True
    ) -> Iterator[None]:
        """Stops a search when it is asked to.

        Args:
            note: Tells the user.
            time_budget: Seconds it may take; None for as long as it takes.
            waits: Whether the first Ctrl-C waits for the end of the running epoch.

        Yields:
            Nothing, while trials run. Ends silently when the time is up.
        """
        self._asked = False
        self._deadline = None if time_budget is None else time.monotonic() + time_budget
        default = signal.getsignal(signal.SIGINT)
        in_main = threading.current_thread() is threading.main_thread()
        listens = waits and in_main and default is signal.default_int_handler

        def on_signal(number: int, frame: Any) -> None:
            if self._asked:
                raise KeyboardInterrupt
            self._asked = True
            note("Stopping when the running epoch has ended; Ctrl-C again stops at once.")

        if listens:
            signal.signal(signal.SIGINT, on_signal)
        try:
            yield
        except TimeIsUpError:
            rest = "" if self.reserve is None else ", but for the retraining of the best model"
            note(
                f"The time budget of {time_budget:g} seconds is spent{rest}. Run the same program "
                "again to go on."
            )
        finally:
            if listens:
                signal.signal(signal.SIGINT, default)


class StopWhenAsked(keras.callbacks.Callback):
    """Stops the search after an epoch, unless the training ends with it, or for want of time.

    Args:
        interruption: Knows whether it shall.
    """

    may_miss_batches = True

    def __init__(self, interruption: Interruption) -> None:
        super().__init__()
        self._interruption = interruption
        if interruption.has_deadline:
            # A callback with a batch hook slows every batch, so only who sets a limit pays.
            self.on_train_batch_end = self._check_time
            self.on_test_batch_end = self._check_time

    def _check_time(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._interruption.check_time()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Raises KeyboardInterrupt or TimeIsUpError if the search shall stop."""
        is_last = epoch + 1 == (self.params or {}).get("epochs")
        # A training loop of one's own has a model that knows nothing of stopping.
        if not (is_last or getattr(self.model, "stop_training", False)):
            self._interruption.check()
