"""What a search tells its progress display, and what the display shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kt_hpo.record.counts import Counts


@dataclass(frozen=True)
class BestSoFar:
    """The best trial so far.

    Args:
        trial_number: Integer, its number.
        score: Float, its objective.
        values: Mapping of its hyperparameters' names to their values.

    Example:
        >>> BestSoFar(7, 0.93, {"units": 64}).values["units"]
        64
    """

    trial_number: int
    score: float
    values: Mapping[str, object] = field(default_factory=dict)


class Progress:
    """What a search tells while it runs. This base listens and shows nothing.

    A display overrides the events it cares about. No event may raise: a search must not die of
    its display.

    Example:
        >>> class Shout(Progress):
        ...     def trial_ended(self, trial_number, state, score, best):
        ...         print(f"TRIAL {trial_number}: {score}!")
        >>> Shout().trial_ended(3, "COMPLETE", 0.9, None)
        TRIAL 3: 0.9!
    """

    def start(self, total: int | None, done: Counts) -> None:
        """Hears that the search begins or goes on.

        Args:
            total: Integer or None. How many trials there will be, those done included; None if
                unknown.
            done: `Counts` of the trials that had ended before.
        """

    def budget(self, spent: int, epochs: int) -> None:
        """Hears, after `start`, that epochs are the search's budget.

        Args:
            spent: Integer, how many the trials had that have ended.
            epochs: Integer, how many there are.
        """

    def trial_started(self, trial_number: int, values: Mapping[str, object]) -> None:
        """Hears that a trial runs.

        Args:
            trial_number: Integer, its number.
            values: Mapping of its hyperparameters' names to their values.
        """

    def worker(self, number: int, trial_number: int | None) -> None:
        """Hears which trial a worker has.

        Args:
            number: Integer, the worker's number.
            trial_number: Integer or None. The trial's number; None if it has none now.
        """

    def epoch(
        self, trial_number: int, epoch: int, epochs: int | None, metrics: Mapping[str, float]
    ) -> None:
        """Hears that a trial ended an epoch.

        Args:
            trial_number: Integer, its number.
            epoch: Integer, the epoch, counted from 0 as Keras' callbacks do.
            epochs: Integer or None. How many the trial will run; None if unknown.
            metrics: Mapping of the metrics' names to their values.
        """

    def trial_ended(
        self, trial_number: int, state: str, score: float | None, best: BestSoFar | None
    ) -> None:
        """Hears that a trial ended.

        Args:
            trial_number: Integer, its number.
            state: String: `"COMPLETE"`, `"PRUNED"` or `"FAIL"`.
            score: Float or None. Its objective, if it has one.
            best: `BestSoFar` or None. The best trial now.
        """

    def note(self, text: str) -> None:
        """Hears a line for the user, such as a failed trial's error.

        Args:
            text: String, the line.
        """

    def stop(self) -> None:
        """Hears that the search ended or was interrupted."""
