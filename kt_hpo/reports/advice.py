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

from kt_hpo.formatting import number
from kt_hpo.plots.influences import MIN_TRIALS
from kt_hpo.plots.search import Search, continued, place_of
from kt_hpo.plots.text import percent
from kt_hpo.record.best import best_first, may_be_best, pareto_front
from kt_hpo.reports.source import as_code, with_choices, with_range
from kt_hpo.reports.uncertainty import position
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
        luck and order would tell them apart. With several objectives they are whole fronts: those
        that no other trial dominates, then those that only these dominate, and so on.
    """
    kept = [trial for trial in _told_apart(search) if may_be_best(trial)]
    count = min(max(FEWEST_BEST, math.ceil(len(kept) / 10)), MOST_BEST)
    if search.n_objectives > 1:
        best: list[FrozenTrial] = []
        while kept and len(best) < count:
            front = pareto_front(search.study, kept)
            best += front
            kept = [trial for trial in kept if trial not in front]
        return best_first(search.study, best)
    kept = best_first(search.study, kept)
    return kept[:count] + [t for t in kept[count:] if t.values == kept[count - 1].values]


def _told_apart(search: Search) -> list[FrozenTrial]:
    """The finished trials, each configuration once: a round that goes on is the next one's past."""
    passed = continued(search.trials)
    return [trial for trial in search.finished() if trial.number not in passed]


def why_none(search: Search) -> str:
    """Says why there is no advice.

    Args:
        search: The search.

    Returns:
        A sentence.

    Example:
        >>> import optuna
        >>> why_none(Search.of(optuna.create_study()))
        'Ten completed trials are needed to say which ranges to change; there are 0.'
    """
    if _is_population(search):
        return (
            "A population copies its best members and changes their values while they train: where "
            "its trials lie does not tell which ranges to change. Its schedules show where it went."
        )
    trials = _told_apart(search)
    kept = sum(map(may_be_best, trials))
    if kept < MIN_TRIALS:
        which = " that keep the constraints" if kept < len(trials) else ""
        return (
            f"Ten completed trials{which} are needed to say which ranges to change; there are "
            f"{kept}."
        )
    return "No range calls for a change, as far as these trials can be told from chance."


def _is_population(search: Search) -> bool:
    return any("member" in place_of(trial) for trial in search.trials)


