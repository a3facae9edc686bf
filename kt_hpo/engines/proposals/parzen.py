"""Optuna's TPE, asked in a third of the time.

At 1,000 trials most of an ask goes into the integral of the normal distribution, taken number by
number in Python, and into reading all trials anew for each group of hyperparameters: the groups
themselves, the values within, the constraints they break and who is among the best. SciPy takes
the first for whole arrays; of trials with the same hyperparameters one is looked at, the values of
a trial that has ended are read once, constraints are looked for where something is noted at all,
and the same trials are parted once. At 10,000 even looking at each of them takes longer than the
arithmetic: where one objective orders all, those that have ended are known as arrays.
"""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import TPESampler
from optuna.samplers._tpe import _truncnorm
from optuna.samplers._tpe import sampler as _tpe
from optuna.search_space.group_decomposed import _GroupDecomposedSearchSpace, _SearchSpaceGroup
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from scipy.special import erf, log_ndtr

_GOOD = (TrialState.COMPLETE, TrialState.PRUNED)
_infeasible_score_of = _tpe._get_infeasible_trial_score


def quicken(sampler: TPESampler) -> None:
    """Makes a sampler quicker; what it proposes stays the same.

    Args:
        sampler: The sampler. What does not depend on it serves every TPE of this process then.

    Example:
        >>> quicken(TPESampler(seed=0))
    """
    _truncnorm._log_ndtr, _truncnorm.erf = log_ndtr, erf
    _tpe._get_infeasible_trial_score, _tpe._split_trials = _infeasible_score, _split_trials
    if type(sampler._group_decomposed_search_space) is _GroupDecomposedSearchSpace:
        sampler._group_decomposed_search_space = _RememberedSearchSpace()
    if type(sampler)._get_internal_repr is TPESampler._get_internal_repr:
        values = sampler._get_internal_repr = _RememberedValues(sampler)  # type: ignore
        if type(sampler)._sample is TPESampler._sample:
            sampler._sample = _QuickSample(sampler, values)  # type: ignore[method-assign]


def _infeasible_score(trial: FrozenTrial) -> float:
    return _infeasible_score_of(trial) if trial.system_attrs else 0.0


class _RememberedSplit:
    """Parts trials into the best and the others; the trials of the last call only once."""

    def __init__(self) -> None:
        self._split_trials = _tpe._split_trials
        self._last = threading.local()

    def __call__(
        self, study: optuna.Study, trials: list[FrozenTrial], n_below: int
    ) -> tuple[list[FrozenTrial], list[FrozenTrial]]:
        last = self._last
        if not self._is_last(study, trials, n_below):
            last.parts = self._split_trials(study, trials, n_below)
            last.study, last.trials, last.n_below = study, trials, n_below
        return last.parts

    def _is_last(self, study: optuna.Study, trials: list[FrozenTrial], n_below: int) -> bool:
        last = self._last
        # The same trials are the same objects, which lists compare first.
        return (
            getattr(last, "study", None) is study
            and last.n_below == n_below
            and last.trials == trials
        )


_split_trials = _RememberedSplit()


class _RememberedSearchSpace(_GroupDecomposedSearchSpace):
    """The groups of hyperparameters that occur together, those met before remembered."""

    def __init__(self) -> None:
        super().__init__(include_pruned=True)
        self._met: set[frozenset[str]] = set()
        self._seen: list[FrozenTrial] = []

    def calculate(self, study: optuna.Study, use_cache: bool = False) -> _SearchSpaceGroup:
        if self._study_id != study._study_id:
            self._study_id, self._search_space = study._study_id, _SearchSpaceGroup()
            self._met.clear()
            self._seen.clear()
        trials = study._get_trials(deepcopy=False, use_cache=use_cache)
        new, is_other = _not_seen(self._seen, trials)
        if is_other:
            self._search_space = _SearchSpaceGroup()
            self._met.clear()
        for trial in new:
            names = frozenset(trial.distributions)
            if trial.state in _GOOD and names not in self._met:
                self._met.add(names)
                self._search_space.add_distributions(trial.distributions)
        return copy.deepcopy(self._search_space)


@dataclass
class _Picked:
    """Some of the trials of a study, by their numbers."""

    trials: Sequence[FrozenTrial]
    numbers: np.ndarray

    def at(self, index: int) -> FrozenTrial:
        return self.trials[int(self.numbers[index])]


