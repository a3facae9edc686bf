"""What a sampler sees of a long search: the latest trials, and the best of those before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import optuna
from optuna.trial import FrozenTrial

from kt_hpo._private_apis.optuna import StorageView, study_on
from kt_hpo.record import best

T = TypeVar("T")

BLOCK = 125
BEST = 50
GENERATIONS = 5


class RecentTrials:
    """Shows a sampler at most some 300 trials, so that it takes as long at 10,000 as at 300.

    These are the latest 125 to 250, and the 50 best of those before; with several objectives also
    all of the Pareto front. TPE takes the 25 best trials for good ones, and the older another
    trial, the less it weighs; CMA-ES and NSGA-II look at the latest generations.

    Args:
        population: How many trials a generation of the sampler has; five of them are seen at least.

    Example:
        >>> study = optuna.create_study()
        >>> study.add_trials([optuna.create_trial(value=-value) for value in range(1000)])
        >>> len(RecentTrials().study(study).get_trials(deepcopy=False))
        175
    """

    def __init__(self, population: int = 0) -> None:
        self._block = max(BLOCK, GENERATIONS * population)
        self._count = max(BEST, population)
        self._last_dropped: list[Any] = []
        self._best: list[Any] = []

    def study(self, study: optuna.Study) -> optuna.Study:
        """Gives a study as the sampler sees it.

        Args:
            study: The study.

        Returns:
            One with fewer trials, in their order and with their numbers.
        """
        return study_on(_RecentStorage(study, self), study)

    def trials(self, study: optuna.Study, trials: list[FrozenTrial]) -> list[FrozenTrial]:
        """Picks those of the trials of a study that the sampler sees."""
        return self.pick(trials, lambda before, count: _best_of(study, before, count))

    def pick(self, trials: list[T], best_of: Callable[[list[T], int], list[T]]) -> list[T]:
        """Picks the latest trials, and the best of those before.

        Args:
            trials: Trials, in the order they were begun.
            best_of: Picks so many of the best of trials, in their order.

        Returns:
            Those of the trials, in their order.
        """
        start = max(0, len(trials) // self._block - 1) * self._block
        last_dropped = trials[max(0, start - 1) : start]
        if last_dropped != self._last_dropped:
            self._last_dropped, self._best = last_dropped, best_of(trials[:start], self._count)
        return [*self._best, *trials[start:]]


def _best_of(study: optuna.Study, trials: list[FrozenTrial], count: int) -> list[FrozenTrial]:
    kept = best.best_first(study, trials, count)
    if len(study.directions) > 1:
        kept += best.pareto_front(study, trials)
    return sorted({trial.number: trial for trial in kept}.values(), key=lambda one: one.number)


class _RecentStorage(StorageView):
    """A storage with the trials that `RecentTrials` picks."""

    def __init__(self, study: optuna.Study, recent: RecentTrials) -> None:
        super().__init__(study)
        self._study = study
        self._recent = recent

    def _seen(self, trials: list[FrozenTrial]) -> list[FrozenTrial]:
        return self._recent.trials(self._study, trials)
