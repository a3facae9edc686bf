"""Where a search stands: counted from its events, and put into few words."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from kt_hpo.formatting import clock, short
from kt_hpo.record.counts import Counts
from kt_hpo.space.continuation import Continuation, own_values
from kt_hpo.tracking.events import BestSoFar


@dataclass
class RunningTrial:
    """A trial that runs, or has just ended.

    Args:
        number: Integer, its number.
        values: Mapping of its hyperparameters' names to their values.
        started: Float, when it began, in seconds of `time.monotonic`.
        epoch: Integer, how many epochs it has ended.
        epochs: Integer or None. How many it will run.
        metric: String, the last epoch's objective in words.
        seconds: Float or None. How long it ran, once it has ended.

    Example:
        >>> RunningTrial(3, {}, 0.0, epoch=2, epochs=10).epoch_of
        'epoch 2/10'
    """

    number: int
    values: Mapping[str, object]
    started: float
    epoch: int = 0
    epochs: int | None = None
    metric: str = ""
    seconds: float | None = None

    @property
    def epoch_of(self) -> str:
        """How far it is, in words."""
        if not self.epoch:
            return "starting"
        return f"epoch {self.epoch}/{self.epochs}" if self.epochs else f"epoch {self.epoch}"


@dataclass
class ProgressState:
    """Where the search stands.

    Args:
        objective: String, the objective's name.
        total: Integer or None. How many trials there will be.
        epochs: Tuple of two integers or None. Of a search whose budget is epochs: how many are
            spent, and how many there are.
        counts: `Counts` of the trials that ended, those of earlier sessions included.
        best: `BestSoFar` or None. The best trial so far.
        running: Dict of the trials that run, by number.
        workers: Dict of the trials' numbers by the workers' that have them; None for no trial.

    Example:
        >>> progress = ProgressState("val_loss", total=10)
        >>> progress.trial_started(0, {})
        >>> trial = progress.trial_ended(0, "COMPLETE", None)
        >>> progress.of_total
        '1/10'
    """

    objective: str
    total: int | None = None
    epochs: tuple[int, int] | None = None
    counts: Counts = field(default_factory=Counts)
    best: BestSoFar | None = None
    running: dict[int, RunningTrial] = field(default_factory=dict)
    workers: dict[int, int | None] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic, init=False)
    _spent_before: int = field(default=0, init=False)
    _durations: list[float] = field(default_factory=list, init=False)
    _at_once: int = field(default=1, init=False)
    _first_values: dict[str, object] = field(default_factory=dict, init=False)
    _varied: set[str] = field(default_factory=set, init=False)

    def start(self, total: int | None, done: Counts) -> None:
        """Begins a session.

        Args:
            total: Integer or None. How many trials there will be, those done included.
            done: `Counts` of the trials that had ended before.
        """
        self.total, self.counts, self._began = total, done, time.monotonic()

    def budget(self, spent: int, epochs: int) -> None:
        """Counts epochs, not trials.

        Args:
            spent: Integer, how many the trials had that have ended.
            epochs: Integer, how many there are.
        """
        self.epochs, self._spent_before = (spent, epochs), spent

    def trial_started(self, number: int, values: Mapping[str, object]) -> None:
        """Adds a running trial.

        Args:
            number: Integer, its number.
            values: Mapping of its hyperparameters' names to their values.
        """
        self.running[number] = RunningTrial(number, values, time.monotonic())
        first = self._first_values = self._first_values or dict(values)
        self._varied |= {name for name in {*first, *values} if first.get(name) != values.get(name)}
        self._at_once = max(self._at_once, len(self.running))

    def telling(self, values: Mapping[str, object]) -> dict[str, object]:
        """Picks what tells a trial from others: the learning rate first, and no constants.

        Args:
            values: Mapping of its hyperparameters' names to their values.

        Returns:
            Dict of those that have not been the same in all trials; all of them in the first.

        Example:
            >>> progress = ProgressState("val_loss")
            >>> for number, rate in enumerate((0.1, 0.2)):
            ...     progress.trial_started(number, {"l1": 0, "units": 8 << number, "lr": rate})
            >>> progress.telling({"l1": 0, "units": 8, "lr": 0.1})
            {'lr': 0.1, 'units': 8}
        """
        own = own_values(values)
        kept = {name: v for name, v in own.items() if name in self._varied or not self._varied}
        return dict(sorted(kept.items(), key=lambda item: not _is_learning_rate(item[0])))

    def worker(self, number: int, trial_number: int | None) -> None:
        """Notes which trial a worker has.

        Args:
            number: Integer, the worker's number.
            trial_number: Integer or None. The trial's number, if it has one.
        """
        self.workers[number] = trial_number

    def epoch(
        self, number: int, epoch: int, epochs: int | None, metrics: Mapping[str, float]
    ) -> None:
        """Moves a running trial on.

        Args:
            number: Integer, its number.
            epoch: Integer, the epoch that ended, counted from 0.
            epochs: Integer or None. How many it will run.
            metrics: Mapping of the metrics' names to their values.
        """
        if number not in self.running:
            self.trial_started(number, {})
        trial = self.running[number]
        trial.epoch, trial.epochs = epoch + 1, epochs
        name = next((n for n in (self.objective, "loss") if n in metrics), None)
        trial.metric = f"{name} {short(metrics[name])}" if name else ""

    def trial_ended(self, number: int, state: str, best: BestSoFar | None) -> RunningTrial:
        """Moves a trial from the running to the ended.

        Args:
            number: Integer, its number.
            state: String: `"COMPLETE"`, `"PRUNED"` or `"FAIL"`.
            best: `BestSoFar` or None. The best trial now.

        Returns:
            The `RunningTrial`, of which little is known if it was never said to run.

        Raises:
            ValueError: If the state is none of these.
        """
        self.counts, self.best = self.counts.plus(state), best or self.best
        if number not in self.running:
            return RunningTrial(number, {}, time.monotonic())
        trial = self.running.pop(number)
        trial.seconds = time.monotonic() - trial.started
        self._durations.append(trial.seconds)
        part = Continuation.of(trial.values)
        if self.epochs and part.epochs is not None:
            self.epochs = self.epochs[0] + part.epochs - part.initial_epoch, self.epochs[1]
        return trial

    def stop(self) -> None:
        """Ends the session; what still ran has been interrupted, and no time is left."""
        self.running.clear()
        self.workers.clear()
        self._durations.clear()

    @property
    def rows(self) -> list[tuple[str, RunningTrial | None]]:
        """What runs, a row a worker or else a trial, each with its name."""
        if not self.workers:
            return [(f"trial {trial.number}", trial) for trial in self.running.values()]
        rows = []
        for worker, number in sorted(self.workers.items()):
            trial = None if number is None else self.running.get(number)
            name = f"worker {worker}" + (f"  trial {number}" if trial else "")
            rows.append((name, trial))
        return rows

    @property
    def elapsed(self) -> float:
        """Seconds since the session began."""
        return time.monotonic() - self._began

    @property
    def left(self) -> float | None:
        """Seconds to go: the mean trial's, for each that remains, as many at once as were seen.

        Where epochs are the budget: a mean epoch's, for each that remains.
        """
        if not self._durations:
            return None
        remaining, here = (self.total or 0) - self.counts.total, len(self._durations)
        if self.epochs:
            spent, budget = self.epochs
            remaining, here = budget - spent, spent - self._spent_before
        if remaining <= 0 or here <= 0:
            return None
        return remaining * sum(self._durations) / here / self._at_once

    @property
    def share(self) -> tuple[int, int] | None:
        """How much of the search is done, and how much there is: trials, or epochs."""
        return self.epochs or (self.total and (self.counts.total, self.total)) or None

    @property
    def share_in_words(self) -> str:
        """Likewise, or nothing where nobody knows."""
        return f"{self.epochs[0]}/{self.epochs[1]} epochs" if self.epochs else self.of_total

    @property
    def of_total(self) -> str:
        """The trials that ended, of all."""
        return f"{self.counts.total}/{self.total}" if self.total else str(self.counts.total)

    @property
    def by_state(self) -> str:
        """The trials by state; states that no trial is in are left out, save completion."""
        counts, running = self.counts, len(self.running)
        words = {"pruned": counts.pruned, "failed": counts.failed, "running": running}
        parts = [f"{count} {word}" for word, count in words.items() if count]
        return ", ".join([f"{counts.complete} complete", *parts])

    @property
    def best_in_words(self) -> str:
        """The best trial's objective and number, or nothing."""
        if self.best is None:
            return ""
        return f"{self.objective} {short(self.best.score)} in trial {self.best.trial_number}"

    @property
    def time_in_words(self) -> str:
        """The time taken and the time left."""
        left = self.left
        taken = f"{clock(self.elapsed)} elapsed"
        return taken if left is None else f"{taken}, {clock(left)} left"

    @property
    def summary(self) -> str:
        """The whole session on one line, to be left behind when it ends."""
        ended = f"{self.of_total} trials in {clock(self.elapsed)}: {self.by_state}."
        if self.best is None:
            return ended
        return f"{ended} Best {self.best_in_words}."


def _is_learning_rate(name: str) -> bool:
    return name.rpartition("/")[-1] in ("learning_rate", "lr")
