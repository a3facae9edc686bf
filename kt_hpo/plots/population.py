"""What plots read from a population-based training: who lived when, and who went on from whom."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from optuna.trial import FrozenTrial

from kt_hpo.plots.search import Search, line_of, place_of


@dataclass(frozen=True)
class Population:
    """The intervals that the members of a population lived, each one a trial.

    Args:
        search: The `Search`.
        intervals: Dict of a trial's number to the trial.

    Example:
        >>> import optuna
        >>> Population.of(Search.of(optuna.create_study())).intervals
        {}
    """

    search: Search
    intervals: dict[int, FrozenTrial]

    @classmethod
    def of(cls, search: Search) -> Population:
        """Pick the trials that are intervals of a member's life.

        Args:
            search: The `Search`.

        Returns:
            The `Population`.
        """
        return cls(search, {t.number: t for t in search.trials if "member" in place_of(t)})

    def why_empty(self) -> str:
        """Return why there is nothing to draw, or an empty string.

        Returns:
            A sentence, or an empty string.
        """
        if self.intervals:
            return ""
        if not self.search.trials:
            return "No trials yet."
        return "These trials have no population; those of kt_hpo.PopulationBasedTraining do."

    def member(self, trial: FrozenTrial) -> int:
        """Return whose interval a trial is.

        Args:
            trial: `optuna.trial.FrozenTrial`. One of the intervals.

        Returns:
            The member's number.
        """
        return int(place_of(trial)["member"])

    def span(self, trial: FrozenTrial) -> tuple[float, float]:
        """Return the epochs at which an interval began and ended.

        Args:
            trial: `optuna.trial.FrozenTrial`. One of the intervals.

        Returns:
            Two floats.
        """
        place = place_of(trial)
        return float(place["initial_epoch"]), float(place["epochs"])

    def source(self, trial: FrozenTrial) -> FrozenTrial | None:
        """Return the trial from whose end another went on.

        Args:
            trial: `optuna.trial.FrozenTrial`. One of the intervals.

        Returns:
            The `optuna.trial.FrozenTrial`, or None where it began anew.
        """
        past = place_of(trial).get("trial_id")
        return None if past is None else self.intervals.get(int(past))

    @cached_property
    def best_line(self) -> list[FrozenTrial]:
        """The intervals that the best model went through, the first one first.

        Empty where nothing is the best.
        """
        best = self.search.best()
        known = best is not None and best.number in self.intervals
        return line_of(best, self.intervals) if known else []

    @cached_property
    def goodness(self) -> dict[int, float]:
        """Where each interval ranks, from 0 to 1, among those that ended at the same epoch.

        By a trial's number; without those that have no value.
        """
        by_age: dict[float, list[FrozenTrial]] = {}
        for trial in self.intervals.values():
            if not np.isnan(self.search.value(trial)):
                by_age.setdefault(self.span(trial)[1], []).append(trial)
        return {
            trial.number: float(rank)
            for trials in by_age.values()
            for trial, rank in zip(trials, self.search.goodness(trials), strict=True)
        }