class _RememberedValues:
    """The values of trials as numbers; those of trials that have ended are read once."""

    def __init__(self, sampler: TPESampler) -> None:
        self._sampler = sampler
        self._study_id: int | None = None
        self.tables: dict[tuple[tuple[str, BaseDistribution], ...], np.ndarray] = {}

    def __call__(
        self,
        trials: Sequence[FrozenTrial] | _Picked,
        search_space: dict[str, BaseDistribution],
        study: optuna.Study,
    ) -> dict[str, np.ndarray]:
        if self._study_id != study._study_id:
            self._study_id, self.tables = study._study_id, {}
        if isinstance(trials, _Picked):
            numbers = trials.numbers
        else:
            numbers = np.array([trial.number for trial in trials], int)
        table = self._table(search_space, int(numbers.max(initial=-1)) + 1)
        found = table[numbers]
        for place in np.flatnonzero(np.isnan(found[:, -1])):
            index = int(place)
            trial = trials.at(index) if isinstance(trials, _Picked) else trials[index]
            found[place] = self._read(trial, search_space, study)
            if trial.state.is_finished():
                table[trial.number] = found[place]
        columns = found[found[:, -1] == 1, :-1].T
        return dict(zip(search_space, columns, strict=True))

    def _table(self, search_space: dict[str, BaseDistribution], size: int) -> np.ndarray:
        """A row a trial: its values, and whether it has all of them, NaN before it was read."""
        space = tuple(search_space.items())
        table = self.tables.get(space, np.empty((0, len(space) + 1)))
        if len(table) < size:
            larger = np.full((2 * size, len(space) + 1), np.nan)
            larger[: len(table)] = table
            table = self.tables[space] = larger
        return table

    def _read(
        self, trial: FrozenTrial, search_space: dict[str, BaseDistribution], study: optuna.Study
    ) -> list[float]:
        params = self._sampler._get_params(trial, study)
        if not search_space.keys() <= params.keys():
            return [0.0] * (len(search_space) + 1)
        return [*(each.to_internal_repr(params[name]) for name, each in search_space.items()), 1.0]


class _QuickSample:
    """Optuna's own `_sample`, which looks at new trials only where it can.

    That is where one objective orders all of them: no trial was pruned or breaks a constraint.
    """

    def __init__(self, sampler: TPESampler, remembered: _RememberedValues) -> None:
        self._sampler = sampler
        self._remembered = remembered
        self._ended: list[FrozenTrial] = []
        self._values: list[float] = []
        self._are_plain: list[bool] = []

    def __call__(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        sampler = self._sampler
        trials = study._get_trials(deepcopy=False, use_cache=not sampler._constant_liar)
        losses, is_plain = self._read(trials)
        if not is_plain or len(study.directions) > 1:
            return TPESampler._sample(sampler, study, trial, search_space)
        if study.direction == StudyDirection.MAXIMIZE:
            losses = -losses
        sampler._gamma = sampler._gamma or _tpe.default_gamma
        complete = np.flatnonzero(~np.isnan(losses))
        order = np.argsort(losses[complete], kind="stable")
        is_below = np.zeros(len(trials), bool)
        is_below[complete[order[: sampler._gamma(len(complete))]]] = True
        is_above = ~np.isnan(losses) & ~is_below
        if sampler._constant_liar:
            for number in range(len(self._ended), len(trials)):
                is_running = trials[number].state == TrialState.RUNNING
                is_above[number] |= is_running and number != trial.number
        below, above = (
            sampler._build_parzen_estimator(
                study,
                search_space,
                _Picked(trials, np.flatnonzero(part)),  # type: ignore[arg-type]
                handle_below=part is is_below,
            )
            for part in (is_below, is_above)
        )
        candidates = below.sample(sampler._rng.rng, sampler._n_ei_candidates)
        values = sampler._compute_acquisition_func(candidates, below, above)
        best = TPESampler._compare(candidates, values)
        return {name: each.to_external_repr(best[name]) for name, each in search_space.items()}

    def _read(self, trials: list[FrozenTrial]) -> tuple[np.ndarray, bool]:
        """The values of trials, NaN for those without, and whether nothing else counts."""
        new, is_other = _not_seen(self._ended, trials)
        if is_other:
            self._remembered.tables.clear()
        before = len(trials) - len(new)
        values = self._values[:before] + [_value(trial) for trial in new]
        are_plain = self._are_plain[:before] + [_is_plain(trial) for trial in new]
        self._values, self._are_plain = values[: len(self._ended)], are_plain[: len(self._ended)]
        return np.array(values, float), all(are_plain)


def _value(trial: FrozenTrial) -> float:
    return float(trial.values[0]) if trial.state == TrialState.COMPLETE else math.nan


def _is_plain(trial: FrozenTrial) -> bool:
    return trial.state != TrialState.PRUNED and not trial.constraints


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
