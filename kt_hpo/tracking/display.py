"""What all progress displays share: the state, a lock, and that none can break a search."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from kt_hpo.record.counts import Counts
from kt_hpo.tracking.events import BestSoFar, Progress
from kt_hpo.tracking.progress_state import ProgressState, RunningTrial

AIMS = {"min": "minimize", "max": "maximize"}


class Display(Progress):
    """Counts the events, then lets a subclass show where the search stands.

    Args:
        objective_name: String, the objective's name.
        direction: String or None. `"min"` or `"max"`, `"minimize"` or `"maximize"`, if any.

    Example:
        >>> class Counter(Display):
        ...     def _changed(self):
        ...         print(self.progress_state.by_state)
        >>> Counter("val_loss", "min").trial_started(0, {"units": 64})
        0 complete, 1 running
    """

    def __init__(self, objective_name: str, direction: str | None) -> None:
        aim = AIMS.get(direction or "", direction or "")
        self.aim = f"{aim} {objective_name}".strip()
        self.progress_state = ProgressState(objective_name)
        # A worker's thread may report while another redraws.
        self._lock = threading.RLock()
        self._gone = False
        self._noted: set[str] = set()

    def start(self, total: int | None, done: Counts) -> None:
        """Shows the search beginning; as `Progress.start`."""
        with self._lock:
            self.progress_state.start(total, done)
            self._show(self._begin)

    def budget(self, spent: int, epochs: int) -> None:
        """Shows how many of the epochs are spent; as `Progress.budget`."""
        with self._lock:
            self.progress_state.budget(spent, epochs)
            self._show(self._changed)

    def trial_started(self, trial_number: int, values: Mapping[str, object]) -> None:
        """Shows a trial running; as `Progress.trial_started`."""
        with self._lock:
            self.progress_state.trial_started(trial_number, values)
            self._show(self._changed)

    def worker(self, number: int, trial_number: int | None) -> None:
        """Shows which trial a worker has; as `Progress.worker`."""
        with self._lock:
            self.progress_state.worker(number, trial_number)
            self._show(self._changed)

    def epoch(
        self, trial_number: int, epoch: int, epochs: int | None, metrics: Mapping[str, float]
    ) -> None:
        """Shows an epoch ended; as `Progress.epoch`."""
        with self._lock:
            self.progress_state.epoch(trial_number, epoch, epochs, metrics)
            self._show(self._changed)

    def trial_ended(
        self, trial_number: int, state: str, score: float | None, best: BestSoFar | None
    ) -> None:
        """Shows a trial ended; as `Progress.trial_ended`."""
        with self._lock:
            trial = self.progress_state.trial_ended(trial_number, state, best)
            self._show(self._ended, trial, state, score)

    def note(self, text: str) -> None:
        """Shows a line, once; as `Progress.note`."""
        with self._lock:
            if text not in self._noted:
                self._noted.add(text)
                self._show(self._write, text)

    def stop(self) -> None:
        """Shows the search ended; as `Progress.stop`."""
        with self._lock:
            self.progress_state.stop()
            self._show(self._end)

    def _show(self, draw: Callable[..., None], *what: object) -> None:
        """Draw, unless what is drawn on has gone: a closed file, a broken pipe."""
        if self._gone:
            return
        try:
            draw(*what)
        except (OSError, ValueError):
            self._gone = True

    def _begin(self) -> None:
        """Show that the search begins."""

    def _changed(self) -> None:
        """Show that the progress changed."""

    def _ended(self, trial: RunningTrial, state: str, score: float | None) -> None:
        """Show that a trial ended."""

    def _write(self, text: str) -> None:
        """Show a line for the user."""

    def _end(self) -> None:
        """Show that the search ended."""
