"""Which trial is the best, and which are level with it: one order for whoever asks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, islice
from operator import le
from typing import NamedTuple

import numpy as np
import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from kt_hpo import formatting
from kt_hpo.constraints import keeps
from kt_hpo.metric_directions import ACCURACIES


class Standing(NamedTuple):
    """What orders the completed trials of a search: of two the lesser is the better.

    A trial that another dominates is the greater of the two, so the least of all trials is on the
    Pareto front.

    Attributes:
        total: The sum of the losses.
        losses: The objectives, each to be minimized; all infinite where one is not finite.
        loss: The validation loss, or else the training loss; infinite if that is not known.
        parameters: How many parameters the model has; infinite if that is not known.
        number: The trial's number; infinite for one from elsewhere, without a number.
    """

    total: float
    losses: tuple[float, ...]
    loss: float
    parameters: float
    number: float

    def dominates(self, other: Standing) -> bool:
        """Tells whether this is better in one objective, and as good in all others."""
        return self.losses != other.losses and all(map(le, self.losses, other.losses))


def standing(
    number: float,
    losses: Sequence[float],
    metrics: Mapping[str, float],
    parameters: float | None = None,
) -> Standing:
    """Gives what orders a trial among others.

    Args:
        number: The trial's number.
        losses: Its objectives, each to be minimized.
        metrics: What was measured of it, by name.
        parameters: How many parameters its model has; None if that is not known.

    Returns:
        Its place.

    Example:
        >>> small, large = (standing(0, [0.1], {"val_loss": 0.5}, size) for size in (100, 200))
        >>> small < large
        True
    """
    if not all(map(math.isfinite, losses)):
        losses = [math.inf] * len(losses)
    loss = metrics.get("val_loss", metrics.get("loss", math.inf))
    return Standing(
        sum(losses),
        tuple(losses),
        math.inf if math.isnan(loss) else loss,
        math.inf if parameters is None else parameters,
        number,
    )


def order(standings: Sequence[Standing]) -> Iterator[int]:
    """Orders the trials of a search.

    With several objectives those come first that no other trial dominates, then those that only
    they dominate, and so on: non-dominated sorting (Deb et al. 2002, NSGA-II, section III A).
    Within such a front, and with one objective, the lesser standing comes first.

    Args:
        standings: What orders each trial.

    Yields:
        Places in `standings`, that of the best trial first.

    Example:
        >>> losses = [(2.0, 2.0), (3.0, 1.0), (1.0, 1.5)]
        >>> list(order([standing(number, both, {}) for number, both in enumerate(losses)]))
        [2, 1, 0]
    """
    places = sorted(range(len(standings)), key=standings.__getitem__)
    if not places or len(standings[0].losses) == 1:
        yield from places
        return
    losses = np.array([one.losses for one in standings])
    left = np.array(places)
    while len(left):
        is_on_front = on_front(losses[left])
        yield from left[is_on_front].tolist()
        left = left[~is_on_front]


def on_front(losses: np.ndarray) -> np.ndarray:
    """Tells which points no other point dominates.

    Args:
        losses: Array of shape `(points, objectives)`, to be minimized.

    Returns:
        Array of booleans, one a point; equal points are all on the front, or none is.

    Example:
        >>> on_front(np.array([[1.0, 2.0], [2.0, 1.0], [2.0, 2.0]])).tolist()
        [True, True, False]
    """
    unique, places = np.unique(losses, axis=0, return_inverse=True)
    front = np.zeros(len(unique), dtype=bool)
    left = np.arange(len(unique))
    # In this order a point is dominated only by points before it, so the first left never is.
    while len(left):
        front[left[0]] = True
        left = left[(unique[left] < unique[left[0]]).any(axis=1)]
    return front[places.reshape(-1)]


def front(standings: Sequence[Standing]) -> list[int]:
    """Picks the trials that no other trial dominates: the Pareto front.

    Args:
        standings: What orders each trial.

    Returns:
        Places in `standings`, in the order of the first objective; with one objective those of all
        trials that reach the best value.
    """
    losses = np.array([one.losses for one in standings])
    places = np.flatnonzero(on_front(losses)).tolist() if len(losses) else []
    return sorted(places, key=lambda place: (standings[place].losses, standings[place]))


def best_first(
    study: optuna.Study, trials: Iterable[FrozenTrial], count: int | None = None
) -> list[FrozenTrial]:
    """Sorts the completed trials that keep the constraints, the best first.

    With several objectives, by domination. Of equal ones that with the lower loss comes first, then
    the one with fewer parameters, then the earlier one.

    Args:
        study: Their study, which tells the directions.
        trials: Trials.
        count: How many are wanted at most; None for all.

    Returns:
        Those with finite objectives, sorted.

    Example:
        >>> study = optuna.create_study()
        >>> for loss in (0.4, 0.3):
        ...     attributes = {"metrics": {"val_loss": loss}}
        ...     study.add_trial(optuna.create_trial(value=0.9, user_attrs=attributes))
        >>> best_first(study, study.trials)[0].number
        1
    """
    kept = [trial for trial in trials if may_be_best(trial)]
    if count is not None and len(study.directions) == 1:
        kept = _least(study, kept, count)
    return [kept[place] for place in islice(order(_standings(study, kept)), count)]


def _least(study: optuna.Study, trials: list[FrozenTrial], count: int) -> list[FrozenTrial]:
    """Those whose one objective is as good as that of so many: all others come after them."""
    if not 0 < count < len(trials):
        return trials
    losses = np.array([trial.value for trial in trials])
    if study.direction == StudyDirection.MAXIMIZE:
        losses = -losses
    least = np.flatnonzero(losses <= np.partition(losses, count - 1)[count - 1])
    return [trials[place] for place in least]


def best_so_far(study: optuna.Study, trials: Iterable[FrozenTrial]) -> dict[int, FrozenTrial]:
    """Tells which trial was the best when others came; with several objectives, in the first.

    Args:
        study: Their study, which tells the directions.
        trials: Trials, in their order.

    Returns:
        The best up to each trial, by the number of that; only trials that may be the best are
        there.

    Example:
        >>> study = optuna.create_study()
        >>> study.add_trials([optuna.create_trial(value=value) for value in (0.5, 0.7, 0.2)])
        >>> [best.number for best in best_so_far(study, study.trials).values()]
        [0, 0, 2]
    """
    kept = {trial.number: trial for trial in trials if may_be_best(trial)}
    standings = (s._replace(total=s.losses[0]) for s in _standings(study, kept.values()))
    least = accumulate(standings, min)
    return {number: kept[int(best.number)] for number, best in zip(kept, least, strict=True)}


def pareto_front(study: optuna.Study, trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """Picks the trials that no other trial dominates.

    Args:
        study: Their study, which tells the directions.
        trials: Trials.

    Returns:
        Those of them that keep the constraints, in the order of the first objective.

    Example:
        >>> study = optuna.create_study(directions=["minimize", "maximize"])
        >>> for values in ((0.2, 5), (0.1, 1), (0.3, 4)):
        ...     study.add_trial(optuna.create_trial(values=values))
        >>> [trial.number for trial in pareto_front(study, study.trials)]
        [1, 0]
    """
    kept = [trial for trial in trials if may_be_best(trial)]
    return [kept[place] for place in front(_standings(study, kept))]


def may_be_best(trial: FrozenTrial) -> bool:
    """Tells whether a trial is completed, keeps the constraints and has finite objectives."""
    is_complete = trial.state == TrialState.COMPLETE
    return is_complete and all(map(math.isfinite, trial.values)) and keeps(trial.constraints)


def _standings(study: optuna.Study, trials: Iterable[FrozenTrial]) -> list[Standing]:
    signs = [-1.0 if way == StudyDirection.MAXIMIZE else 1.0 for way in study.directions]
    return [_standing(trial, signs) for trial in trials]


def _standing(trial: FrozenTrial, signs: Sequence[float]) -> Standing:
    losses = [sign * value for sign, value in zip(signs, trial.values, strict=True)]
    known = trial.user_attrs
    return standing(trial.number, losses, known.get("metrics", {}), known.get("parameters"))


def level(study: optuna.Study, objective: str) -> str:
    """Says which trials cannot be told from the best.

    Those are trials of the very same score, and those whose difference is not above its standard
    error: of the executions or folds where there are several, else that of an accuracy measured on
    so many samples, sqrt(p (1 - p) / n).

    Args:
        study: The record of a search with one objective.
        objective: Its name.

    Returns:
        A sentence; nothing where the best stands alone.

    Example:
        >>> study = optuna.create_study()
        >>> study.add_trials([optuna.create_trial(value=0.5) for _ in range(3)])
        >>> level(study, "val_loss")
        '2 other trials have the same val_loss as trial 0, the earliest of them.'
    """
    near = level_with_best(study, objective)
    if not near:
        return ""
    best = best_first(study, study.get_trials(deepcopy=False), 1)[0]
    same = [trial for trial in near if trial.values[0] == best.values[0]]
    error, source = _standard_error(best, objective, study.user_attrs.get("validation_samples"))
    if len(near) > len(same):
        return (
            f"{_count(near)} level with trial {best.number} within the standard error of {source}, "
            f"{formatting.number(error, 2)}."
        )
    verb = "has" if len(same) == 1 else "have"
    return (
        f"{_count(same, verb)} the same {objective} as trial {best.number}, "
        f"{_merit(best, same[0])} of them."
    )


def level_with_best(study: optuna.Study, objective: str) -> list[FrozenTrial]:
    """Picks the trials that cannot be told from the best; see `level`.

    Args:
        study: The record of a search.
        objective: The name of its first objective.

    Returns:
        The trials, the better first, without the best; none where there are several objectives.

    Example:
        >>> study = optuna.create_study()
        >>> study.add_trials([optuna.create_trial(value=value) for value in (0.5, 0.7, 0.5)])
        >>> [trial.number for trial in level_with_best(study, "val_loss")]
        [2]
    """
    ordered = best_first(study, study.get_trials(deepcopy=False))
    if len(study.directions) > 1 or not ordered:
        return []
    best, *others = ordered
    samples = study.user_attrs.get("validation_samples")
    error = _standard_error(best, objective, samples)[0]
    return [
        trial
        for trial in others
        if abs(best.values[0] - trial.values[0])
        <= math.hypot(error, _standard_error(trial, objective, samples)[0])
    ]


def _count(trials: list[FrozenTrial], verb: str | None = None) -> str:
    one = len(trials) == 1
    return f"{len(trials):,} other trial{'' if one else 's'} {verb or ('is' if one else 'are')}"


def _standard_error(trial: FrozenTrial, objective: str, samples: int | None) -> tuple[float, str]:
    """How far chance moves a score, and where that is known from; 0 where it is not."""
    known = trial.user_attrs.get("standard_error", {}).get(objective)
    if known is not None:
        return known, "its executions"
    score = trial.values[0]
    if samples and objective.removeprefix("val_") in ACCURACIES and 0 <= score <= 1:
        error = math.sqrt(score * (1 - score) / samples)
        return error, f"an accuracy on {samples:,} validation samples"
    return 0.0, ""


def _merit(best: FrozenTrial, second: FrozenTrial) -> str:
    """What puts the best before another of the same score."""
    first, other = (_standing(one, [1.0]) for one in (best, second))
    if first.loss != other.loss:
        return "which has the lowest loss"
    if first.parameters != other.parameters:
        return "which has the fewest parameters"
    return "the earliest"
