"""Optuna's TPE, asked in a fraction of the time.

Most of an ask of Optuna's goes into the integral of the normal distribution, taken number by number
in Python, into densities whose intermediate results are arrays of points, trials and
hyperparameters, and into reading all trials anew for each group of hyperparameters: the groups
themselves, the values within, and who is among the best. Here SciPy takes the integral for whole
arrays; the hyperparameters of a density are added up one after the other; of trials with the same
hyperparameters one is looked at; and what there is to know of a trial that has ended is read once.
"""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from scipy.special import log_ndtr, ndtr, ndtri_exp

_GOOD = (TrialState.COMPLETE, TrialState.PRUNED)
_OVERRIDDEN = ("_sample", "_sample_relative", "_get_params")
_READ = ("_rng", "_gamma", "_n_ei_candidates", "_constant_liar", "_group_decomposed_search_space")
# In which order trials are among the best; those that run never are.
_COMPLETE, _PRUNED, _INFEASIBLE, _RUNNING, _OTHER = range(5)
_LOG_SQRT_2_PI = math.log(math.sqrt(2 * math.pi))
# A part of a sum of doubles whose logarithm is so far below another's changes nothing.
_LOST = 45.0


def quick(sampler: BaseSampler) -> BaseSampler:
    """Makes a quicker sampler that proposes the same.

    Args:
        sampler: The sampler, which stays as it is.

    Returns:
        A sampler with the same settings and random numbers; the sampler itself where it is not
        Optuna's TPE, has one of the settings that Optuna is about to remove, or has changed.

    Example:
        >>> isinstance(quick(TPESampler(seed=0)), TPESampler)
        True
    """
    if type(sampler) is not TPESampler or not _is_as_expected(sampler):
        return sampler
    return QuickTPESampler(sampler)


def _is_as_expected(sampler: TPESampler) -> bool:
    """Tells whether Optuna has what is used of it here, and the kernels are its usual ones."""
    try:
        parts = _parts()
        kernels = sampler._parzen_estimator_parameters, sampler._parzen_estimator_cls
    except (ImportError, AttributeError):
        return False
    groups = getattr(sampler, "_group_decomposed_search_space", None)
    return (
        kernels == (parts.kernels(1.0, True, False, parts.weights, True), parts.estimator)
        and all(hasattr(TPESampler, name) for name in _OVERRIDDEN)
        and all(hasattr(sampler, name) for name in _READ)
        and hasattr(optuna.Study, "_get_trials")
        and (groups is None or hasattr(groups, "calculate"))
    )


class _Parts:
    """What Optuna's TPE is made of.

    Raises:
        ImportError: If a module is gone.
        AttributeError: If a name is.
    """

    def __init__(self) -> None:
        from optuna.samplers._tpe import parzen_estimator
        from optuna.samplers._tpe import sampler as tpe
        from optuna.search_space import group_decomposed

        self.estimator = parzen_estimator._ParzenEstimator
        self.kernels = parzen_estimator._ParzenEstimatorParameters
        self.weights = tpe.default_weights
        self.gammas = tpe.default_gamma, tpe.default_gamma_multiobjective
        self.split = tpe._split_trials
        self.group = group_decomposed._SearchSpaceGroup


@functools.cache
def _parts() -> _Parts:
    return _Parts()


@functools.lru_cache(1000)
def _weights(count: int, is_equal: bool) -> np.ndarray:
    """The weights of trials, the older the less unless they are equal, and of the prior behind."""
    of_trials = np.ones(count) if is_equal else _parts().weights(count)
    weights = np.append(of_trials, 1.0)
    return weights / weights.sum()


class Axes:
    """Hyperparameters: which are choices, and the ends of the others, all of these at once.

    Args:
        distributions: The distributions of the hyperparameters.
    """

    def __init__(self, distributions: Iterable[BaseDistribution]) -> None:
        each: list[Any] = list(distributions)
        self.choices = {
            place: len(one.choices)
            for place, one in enumerate(each)
            if isinstance(one, CategoricalDistribution)
        }
        self.numbers = [place for place in range(len(each)) if place not in self.choices]
        ranges = [each[place] for place in self.numbers]
        ends = [[one.low, one.high, one.step or 0.0] for one in ranges]
        self.low, self.high, self.step = np.array(ends, float).reshape(-1, 3).T[..., None]
        self.is_log = np.array([[one.log] for one in ranges], bool).reshape(-1, 1)
        self.left = self.scaled(self.low - self.step / 2)
        self.right = self.scaled(self.high + self.step / 2)

    def scaled(self, numbers: np.ndarray) -> np.ndarray:
        """Takes the logarithm of the ranges that have one: of rows of numbers, a row a range."""
        return np.log(numbers, out=numbers.copy(), where=self.is_log)