def advise(
    search: Search, space: HyperParameters | None, mattered: Collection[str]
) -> list[Advice]:
    """Advises which ranges to change in a further search.

    A range is to be widened where at least half of the best trials lie in its outermost tenth, and
    those still nearer to the end were not worse; to be narrowed where it mattered and all of the
    best lie in a half of it; a choice is to be left out where none of the best has it. Each only
    where chance would hardly do that: where values are drawn evenly from the range, and where the
    best are drawn from the trials there are, as an engine that learns draws most values in a part
    of the range, whether that is good or not. Of searches in which nothing matters one in 20 gets
    some advice (Bonferroni's bound).

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
    finished, best = _told_apart(search), best_trials(search)
    if _is_population(search) or sum(map(may_be_best, finished)) < MIN_TRIALS:
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
            advice = _leave_out(name, hyperparameter, tried, values, chance, len(best))
        else:
            one = _Range(name, hyperparameter, distribution, tried, values, chance, len(best))
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
    name: str,
    hyperparameter: HyperParameter,
    tried: list[Any],
    best: list[Any],
    chance: float,
    count: int,
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
    times = " or ".join(f"{choice} ({tried.count(choice):,} completed trials)" for choice in absent)
    reason = f"None of the {_best_of(best, count)} has {times}."
    return Advice(name, "leave out", reason, as_code(with_choices(hyperparameter, left)))


def _best_of(best: list[Any], count: int) -> str:
    """How many of the best trials have a hyperparameter, as not all have one under a condition."""
    return f"{len(best)} best trials" + " that have it" * (len(best) < count)


@dataclass(frozen=True)
class _Range:
    """A range, the values that were tried in it, and those of the best trials there are."""

    name: str
    hyperparameter: HyperParameter
    distribution: BaseDistribution
    tried: list[float]
    best: list[float]
    chance: float
    count: int

    def widen(self, mattered: bool) -> Advice | None:
        """Advises to go on beyond an end that half of the best trials lie at."""
        low, high = _ends(self.distribution)
        for is_upper in (False, True):
            there = list(filter(self._is_at(is_upper), self.best))
            if 2 * len(there) < len(self.best) or not self._is_unlikely(
                len(there), is_upper, mattered
            ):
                continue
            end, where = (high, "upper") if is_upper else (low, "lower")
            near = "at" if set(there) == {end} else "within a tenth of the range from"
            fact = (
                f"{len(there)} of the {_best_of(self.best, self.count)} lie {near} the {where} "
                f"end, {number(end)}"
            )
            beyond = _beyond(self.distribution, is_upper)
            if beyond is None:
                return None
            changed = with_range(
                self.hyperparameter, low if is_upper else beyond, beyond if is_upper else high
            )
            reached = changed.max_value if is_upper else changed.min_value
            if low > 0 >= reached or (low >= 0 and high < 1 <= reached and not self._is_whole()):
                return None  # A step too far: no layer has 0 units, and no share is all.
            return Advice(
                self.name, "widen", f"{fact}: go on to {number(reached)}.", as_code(changed)
            )
        return None

    def narrow(self) -> Advice | None:
        """Advises to leave the part of the range in which none of the best trials lies."""
        first, last = min(self.best), max(self.best)
        low_end, high_end = _ends(self.distribution)
        width = position(self.distribution, last) - position(self.distribution, first)
        share = sum(first <= value <= last for value in self.tried) / len(self.tried)
        by_chance = _within_by_chance(max(width, share), len(self.best))
        too_few = len(self.tried) < _ENOUGH_TO_NARROW or 2 * len(self.best) > len(self.tried)
        if too_few or width > NARROW or by_chance >= self.chance:
            return None
        low, high = _around(self.distribution, first, last)
        changed = with_range(self.hyperparameter, low, high)
        if changed.max_value - changed.min_value >= high_end - low_end:
            return None
        reason = f"All of the {_best_of(self.best, self.count)} "
        if first == last:
            reason += f"have {number(first)}."
        elif number(first) == number(last):
            reason += f"lie near {number(first)}, in {percent(width)} of the range."
        else:
            reason += (
                f"lie between {number(first)} and {number(last)}, in {percent(width)} of the range."
            )
        return Advice(self.name, "narrow", reason, as_code(changed))

    def _is_at(self, is_upper: bool) -> Callable[[float], bool]:
        share = _end_share(self.distribution)

        def is_at(value: float) -> bool:
            place = position(self.distribution, value)
            return (1 - place if is_upper else place) <= share

        return is_at

    def _is_whole(self) -> bool:
        return isinstance(self.distribution, IntDistribution)

    def _is_unlikely(self, at_end: int, is_upper: bool, mattered: bool) -> bool:
        """Whether chance would hardly put so many of the best at an end, up to the end itself."""
        count = len(self.best)
        furthest = max(self.best) if is_upper else min(self.best)
        beyond = sum(v > furthest if is_upper else v < furthest for v in self.tried)
        if binom.sf(at_end - 1, count, _end_share(self.distribution)) >= self.chance:
            return False
        tried_at_end = sum(map(self._is_at(is_upper), self.tried))
        if hypergeom.pmf(0, tried_at_end, beyond, at_end) < CHANCE:
            return False  # What was tried still nearer to the end is worse.
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
        factor = min(max(2.0, (high / low) ** (1 / 3)), 10.0)
        wider = high * factor if is_upper else low / factor
        return _whole_beyond(wider, low, is_upper) if whole else float(f"{wider:.0e}")
    if not is_upper and low == 0:
        return None
    if is_upper and high == 1 and not whole and low >= 0:
        return None
    wider = high + (high - low) / 2 if is_upper else low - (high - low) / 2
    if whole:
        return _whole_beyond(wider if is_upper or low < 0 else max(wider, low / 2), low, is_upper)
    # Half of what is left up to 1, if it is a share, or down to 0, in two digits of that.
    if is_upper and low >= 0 and high < 1 < 2 * wider - high:
        return round(1 - float(f"{(1 - high) / 2:.2g}"), 12)
    if not is_upper and low > 0 and wider < low / 2:
        return float(f"{low / 2:.2g}")
    return _in_round_numbers(min(low, wider), max(high, wider))[is_upper]


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
    if getattr(distribution, "log", False):
        return max(low, float(f"{first:.2g}")), min(high, float(f"{last:.2g}"))
    first, last = _in_round_numbers(first, last)
    return max(low, first), min(high, last)


def _in_round_numbers(low: float, high: float) -> tuple[float, float]:
    """A range in numbers of two digits of its length, outside of it rather than inside."""
    digits = 1 - math.floor(math.log10(high - low))
    unit = 10.0**-digits
    return (
        round(math.floor(low / unit + 1e-9) * unit, digits),
        round(math.ceil(high / unit - 1e-9) * unit, digits),
    )
