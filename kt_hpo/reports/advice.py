"""What to search next: ranges to widen because the best lie at an end, ranges to narrow."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
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
from kt_hpo.plots.text import percent
from kt_hpo.record.best import best_first
from kt_hpo.reports.source import as_code, with_choices, with_range
from kt_hpo.reports.uncertainty import position
from kt_hpo.reports.words import number
from kt_hpo.space.domain import from_distribution
from kt_hpo.space.hyperparameters import HyperParameter, HyperParameters
from kt_hpo.space.scopes import recorded_names

# In so many searches in which nothing matters some advice is given by chance.
CHANCE = 0.05
# The best are a tenth of the trials, but not fewer or more than so many, ties aside.
FEWEST_BEST, MOST_BEST = 5, 50
# An end is the outermost tenth of a range; a narrow range is at most half of the one there was.
END, NARROW = 0.1, 0.5
# Among fewer trials the best are too many of them to mark off a part of a range.
_ENOUGH_TO_NARROW = 20


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
        The trials, the best first, and those that are as good as the last of them: nothing but
        luck and order would tell them apart.
    """
    kept = best_first(search.study, search.finished())
    count = min(max(FEWEST_BEST, math.ceil(len(kept) / 10)), MOST_BEST)
    return kept[:count] + [t for t in kept[count:] if t.values == kept[count - 1].values]


def advise(
    search: Search, space: HyperParameters | None, mattered: Collection[str]
) -> list[Advice]:
    """Advises which ranges to change in a further search.

    A range is to be widened where at least half of the best trials lie in its outermost tenth, to
    be narrowed where it mattered and all of the best lie in a half of it; a choice is to be left
    out where none of the best has it. Each only where chance would hardly do that: where values are
    drawn evenly from the range, and where the best are drawn from the trials there are, as an
    engine that learns draws most values in a part of the range, whether that is good or not. Of
    searches in which nothing matters one in 20 gets some advice (Bonferroni's bound).

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
    varied = {n: kind for n, kind in distributions(finished).items() if not kind.single()}
    chance = CHANCE / max(len(varied), 1)
    found = []
    for name, distribution in varied.items():
        tried, values = _values(finished, name), _values(best, name)
        if len(values) < FEWEST_BEST:
            continue
        hyperparameter = declared.get(name) or from_distribution(name, distribution)
        if isinstance(distribution, CategoricalDistribution):
            advice = _leave_out(name, hyperparameter, tried, values, chance)
        else:
            one = _Range(name, hyperparameter, distribution, tried, values, chance)
            advice = one.widen(name in mattered)
            if advice is None and name in mattered:
                advice = one.narrow()
        if advice is not None:
            found.append(advice)
    return found


def _values(trials: list[FrozenTrial], name: str) -> list[Any]:
    return [trial.params[name] for trial in trials if name in trial.params]


def distributions(trials: Iterable[FrozenTrial]) -> dict[str, BaseDistribution]:
    """Gives the distribution of each hyperparameter, that of the last trial which has it.

    Args:
        trials: The trials, by number.

    Returns:
        Distributions by the names in the record, in the order they were first met.
    """
    return {name: kind for trial in trials for name, kind in trial.distributions.items()}


def _leave_out(
    name: str, hyperparameter: HyperParameter, tried: list[Any], best: list[Any], chance: float
) -> Advice | None:
    choices = list(hyperparameter.values) if hasattr(hyperparameter, "values") else []
    absent = [
        choice
        for choice in choices
        if choice not in best
        and hypergeom.pmf(0, len(tried), tried.count(choice), len(best)) < chance / len(choices)
    ]
    left = [choice for choice in choices if choice not in absent]
    if not absent or not left:
        return None
    times = ", ".join(f"{choice} (tried {tried.count(choice)} times)" for choice in absent)
    reason = f"None of the {len(best)} best trials has {times}."
    return Advice(name, "leave out", reason, as_code(with_choices(hyperparameter, left)))


@dataclass(frozen=True)
class _Range:
    """A range, the values that were tried in it, and those of the best trials."""

    name: str
    hyperparameter: HyperParameter
    distribution: BaseDistribution
    tried: list[float]
    best: list[float]
    chance: float

    def widen(self, mattered: bool) -> Advice | None:
        """Advises to go on beyond an end that half of the best trials lie at."""
        low, high = _ends(self.distribution)
        for is_upper in (False, True):
            at_end = sum(map(self._is_at(is_upper), self.best))
            if 2 * at_end < len(self.best) or not self._is_unlikely(at_end, is_upper, mattered):
                continue
            end, where = (high, "upper") if is_upper else (low, "lower")
            fact = (
                f"{at_end} of the {len(self.best)} best trials lie at the {where} end, "
                f"{number(end)}"
            )
            beyond = _beyond(self.distribution, is_upper)
            if beyond is None:
                return None
            changed = with_range(
                self.hyperparameter, low if is_upper else beyond, beyond if is_upper else high
            )
            reached = changed.max_value if is_upper else changed.min_value
            return Advice(
                self.name, "widen", f"{fact}: go on to {number(reached)}.", as_code(changed)
            )
        return None

    def narrow(self) -> Advice | None:
        """Advises to leave the part of the range in which none of the best trials lies."""
        first, last = min(self.best), max(self.best)
        width = position(self.distribution, last) - position(self.distribution, first)
        share = sum(first <= value <= last for value in self.tried) / len(self.tried)
        by_chance = _within_by_chance(max(width, share), len(self.best))
        too_few = len(self.tried) < _ENOUGH_TO_NARROW or 2 * len(self.best) > len(self.tried)
        if too_few or width > NARROW or by_chance >= self.chance:
            return None
        low, high = _around(self.distribution, first, last)
        if (low, high) == _ends(self.distribution):
            return None
        reason = f"All of the {len(self.best)} best trials "
        if first == last:
            reason += f"have {number(first)}."
        else:
            reason += (
                f"lie between {number(first)} and {number(last)}, in {percent(width)} of the range."
            )
        changed = with_range(self.hyperparameter, low, high)
        return Advice(self.name, "narrow", reason, as_code(changed))

    def _is_at(self, is_upper: bool) -> Callable[[float], bool]:
        share = _end_share(self.distribution)

        def is_at(value: float) -> bool:
            place = position(self.distribution, value)
            return (1 - place if is_upper else place) <= share

        return is_at

    def _is_unlikely(self, at_end: int, is_upper: bool, mattered: bool) -> bool:
        """Whether chance would hardly put so many of the best trials at an end."""
        count = len(self.best)
        if binom.sf(at_end - 1, count, _end_share(self.distribution)) >= self.chance:
            return False
        tried_at_end = sum(map(self._is_at(is_upper), self.tried))
        drawn = hypergeom.sf(at_end - 1, len(self.tried), tried_at_end, count)
        return mattered or drawn < self.chance


def _within_by_chance(width: float, count: int) -> float:
    """How likely some interval of this width holds all of so many numbers drawn from [0, 1]."""
    return count * width ** (count - 1) - (count - 1) * width**count


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
