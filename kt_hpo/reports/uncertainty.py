"""How far a score is to be trusted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, stdev

from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial

from kt_hpo.formatting import number
from kt_hpo.plots.search import Search, place_of

NEIGHBORS = 5
# Among fewer trials even the nearest are far away.
_ENOUGH = 20


@dataclass(frozen=True)
class Uncertainty:
    """How far a score is to be trusted.

    Attributes:
        spread: Differences below it tell nothing; None where it is not known.
        basis: Where it comes from, in a sentence.
    """

    spread: float | None
    basis: str


def uncertainty(
    search: Search, trial: FrozenTrial, weights: Mapping[str, float] | None = None
) -> Uncertainty:
    """Tells how far the score of a trial is to be trusted.

    Args:
        search: The search.
        trial: A finished trial of it.
        weights: How much each hyperparameter counts for which trials are alike; all the same if
            not given.

    Returns:
        The standard error of its executions' mean, if there were several. Else the standard
        deviation of it and the trials nearest to it that trained for as many epochs, which holds
        what their values differ by too; and nothing where there are too few of them.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.add_trial(optuna.create_trial(value=1.0))
        >>> search = Search.of(study)
        >>> uncertainty(search, search.best()).spread is None
        True
    """
    scores = _scores_of_executions(search, trial)
    if len(scores) > 1:
        return Uncertainty(
            trial.user_attrs["standard_error"][search.objective],
            f"The standard error of the mean of {len(scores)} executions, which scored "
            f"{', '.join(map(number, scores))}.",
        )
    times = len(trial.user_attrs.get("executions", []))
    trained = f"It was trained {'once' if times < 2 else f'{times} times'}"
    if len(_comparable(search, trial)) + 1 < _ENOUGH:
        no_mean = "" if times < 2 else " and its score is not their mean"
        return Uncertainty(
            None,
            f"{trained}{no_mean}, so how much of its score is chance is not known; "
            "tuner.confirm() finds out.",
        )
    near = nearest(search, trial, weights)
    values = [search.value(other) for other in near]
    return Uncertainty(
        stdev([search.value(trial), *values]),
        f"{trained}. The {NEIGHBORS} trials most like it scored {number(min(values))} "
        f"to {number(max(values))}; given is the spread of all six, which holds what their values "
        "do besides chance.",
    )


def nearest(
    search: Search, trial: FrozenTrial, weights: Mapping[str, float] | None = None
) -> list[FrozenTrial]:
    """Finds the finished trials whose values are the most similar to those of a trial.

    A model that it went on from, and trials that another round or interval gave other epochs, are
    not among them: what they scored tells how training goes, not chance.

    Args:
        search: The search.
        trial: A trial of it.
        weights: How much each hyperparameter counts; all the same if not given.

    Returns:
        At most `NEIGHBORS` others, the nearest first. Nothing is near where nothing was searched.
    """
    others = _comparable(search, trial)
    return sorted(others, key=lambda other: _distance(trial, other, weights))[:NEIGHBORS]


def _comparable(search: Search, trial: FrozenTrial) -> list[FrozenTrial]:
    epochs = place_of(trial).get("epochs")
    return [
        other
        for other in search.finished()
        if other.number != trial.number and place_of(other).get("epochs") == epochs
    ]


def position(distribution: BaseDistribution, value: float) -> float:
    """Tells where a number lies in the range of its hyperparameter.

    Args:
        distribution: An integer or float distribution.
        value: The number.

    Returns:
        From 0, the lower end, to 1, the upper end, by ratios where it is logarithmic.

    Example:
        >>> from optuna.distributions import FloatDistribution
        >>> round(position(FloatDistribution(1e-4, 1e-2, log=True), 1e-3), 6)
        0.5
    """
    low, high = float(distribution.low), float(distribution.high)  # type: ignore[attr-defined]
    if low == high:
        return 0.5
    if distribution.log:  # type: ignore[attr-defined]
        low, high, value = math.log(low), math.log(high), math.log(value)
    return min(max((value - low) / (high - low), 0.0), 1.0)


def _scores_of_executions(search: Search, trial: FrozenTrial) -> list[float]:
    """The objective of each execution, where their mean is the trial's score."""
    rows = [row["metrics"] for row in trial.user_attrs.get("executions", [])]
    scores = [metrics[search.objective] for metrics in rows if search.objective in metrics]
    is_score = scores and math.isclose(
        fmean(scores), search.value(trial), rel_tol=1e-6, abs_tol=1e-12
    )
    return scores if is_score else []


def _distance(one: FrozenTrial, other: FrozenTrial, weights: Mapping[str, float] | None) -> float:
    """The squared distance within the space; a value only one of them has counts as far."""
    return sum(
        (1.0 if weights is None else weights.get(name, 0.0)) * _difference(one, other, name) ** 2
        for name in sorted(one.params.keys() | other.params.keys())
    )


def _difference(one: FrozenTrial, other: FrozenTrial, name: str) -> float:
    if name not in one.params or name not in other.params:
        return 1.0
    distribution = one.distributions[name]
    if isinstance(distribution, CategoricalDistribution):
        return float(one.params[name] != other.params[name])
    return abs(
        position(distribution, one.params[name]) - position(distribution, other.params[name])
    )
