"""Everyone who hears of a search: its progress display and its trackers."""

from __future__ import annotations

import threading
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kt_hpo.record.counts import Counts
from kt_hpo.tracking.events import BestSoFar, Progress
from kt_hpo.tracking.tracker import TrackedSearch, Tracker


class Audience(Progress):
    """Passes the events of a search on to a progress display and to trackers.

    An error of a tracker is shown once, as a warning; at the end of the search it is said how many
    more there were.

    Args:
        display: The progress display.
        trackers: The trackers.
        search: The search.

    Example:
        >>> class Epochs(Tracker):
        ...     def epoch(self, trial_number, epoch, epochs, metrics):
        ...         print(trial_number, epoch, metrics)
        >>> search = TrackedSearch(None, "runs/demo", executions=1, load_model=None)
        >>> Audience(Progress(), [Epochs()], search).epoch(0, 0, 10, {"loss": 0.5})
        0 0 {'loss': 0.5}
    """

    def __init__(
        self, display: Progress, trackers: Sequence[Tracker], search: TrackedSearch
    ) -> None:
        self._display = display
        self._trackers = trackers
        self._search = search
        self._errors: Counter[int] = Counter()
        # The last epoch that was told of each running trial.
        self._told: dict[int, int] = {}
        self._lock = threading.RLock()

    def start(self, total: int | None, done: Counts) -> None:
        """Opens the trackers and begins; as `Progress.start`.

        Raises:
            Exception: What keeps a tracker from opening.
        """
        for tracker in self._trackers:
            tracker.open(self._search)
        self._display.start(total, done)
        self._tell(lambda tracker: tracker.start(total, done))

    def budget(self, spent: int, epochs: int) -> None:
        """Has the display show epochs; as `Progress.budget`."""
        self._display.budget(spent, epochs)

    def trial_started(self, trial_number: int, values: Mapping[str, object]) -> None:
        """Passes on that a trial runs; as `Progress.trial_started`."""
        self._display.trial_started(trial_number, values)
        with self._lock:
            self._told.pop(trial_number, None)
            self._tell(lambda tracker: tracker.trial_started(trial_number, values))

    def epoch(
        self, trial_number: int, epoch: int, epochs: int | None, metrics: Mapping[str, float]
    ) -> None:
        """Passes on that an epoch ended; as `Progress.epoch`."""
        self._display.epoch(trial_number, epoch, epochs, metrics)
        # Executions may take turns; told apart they are in the record, when the trial has ended.
        with self._lock:
            if self._search.executions == 1 and epoch > self._told.get(trial_number, -1):
                self._told[trial_number] = epoch
                self._tell_epoch(trial_number, epoch, epochs, metrics)

    def trial_ended(
        self, trial_number: int, state: str, score: float | None, best: BestSoFar | None
    ) -> None:
        """Passes on that a trial ended; as `Progress.trial_ended`."""
        self._display.trial_ended(trial_number, state, score, best)
        with self._lock:
            if self._trackers and trial_number not in self._told:
                for epoch, metrics in self._recorded_epochs(trial_number):
                    self._tell_epoch(trial_number, epoch, None, metrics)
            self._told.pop(trial_number, None)
            self._tell(lambda tracker: tracker.trial_ended(trial_number, state, score, best))

    def note(self, text: str) -> None:
        """Passes on a line for the user; as `Progress.note`."""
        self._display.note(text)
        self._tell(lambda tracker: tracker.note(text))

    def stop(self) -> None:
        """Passes on that the search ended; as `Progress.stop`."""
        self._display.stop()
        self._tell(lambda tracker: tracker.stop())
        for place, count in self._errors.items():
            if count > 1:
                name = type(self._trackers[place]).__name__
                warnings.warn(f"{name} failed {count - 1} more times.", stacklevel=2)

    def _tell_epoch(
        self, trial_number: int, epoch: int, epochs: int | None, metrics: Mapping[str, float]
    ) -> None:
        self._tell(lambda tracker: tracker.epoch(trial_number, epoch, epochs, metrics))

    def _recorded_epochs(self, number: int) -> Iterator[tuple[int, dict[str, float]]]:
        """The epochs of a trial as they are in the record, one execution after the other."""
        histories = self._search.record.trial(number).user_attrs.get("history", [])
        for execution, history in enumerate(histories):
            prefix = f"execution{execution}/" if execution else ""
            names = [name for name in history if name != "epoch"]
            for place, epoch in enumerate(history["epoch"]):
                values = {f"{prefix}{name}": history[name][place] for name in names}
                yield epoch, {name: value for name, value in values.items() if value is not None}

    def _tell(self, event: Callable[[Any], None]) -> None:
        """Tells all trackers of an event; none can fail a trial."""
        with self._lock:
            for place, tracker in enumerate(self._trackers):
                try:
                    event(tracker)
                except Exception:  # Whatever a disk, a network or a user's tracker raises.
                    self._errors[place] += 1
                    if self._errors[place] == 1:
                        warnings.warn(
                            f"{type(tracker).__name__} failed; the search goes on, and what it "
                            f"keeps is incomplete:\n\n{traceback.format_exc()}",
                            stacklevel=2,
                        )
