"""Which of an oracle's trials are the best, as `kt_hpo.record.best` says."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from kt_hpo import objectives
from kt_hpo.oracle.trials import best_value
from kt_hpo.record import best
from kt_hpo.record.best import Standing


def best_first(
    trials: Iterable[Trial],
    objective: keras_tuner.Objective,
    parameters: Mapping[str, int] | None = None,
) -> list[Trial]:
    """Sorts the completed trials, the best first; see `kt_hpo.record.best.order`.

    Args:
        trials: Trials of a search.
        objective: What is optimized.
        parameters: How many parameters their models have, by id, as far as that is known.

    Returns:
        The trials that are completed, best first.
    """
    completed = _completed(trials)
    known = parameters or {}
    standings = [_standing(trial, objective, known.get(trial.trial_id)) for trial in completed]
    return [completed[place] for place in best.order(standings)]


def front(trials: Iterable[Trial], objective: keras_tuner.Objective) -> list[Trial]:
    """Picks the trials that no other trial dominates: the Pareto front.

    Args:
        trials: Trials of a search.
        objective: What is optimized.

    Returns:
        The completed trials than which none is better in one objective and as good in all others,
        in the order of the first objective.
    """
    completed = _completed(trials)
    return [completed[i] for i in best.front([_standing(one, objective) for one in completed])]


class Ranking:
    """The trials of a search, kept in the order of `best_first` as they end.

    Sorting 10,000 trials anew at each end takes longer than many a trial.

    Args:
        objective: What is optimized.
    """

    def __init__(self, objective: keras_tuner.Objective) -> None:
        self._objective = objective
        self._several = len(objectives.parts(objective)) > 1
        # With one objective a single front.
        self._fronts: list[list[_Ranked]] = [[]]
        self._known: set[str] = set()

    def add(self, trial: Trial, parameters: int | None = None) -> None:
        """Takes up a trial that has ended; one that is not completed, or is known, changes nothing.

        Args:
            trial: The trial.
            parameters: How many parameters its model has, if that is known.
        """
        if trial.status != TrialStatus.COMPLETED or trial.trial_id in self._known:
            return
        self._known.add(trial.trial_id)
        ranked = (_standing(trial, self._objective, parameters), trial)
        if self._several:
            self._insert(ranked)
        else:
            insort(self._fronts[0], ranked)

    def best(self, count: int) -> list[Trial]:
        """Picks the best trials.

        Args:
            count: How many at most.

        Returns:
            The trials, best first.
        """
        return [trial for _, trial in islice(chain.from_iterable(self._fronts), max(count, 0))]

    def _insert(self, added: _Ranked) -> None:
        """Adds to the first front that does not dominate it; what it dominates moves down.

        The efficient non-dominated level update (Li, Deb, Zhang & Zhang 2017).
        """
        fronts, moving = self._fronts, [added]
        # Who dominates a trial in some front is dominated by another in each front above.
        place = bisect_left(fronts, True, key=lambda front: not _any_dominates(front, added))
        for front in fronts[place:]:
            beaten = [one for one in front if _any_dominates(moving, one)]
            if beaten:
                lower = {standing.number for standing, _ in beaten}
                front[:] = [one for one in front if one[0].number not in lower]
            for one in moving:
                insort(front, one)
            moving = beaten
            if not moving:
                return
        fronts.append(sorted(moving))


_Ranked = tuple[Standing, Trial]


def _any_dominates(front: Sequence[_Ranked], other: _Ranked) -> bool:
    return any(standing.dominates(other[0]) for standing, _ in front)


def _completed(trials: Iterable[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.status == TrialStatus.COMPLETED]


def _standing(
    trial: Trial, objective: keras_tuner.Objective, parameters: int | None = None
) -> Standing:
    parts = objectives.parts(objective)
    values = [trial.score]  # An oracle may score its trials in its own way.
    if len(parts) > 1:
        values = [best_value(trial, part.name) for part in parts]
    losses = [-v if p.direction == "max" else v for v, p in zip(values, parts, strict=True)]
    names = [name for name in ("val_loss", "loss") if trial.metrics.exists(name)]
    metrics = {name: best_value(trial, name) for name in names}
    # A trial that somebody else made may have an id of letters.
    number = int(trial.trial_id) if trial.trial_id.isdigit() else math.inf
    return best.standing(number, losses, metrics, parameters)
