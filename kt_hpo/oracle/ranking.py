"""Which trials are the best, with one objective or several."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from operator import le

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial, TrialStatus

from kt_hpo import objectives
from kt_hpo.oracle.trials import best_value
from kt_hpo.record.best import tie_break


def best_first(
    trials: Iterable[Trial],
    objective: keras_tuner.Objective,
    parameters: Mapping[str, int] | None = None,
) -> list[Trial]:
    """Sorts the completed trials, the best first.

    With several objectives those come first that no other trial dominates, then those that only
    they dominate, and so on; within such a front the sum of the objectives decides. Of equal
    trials that with the lower loss comes first, then the one with fewer parameters, then the
    earlier one.

    Args:
        trials: Trials of a search.
        objective: What is optimized.
        parameters: How many parameters their models have, by id, as far as that is known.

    Returns:
        The trials that are completed, best first.
    """
    completed = [trial for trial in trials if trial.status == TrialStatus.COMPLETED]
    ranks = [0] * len(completed)
    if len(objectives.parts(objective)) > 1:
        ranks = _ranks(_losses(completed, objective))
    known = parameters or {}
    keys = [
        (rank, _key(trial, objective, known.get(trial.trial_id)), trial.trial_id)
        for rank, trial in zip(ranks, completed, strict=True)
    ]
    return [completed[index] for index in sorted(range(len(keys)), key=keys.__getitem__)]


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
        losses = tuple(_losses([trial], self._objective)[0]) if self._several else ()
        key = _key(trial, self._objective, parameters)
        ranked = (key, int(trial.trial_id), losses, trial)
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
        return [ranked[-1] for ranked in islice(chain.from_iterable(self._fronts), max(count, 0))]

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
                lower = {one[1] for one in beaten}
                front[:] = [one for one in front if one[1] not in lower]
            for one in moving:
                insort(front, one)
            moving = beaten
            if not moving:
                return
        fronts.append(sorted(moving))


_Ranked = tuple[tuple[float, ...], int, tuple[float, ...], Trial]


def _any_dominates(front: Sequence[_Ranked], other: _Ranked) -> bool:
    """Whether one of a front is better in one of several objectives, and as good in all."""
    return any(one[2] != other[2] and all(map(le, one[2], other[2])) for one in front)


def front(trials: Iterable[Trial], objective: keras_tuner.Objective) -> list[Trial]:
    """Picks the trials that no other trial dominates: the Pareto front.

    Args:
        trials: Trials of a search.
        objective: What is optimized.

    Returns:
        The completed trials than which none is better in one objective and as good in all others,
        in the order of the first objective.
    """
    completed = [trial for trial in trials if trial.status == TrialStatus.COMPLETED]
    losses = _losses(completed, objective)
    dominated = _dominated(losses)
    order = sorted(range(len(completed)), key=lambda index: tuple(losses[index]))
    return [completed[index] for index in order if not dominated[index]]


def _key(
    trial: Trial, objective: keras_tuner.Objective, parameters: int | None
) -> tuple[float, ...]:
    """What orders trials: the score, to be minimized, and what counts where it is the same."""
    names = [name for name in ("val_loss", "loss") if trial.metrics.exists(name)]
    metrics = {name: best_value(trial, name) for name in names}
    score = -trial.score if objective.direction == "max" else trial.score
    return (score, *tie_break(metrics, parameters))


def _losses(trials: list[Trial], objective: keras_tuner.Objective) -> np.ndarray:
    """The objectives of each trial, to be minimized: shape `(trials, objectives)`."""
    parts = objectives.parts(objective)
    if len(parts) == 1:
        values = [[trial.score] for trial in trials]
    else:
        values = [[best_value(trial, part.name) for part in parts] for trial in trials]
    signs = [-1.0 if part.direction == "max" else 1.0 for part in parts]
    return np.array(values, dtype=float).reshape(len(trials), len(parts)) * signs


def _ranks(losses: np.ndarray) -> list[int]:
    """Non-dominated sorting (Deb et al. 2002, NSGA-II, section III A): 0 for the front."""
    ranks = np.full(len(losses), -1)
    rank = 0
    while (ranks < 0).any():
        left = np.flatnonzero(ranks < 0)
        ranks[left[~_dominated(losses[left])]] = rank
        rank += 1
    return ranks.tolist()


def _dominated(losses: np.ndarray) -> np.ndarray:
    """Which rows another one is better than in one objective, and as good in all others."""
    no_worse = (losses[:, None] <= losses[None]).all(axis=2)
    better = (losses[:, None] < losses[None]).any(axis=2)
    return np.asarray((no_worse & better).any(axis=0))
