"""What keeps a search somewhere else besides the record, and how a user names it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kt_hpo.arguments import did_you_mean
from kt_hpo.optional import require
from kt_hpo.registry import TRACKERS
from kt_hpo.tracking.events import Progress

if TYPE_CHECKING:
    import keras

    from kt_hpo.record.record import Record


@dataclass(frozen=True)
class TrackedSearch:
    """The search a tracker is told of.

    Attributes:
        record: The record; `record.study` is the Optuna study.
        folder: Folder of the project.
        executions: How often each trial's model is trained.
        load_model: Gives the trained model of the trial with a number.
    """

    record: Record
    folder: Path
    executions: int
    load_model: Callable[[int], keras.Model]

    @property
    def name(self) -> str:
        """The name of the search, its project's."""
        return self.record.study.study_name

    @property
    def objectives(self) -> list[str]:
        """The names of the objectives."""
        return self.record.study.metric_names or ["objective"]

    def values(self, number: int) -> dict[str, Any]:
        """Reads the values of a trial.

        Args:
            number: The trial's number.

        Returns:
            All that are known by now, by their names in the record.
        """
        trial = self.record.trial(number)
        return {**trial.user_attrs.get("values", {}), **trial.params}


class Tracker(Progress):
    """Hears of a search as a progress display does, and may look into its record.

    A tracker overrides the events it cares about. It is told of every epoch, whichever executor
    ran the trial; where a trial is trained several times, when the trial has ended, further
    executions as `execution1/val_loss`. What `open` raises ends the search before its first trial;
    what another event raises is shown as a warning, and the search goes on.

    Attributes:
        search: The search, from `open` on.

    Example:
        >>> class Shout(Tracker):
        ...     def trial_ended(self, trial_number, state, score, best):
        ...         print(f"TRIAL {trial_number}: {score}!")
        >>> make_trackers(Shout())[0].trial_ended(3, "COMPLETE", 0.9, None)
        TRIAL 3: 0.9!
    """

    search: TrackedSearch

    def open(self, search: TrackedSearch) -> None:
        """Hears which search is about to begin, or to go on.

        Args:
            search: The search.
        """
        self.search = search

    def __getstate__(self) -> dict[str, Any]:
        # What is open stays in the process of the search.
        return {k: v for k, v in vars(self).items() if k != "search" and not k.startswith("_")}


TrackerLike = str | Tracker | Sequence["str | Tracker"] | None


def make_trackers(tracker: TrackerLike) -> list[Tracker]:
    """Makes the trackers that a user named.

    Args:
        tracker: `"tensorboard"`, `"wandb"`, a `Tracker`, a list of these, or None.

    Returns:
        The trackers.

    Raises:
        ValueError: If there is none of that name.
        ImportError: If the package of one is not installed; says what to install.

    Example:
        >>> make_trackers(None)
        []
    """
    if tracker is None:
        return []
    several = tracker if isinstance(tracker, list | tuple) else [tracker]
    return [_made(one) for one in several]


def _made(tracker: Any) -> Tracker:
    if isinstance(tracker, Tracker):
        return tracker
    if isinstance(tracker, str) and tracker in TRACKERS:
        return getattr(require(f"kt_hpo.tracking.{tracker}", tracker), TRACKERS[tracker])()
    hint = did_you_mean(tracker, TRACKERS) if isinstance(tracker, str) else ""
    raise ValueError(
        f"tracker={tracker!r} is not allowed.{hint} Give {' or '.join(map(repr, TRACKERS))}, an "
        "object of a subclass of kt_hpo.tracking.Tracker, or a list of these."
    )