class Kernels:
    """The density of a Parzen estimator: a kernel for each trial, and a wide one as the prior.

    Bergstra et al. 2011, section 4; over several hyperparameters as in Falkner et al. 2018, section
    3.2. A choice has nearly all weight on the trial's own; a range has a normal distribution around
    the trial's number, cut off at the ends.

    Args:
        axes: The hyperparameters.
        observed: The values of the trials, of shape (trials, hyperparameters).
        is_equal: Whether all trials weigh the same.
    """

    def __init__(self, axes: Axes, observed: np.ndarray, is_equal: bool = False) -> None:
        self._axes = axes
        self._weights = _weights(len(observed), is_equal)
        self._of_choices = {
            place: _weights_of_choices(observed[:, place].astype(int), count)
            for place, count in axes.choices.items()
        }
        numbers = axes.scaled(observed[:, axes.numbers].T)
        self._mu = np.concatenate([numbers, 0.5 * (axes.left + axes.right)], axis=1)
        self._sigma = _widths(numbers, axes.left, axes.right)
        self._left = (axes.left - self._mu) / self._sigma
        self._right = (axes.right - self._mu) / self._sigma
        self._log_mass = _log_mass_within(self._left, self._right)

    def sample(self, rng: np.random.RandomState, size: int) -> np.ndarray:
        """Draws points, with the random numbers that Optuna takes in their order.

        Args:
            rng: The source of random numbers.
            size: How many points.

        Returns:
            An array of shape (points, hyperparameters).
        """
        kernels = rng.choice(len(self._weights), p=self._weights, size=size)
        points = np.empty((size, len(self._axes.choices) + len(self._axes.numbers)))
        for place, weights in self._of_choices.items():
            up_to = np.cumsum(weights[kernels], axis=1)
            up_to[:, -1] = 1
            points[:, place] = (up_to < rng.rand(size)[:, None]).sum(axis=1)
        shares = rng.uniform(size=(len(self._axes.numbers), size))
        points[:, self._axes.numbers] = self._numbers_at(kernels, shares).T
        return points

    def _numbers_at(self, kernels: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """The numbers that have a share of their kernel below them."""
        axes, left, right = self._axes, self._left[:, kernels], self._right[:, kernels]
        is_left = left < 0  # The left tail is known more exactly.
        log_share = np.log(np.where(is_left, shares, 1 - shares)) + self._log_mass[:, kernels]
        off = ndtri_exp(np.logaddexp(log_ndtr(np.where(is_left, left, -right)), log_share))
        off = np.clip(np.where(is_left, off, -off), left, right)
        numbers = off * self._sigma[:, kernels] + self._mu[:, kernels]
        np.exp(numbers, out=numbers, where=axes.is_log)
        has_steps = axes.step[:, 0] > 0
        if has_steps.any():
            low, step, high = axes.low[has_steps], axes.step[has_steps], axes.high[has_steps]
            on_steps = low + np.round((numbers[has_steps] - low) / step) * step
            numbers[has_steps] = np.clip(on_steps, low, high)
        return numbers

    def log_pdf(self, points: np.ndarray) -> np.ndarray:
        """Gives the logarithm of the density.

        Args:
            points: Points within the ranges, of shape (points, hyperparameters).

        Returns:
            An array of shape (points,).
        """
        total = np.tile(np.log(self._weights) - self._log_mass.sum(axis=0), (len(points), 1))
        for place, weights in self._of_choices.items():
            total += np.log(weights).T[points[:, place].astype(int)]
        numbers = points[:, self._axes.numbers].T
        has_steps = self._axes.step[:, 0] > 0
        for row in np.flatnonzero(~has_steps).tolist():
            self._add_log_density(total, row, numbers[row])
        steps = [(row, numbers[row]) for row in np.flatnonzero(has_steps).tolist()]
        prior = total[:, -1].copy()
        for row, each in steps:
            prior += self._log_mass_of_step(row, each, -1)
        # What is that far below the prior would be lost in the sum.
        near = np.flatnonzero(total >= prior[:, None] - _LOST)
        of_point, kernels = np.divmod(near, total.shape[1])
        log_densities = total.ravel()[near]
        for row, each in steps:
            log_densities += self._log_mass_of_step(row, each[of_point], kernels)
        starts = np.searchsorted(of_point, np.arange(len(points)))
        highest = np.maximum.reduceat(log_densities, starts)
        highest[np.isneginf(highest)] = 0
        with np.errstate(divide="ignore"):
            sums = np.add.reduceat(np.exp(log_densities - highest[of_point]), starts)
            return np.log(sums) + highest

    def _add_log_density(self, total: np.ndarray, row: int, numbers: np.ndarray) -> None:
        """Adds what numbers of a range without steps tell, to (points, kernels)."""
        sigma = self._sigma[row]
        scaled = np.log(numbers) if self._axes.is_log[row, 0] else numbers
        off = np.subtract.outer(scaled, self._mu[row])
        off *= math.sqrt(0.5) / sigma
        off *= off
        off += np.log(sigma) + _LOG_SQRT_2_PI
        total -= off

    def _log_mass_of_step(self, row: int, numbers: np.ndarray, kernels: Any) -> np.ndarray:
        """The logarithm of the mass of kernels within half a step of numbers."""
        half = self._axes.step[row, 0] / 2
        ends = [numbers - half, numbers + half]
        scaled = np.log(ends) if self._axes.is_log[row, 0] else np.array(ends)
        return _log_mass(*((scaled - self._mu[row, kernels]) / self._sigma[row, kernels]))


def _weights_of_choices(observed: np.ndarray, count: int) -> np.ndarray:
    """The weight of each choice in each kernel, that of the prior last."""
    kernels = len(observed) + 1
    weights = np.full((kernels, count), 1 / kernels)
    weights[np.arange(kernels - 1), observed] += 1
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def _widths(observed: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The standard deviation of each kernel: as far as the farther of its two neighbors is."""
    width, count = right - left, observed.shape[1]
    rows, order = np.arange(len(observed))[:, None], np.argsort(observed, axis=1)
    gaps = np.diff(np.concatenate([left, observed[rows, order], right], axis=1), axis=1)
    sorted_widths = np.maximum(gaps[:, :-1], gaps[:, 1:])
    if count >= 2:  # An end of the range is no neighbor.
        sorted_widths[:, 0], sorted_widths[:, -1] = gaps[:, 1], gaps[:, -2]
    widths = np.empty((len(observed), count + 1))
    widths[rows, order] = np.clip(sorted_widths, width / min(100.0, count + 2.0), width)
    widths[:, count:] = width
    return widths


def _log_mass(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The logarithm of a normal distribution's mass between points; far away minus infinity."""
    left, right = _in_left_tail(left, right)
    with np.errstate(divide="ignore"):
        return np.log(np.abs(ndtr(right) - ndtr(left)))


def _log_mass_within(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The same between the ends of a range, which a trial of an older range may be far from."""
    found = _log_mass(left, right)
    far = np.isneginf(found)
    if far.any():
        left, right = _in_left_tail(left[far], right[far])
        found[far] = log_ndtr(right) + np.log1p(-np.exp(log_ndtr(left) - log_ndtr(right)))
    return found


def _in_left_tail(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same interval, or its mirror image: the left tail is known more exactly."""
    is_right = left > 0
    if not is_right.any():
        return left, right
    return np.where(is_right, -right, left), np.where(is_right, -left, right)


class _RememberedSearchSpace:
    """The groups of hyperparameters that occur together, those met before remembered."""

    def __init__(self, study_name: str | None = None) -> None:
        self._study_name = study_name
        self._groups = _parts().group()
        self._shown = copy.deepcopy(self._groups)
        self._met: set[frozenset[str]] = set()
        self._seen: list[FrozenTrial] = []

    def calculate(self, study: optuna.Study, use_cache: bool = False) -> Any:
        """Gives the groups of all trials so far that count."""
        if self._study_name != study.study_name:
            vars(self).update(vars(_RememberedSearchSpace(study.study_name)))
        trials = study._get_trials(deepcopy=False, use_cache=use_cache)
        new, is_other = _not_seen(self._seen, trials)
        if is_other:
            self._groups = _parts().group()
            self._met.clear()
        before = len(self._met)
        for trial in new:
            names = frozenset(trial.distributions)
            if trial.state in _GOOD and names not in self._met:
                self._met.add(names)
                self._groups.add_distributions(trial.distributions)
        if is_other or len(self._met) > before:
            self._shown = copy.deepcopy(self._groups)
        return self._shown


@dataclass
class _Trials:
    """All trials of a study.

    Attributes:
        study: The study.
        each: Its trials.
        numbers: Their numbers.
    """

    study: optuna.Study
    each: list[FrozenTrial]
    numbers: np.ndarray


@dataclass
class _Seen:
    """What TPE sees as it is asked about a trial.

    Attributes:
        trials: The trials there are.
        asked: The number of the trial it is asked about.
        best: The places of the best trials, in the order of their numbers.
        others: The places of all others that count.
        ended_well: How many trials have ended well.
    """

    trials: _Trials
    asked: int
    best: np.ndarray
    others: np.ndarray
    ended_well: int

    def is_of(self, study: optuna.Study, trials: list[FrozenTrial], asked: int) -> bool:
        """Whether it is what is seen of some trials."""
        # The same trials are the same objects, which lists compare first.
        return self.trials.study is study and self.asked == asked and self.trials.each == trials


class _Table:
    """Rows of numbers about trials; those about trials that have ended are made once.

    Args:
        width: How long a row is.
    """

    def __init__(self, width: int) -> None:
        self._rows = np.empty((0, width))

    def of(
        self,
        trials: _Trials,
        places: np.ndarray,
        row: Callable[[FrozenTrial], Sequence[float]],
    ) -> np.ndarray:
        """Gives a row for each of some trials.

        Args:
            trials: The trials there are.
            places: The places of those to tell of.
            row: Makes a row, whose first number is not NaN.

        Returns:
            An array of shape (places, length of a row).
        """
        numbers = trials.numbers[places]
        missing = int(numbers.max(initial=-1)) + 1 - len(self._rows)
        if missing > 0:
            room = np.full((missing + len(trials.each), self._rows.shape[1]), np.nan)
            self._rows = np.concatenate([self._rows, room])
        found = self._rows[numbers]
        for new in np.flatnonzero(np.isnan(found[:, 0])):
            trial = trials.each[places[new]]
            found[new] = row(trial)
            if trial.state.is_finished():
                self._rows[trial.number] = found[new]
        return found


def _standing(trial: FrozenTrial, sign: float) -> tuple[int, float, float]:
    """What trials of a search with one objective are sorted by, the best first."""
    if trial.state == TrialState.RUNNING:
        return _RUNNING, 0.0, 0.0
    if trial.state not in _GOOD:
        return _OTHER, 0.0, 0.0
    violation = sum(max(by, 0.0) for by in trial.constraints.values())
    if violation > 0:
        return _INFEASIBLE, violation, 0.0
    if trial.state == TrialState.COMPLETE:
        return _COMPLETE, sign * trial.values[0], 0.0
    if not trial.intermediate_values:
        return _PRUNED, 1.0, 0.0
    step, value = max(trial.intermediate_values.items())
    return _PRUNED, -step, math.inf if math.isnan(value) else sign * value


def _observed(params: dict[str, Any], search_space: dict[str, BaseDistribution]) -> list[float]:
    """Whether a trial has all of some hyperparameters, and their values as numbers."""
    if not search_space.keys() <= params.keys():
        return [0.0] * (1 + len(search_space))
    return [1.0, *(each.to_internal_repr(params[name]) for name, each in search_space.items())]


class QuickTPESampler(TPESampler):
    """Optuna's TPE, which looks at new trials only where it can.

    Args:
        sampler: The sampler to take the settings and the random numbers of.
    """

    def __init__(self, sampler: TPESampler) -> None:
        vars(self).update(vars(sampler))
        self._begin("")
        if self._group_decomposed_search_space is not None:
            self._group_decomposed_search_space = _RememberedSearchSpace()  # type: ignore

    def _begin(self, study_name: str) -> None:
        """Forgets the trials of the study before."""
        self._study_name = study_name
        self._last_seen: _Seen | None = None
        self._standings = _Table(3)
        self._spaces: list[tuple[tuple[str, BaseDistribution], ...]] = []
        self._of_spaces: list[tuple[Axes, _Table]] = []

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_last_seen": None}

    def _sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        if not search_space or self._see(study, trial).ended_well < self._n_startup_trials:
            return {}
        return self._sample(study, trial, search_space)

    def _sample(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        below, above = self._kernels(self._see(study, trial), search_space)
        points = below.sample(self._rng.rng, self._n_ei_candidates)
        found = points[np.argmax(below.log_pdf(points) - above.log_pdf(points))].tolist()
        return {
            name: distribution.to_external_repr(value)
            for (name, distribution), value in zip(search_space.items(), found, strict=True)
        }

    def _see(self, study: optuna.Study, trial: FrozenTrial) -> _Seen:
        """Looks at the trials of a study; those of the last call are parted already."""
        if self._study_name != study.study_name:
            self._begin(study.study_name)
        trials = study._get_trials(deepcopy=False, use_cache=not self._constant_liar)
        last = self._last_seen
        if last is None or not last.is_of(study, trials, trial.number):
            numbers = np.array([one.number for one in trials], int)
            last = self._last_seen = self._part(_Trials(study, trials, numbers), trial.number)
        return last

    def _part(self, trials: _Trials, asked: int) -> _Seen:
        """Parts trials into the best and the others."""
        directions, places = trials.study.directions, np.argsort(trials.numbers)
        sign = -1.0 if directions[0] == StudyDirection.MAXIMIZE else 1.0
        row = functools.partial(_standing, sign=sign)
        standings = self._standings.of(trials, places, row)
        standings[trials.numbers[places] == asked, 0] = _OTHER
        kinds, several = standings[:, 0], len(directions) > 1
        ended_well = int((kinds <= _INFEASIBLE).sum())
        n_below = (self._gamma or _parts().gammas[several])(ended_well)
        counts = kinds <= (_RUNNING if self._constant_liar else _INFEASIBLE)
        if several:
            counted = [trials.each[place] for place in places[counts]]
            best, _ = _parts().split(trials.study, counted, n_below)
            is_best = np.isin(trials.numbers[places], [one.number for one in best])
        else:
            is_best = np.zeros(len(places), bool)
            is_best[np.lexsort(standings.T[::-1])[: min(n_below, ended_well)]] = True
        return _Seen(trials, asked, places[is_best], places[counts & ~is_best], ended_well)

    def _kernels(
        self, seen: _Seen, search_space: dict[str, BaseDistribution]
    ) -> tuple[Kernels, Kernels]:
        """The densities of the best trials and the others, of those with all hyperparameters."""
        study, space = seen.trials.study, tuple(search_space.items())
        if space not in self._spaces:
            self._of_spaces.append((Axes(search_space.values()), _Table(1 + len(space))))
            self._spaces.append(space)
        axes, table = self._of_spaces[self._spaces.index(space)]
        rows = table.of(
            seen.trials,
            np.concatenate([seen.best, seen.others]),
            lambda trial: _observed(self._get_params(trial, study), search_space),
        )
        parts = np.split(rows, [len(seen.best)])
        below, above = (part[part[:, 0] == 1, 1:] for part in parts)
        return Kernels(axes, below, len(study.directions) > 1), Kernels(axes, above)


def _not_seen(seen: list[FrozenTrial], trials: list[FrozenTrial]) -> tuple[list[FrozenTrial], bool]:
    """The trials behind those that were seen when they had ended, and notes which have now.

    Those of another study, which may have the same id, are all new; that is told too.
    """
    # The same trials are the same objects, which lists compare first.
    is_other = trials[: len(seen)] != seen
    if is_other:
        seen.clear()
    new = trials[len(seen) :]
    seen += takewhile(lambda trial: trial.state.is_finished(), new)
    return new, is_other
