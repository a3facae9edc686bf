"""Which trials are the best, with one objective or several."""

from __future__ import annotations

from collections.abc import Iterable

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial, TrialStatus

from kt_hpo import objectives


def best_first(trials: Iterable[Trial], objective: keras_tuner.Objective) -> list[Trial]:
    """Sorts the completed trials, the best first.

    With several objectives those come first that no other trial dominates, then those that only
    they dominate, and so on; within such a front the sum of the objectives decides.

    Args:
        trials: Trials of a search.
        objective: What is optimised.

    Returns:
        The trials that are completed, best first.
    """
    completed = [trial for trial in trials if trial.status == TrialStatus.COMPLETED]
    sign = -1 if objective.direction == "max" else 1
    ranks = [0] * len(completed)
    if len(objectives.parts(objective)) > 1:
        ranks = _ranks(_losses(completed, objective))
    ordered = sorted(zip(ranks, completed, strict=True), key=lambda p: (p[0], sign * p[1].score))
    return [trial for _, trial in ordered]


def front(trials: Iterable[Trial], objective: keras_tuner.Objective) -> list[Trial]:
    """Picks the trials that no other trial dominates: the Pareto front.

    Args:
        trials: Trials of a search.
        objective: What is optimised.

    Returns:
        The completed trials than which none is better in one objective and as good in all others,
        in the order of the first objective.
    """
    completed = [trial for trial in trials if trial.status == TrialStatus.COMPLETED]
    losses = _losses(completed, objective)
    order = sorted(range(len(completed)), key=lambda index: tuple(losses[index]))
    ranks = _ranks(losses)
    return [completed[index] for index in order if ranks[index] == 0]


def _losses(trials: list[Trial], objective: keras_tuner.Objective) -> np.ndarray:
    """The objectives of each trial, to be minimised: shape `(trials, objectives)`."""
    parts = objectives.parts(objective)
    values = [[trial.metrics.get_best_value(part.name) for part in parts] for trial in trials]
    signs = [-1.0 if part.direction == "max" else 1.0 for part in parts]
    return np.array(values, dtype=float).reshape(len(trials), len(parts)) * signs


def _ranks(losses: np.ndarray) -> list[int]:
    """Non-dominated sorting (Deb et al. 2002, NSGA-II, section III A): 0 for the front."""
    ranks = np.full(len(losses), -1)
    rank = 0
    while (ranks < 0).any():
        left = np.flatnonzero(ranks < 0)
        rest = losses[left]
        no_worse = (rest[:, None] <= rest[None]).all(axis=2)
        better = (rest[:, None] < rest[None]).any(axis=2)
        ranks[left[~(no_worse & better).any(axis=0)]] = rank
        rank += 1
    return ranks.tolist()
