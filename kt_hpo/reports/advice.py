"""What to search next: ranges to widen because the best lie at an end, ranges to narrow."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial
from scipy.stats import binom, hypergeom

from kt_hpo.plots.influences import MIN_TRIALS
from kt_hpo.plots.search import Search
from kt_hpo.record.best import best_first
from kt_hpo.reports.source import as_code, with_choices, with_range
from kt_hpo.reports.uncertainty import position
from kt_hpo.reports.words import number
from kt_hpo.space.domain import from_distribution
from kt_hpo.space.hyperparameters import HyperParameter, HyperParameters
from kt_hpo.space.scopes import recorded_names

# What chance does more often than this is no reason to advise anything.
CHANCE = 0.05
# The best are a tenth of the trials, but not fewer or more than so many.
FEWEST_BEST, MOST_BEST = 5, 50
# An end is the outermost tenth of a range; a narrow range is at most half of the one there was.
END, NARROW = 0.1, 0.5


@dataclass(frozen=True)
class Advice:
    """A change of the space for the next search.

    Attributes:
        name: The hyperparameter's name in the record.
        change: `"widen"`, `"narrow"` or `"leave out"`.
        reason: What speaks for it, in a sentence.
        code: The line of the hypermodel that asks for it, changed.
    """

    name: str
    change: str
    reason: str
    code: str


def best_trials(search: Search) -> list[FrozenTrial]:
    """Picks the best tenth, five to fifty, of the finished trials that keep the constraints.

    Args:
        search: The search.

    Returns:
        The trials, the best first.
    """
    kept = best_first(search.study, search.finished())
    return kept[: min(max(FEWEST_BEST, math.ceil(len(kept) / 10)), MOST_BEST)]


def advise(
    search: Search, space: HyperParameters | None, mattered: Collection[str]
) -> list[Advice]:
    """Advises which ranges to change in a further search.

    A range is to be widened where at least half of the best trials lie in its outermost tenth, to
    be narrowed where it mattered and all of the best lie in a half of it; a choice is to be left
    out where none of the best has it; each unless chance alone does that in one of 20 searches.

    Args:
        search: The search.
        space: Its space, if that is recorded.
        mattered: Which hyperparameters made a difference.

    Returns:
        The advice, by hyperparameter; none where the trials are too few to tell.

    Example:
        >>> import optuna
        >>> study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        >>> study.optimize(lambda trial: -trial.suggest_int("units", 8, 64), n_trials=40)
        >>> [(one.change, one.code) for one in advise(Search.of(study), None, ["units"])]
        [('widen', 'hp.Int("units", 8, 92)')]
    """
    finished, best = search.finished(), best_trials(search)
    if len(finished) < MIN_TRIALS or len(best) < FEWEST_BEST:
        return []
    declared = {} if space is None else {name: hp for hp, name in recorded_names(space)}
    found = []
    for name, distribution in distributions(finished).items():
        having = [trial for trial in best if name in trial.params]
        if len(having) < FEWEST_BEST or distribution.single():
            continue
        values = [trial.params[name] for trial in having]
        hyperparameter = declared.get(name) or from_distribution(name, distribution)
        if isinstance(distribution, CategoricalDistribution):
            tried = [trial.params[name] for trial in finished if name in trial.params]
            advice = _leave_out(name, hyperparameter, tried, values)
        else:
            advice = _widen(name, hyperparameter, distribution, values)
            if advice is None and name in mattered:
                advice = _narrow(name, hyperparameter, distribution, values)
        if advice is not None:
            found.append(advice)
    return found


def distributions(trials: Iterable[FrozenTrial]) -> dict[str, BaseDistribution]:
    """Gives the distribution of each hyperparameter, that of the last trial which has it.

    Args:
        trials: The trials, by number.

    Returns:
        Distributions by the names in the record, in the order they were first met.
    """
    return {name: kind for trial in trials for name, kind in trial.distributions.items()}


def _leave_out(
    name: str, hyperparameter: HyperParameter, tried: list[Any], best: list[Any]
) -> Advice | None:
    choices = list(hyperparameter.values) if hasattr(hyperparameter, "values") else []
    absent = [
        choice
        for choice in choices
        if choice not in best
        and hypergeom.pmf(0, len(tried), tried.count(choice), len(best)) < CHANCE
    ]
    left = [choice for choice in choices if choice not in absent]
    if not absent or not left:
        return None
    times = ", ".join(f"{choice} (tried {tried.count(choice)} times)" for choice in absent)
    reason = f"None of the {len(best)} best trials has {times}."
    return Advice(name, "leave out", reason, as_code(with_choices(hyperparameter, left)))


def _widen(
    name: str, hyperparameter: HyperParameter, distribution: BaseDistribution, values: list[float]
) -> Advice | None:
    low, high = _ends(distribution)
    share = _end_share(distribution)
    places = [position(distribution, value) for value in values]
    for is_upper in (False, True):
        inside = sum((1 - place if is_upper else place) <= share for place in places)
        by_chance = binom.sf(inside - 1, len(values), share)
        if 2 * inside < len(values) or by_chance >= CHANCE:
            continue
        end = high if is_upper else low
        beyond = _beyond(distribution, is_upper)
        where = "upper" if is_upper else "lower"
        fact = f"{inside} of the {len(values)} best trials lie at the {where} end, {number(end)}"
        if beyond is None:
            return None
        changed = with_range(
            hyperparameter, low if is_upper else beyond, beyond if is_upper else high
        )
        reached = changed.max_value if is_upper else changed.min_value
        return Advice(name, "widen", f"{fact}: go on to {number(reached)}.", as_code(changed))
    return None


def _narrow(
    name: str, hyperparameter: HyperParameter, distribution: BaseDistribution, values: list[float]
) -> Advice | None:
    places = [position(distribution, value) for value in values]
    width = max(places) - min(places)
    count = len(values)
    # That all of so many drawn at random fall within some interval of this width.
    by_chance = count * width ** (count - 1) - (count - 1) * width**count
    if width > NARROW or by_chance >= CHANCE:
        return None
    low, high = _around(distribution, min(values), max(values))
    if (low, high) == _ends(distribution):
        return None
    reason = (
        f"All of the {count} best trials lie between {number(min(values))} and "
        f"{number(max(values))}, in {max(width, 0.01):.0%} of the range."
    )
    return Advice(name, "narrow", reason, as_code(with_range(hyperparameter, low, high)))


def _ends(distribution: BaseDistribution) -> tuple[float, float]:
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    return distribution.low, distribution.high


def _end_share(distribution: BaseDistribution) -> float:
    """The share of a range that is its end: a tenth, or one value where there are fewer."""
    low, high = _ends(distribution)
    step = getattr(distribution, "step", None)
    if not step or getattr(distribution, "log", False):
        return END
    return max(END, 1 / ((high - low) / step + 1))


def _beyond(distribution: BaseDistribution, is_upper: bool) -> float | None:
    """How far to widen a range; None where it ends by its nature, as a share does at 0 and 1."""
    low, high = _ends(distribution)
    whole = isinstance(distribution, IntDistribution)
    if getattr(distribution, "log", False):
        factor = max(2.0, (high / low) ** (1 / 3))
        wider = high * factor if is_upper else low / factor
        return _whole_beyond(wider, low, is_upper) if whole else float(f"{wider:.0e}")
    if not is_upper and low == 0:
        return None
    wider = high + (high - low) / 2 if is_upper else low - (high - low) / 2
    is_share = not whole and low >= 0 and high <= 1
    if is_upper and is_share:
        wider = min(wider, (1 + high) / 2)
        return None if high == 1 else float(f"{wider:.4g}")
    if not is_upper and low > 0:
        wider = max(wider, low / 2)
    return _whole_beyond(wider, low, is_upper) if whole else float(f"{wider:.4g}")


def _whole_beyond(wider: float, low: float, is_upper: bool) -> float | None:
    if is_upper:
        return math.ceil(wider)
    lower = math.floor(wider) if low < 0 else max(math.floor(wider), 1)
    return lower if lower < low else None


def _around(distribution: BaseDistribution, lowest: float, highest: float) -> tuple[float, float]:
    """The range of some values with some room at both sides, in round numbers."""
    low, high = _ends(distribution)
    if getattr(distribution, "log", False):
        room = max((highest / lowest) ** 0.25, 1.2)
        first, last = lowest / room, highest * room
    else:
        space = max((highest - lowest) / 4, (high - low) / 50)
        first, last = lowest - space, highest + space
    if isinstance(distribution, IntDistribution):
        return max(low, math.floor(first)), min(high, math.ceil(last))
    return max(low, float(f"{first:.2g}")), min(high, float(f"{last:.2g}"))
