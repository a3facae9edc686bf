"""Optuna's TPE, asked in a third of the time.

At 1,000 trials most of an ask goes into the integral of the normal distribution, taken number by
number in Python, and into reading all trials anew for each group of hyperparameters: the groups
themselves, the values within, the constraints they break and who is among the best. SciPy takes
the first for whole arrays; of trials with the same hyperparameters one is looked at, the values of
a trial that has ended are read once, constraints are looked for where something is noted at all,
and the same trials are parted once. At 10,000 even looking at each of them takes longer than the
arithmetic: where one objective orders all, those that have ended are known as arrays.

Optuna itself stays as it is: what runs with other functions is a copy of its code.
"""

from __future__ import annotations

import copy
import functools
import importlib.util
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from scipy.special import erf, log_ndtr

_GOOD = (TrialState.COMPLETE, TrialState.PRUNED)
_OVERRIDDEN = ("_sample", "_get_internal_repr", "_build_parzen_estimator")
_ASKED = ("_get_params", "_compute_acquisition_func", "_compare")
_KEPT = (
    "_gamma", "_constant_liar", "_rng", "_n_ei_candidates", "_group_decomposed_search_space",
)  # fmt: skip


def quick(sampler: BaseSampler) -> BaseSampler:
    """Makes a quicker sampler that proposes the same.

    Args:
        sampler: The sampler, which stays as it is.

    Returns:
        A sampler with the same settings and random numbers; the sampler itself where it is not
        Optuna's TPE, or that has changed.

    Example:
        >>> isinstance(quick(TPESampler(seed=0)), TPESampler)
        True
    """
    if type(sampler) is not TPESampler or not _is_as_expected(sampler):
        return sampler
    return QuickTPESampler(sampler)


def _is_as_expected(sampler: TPESampler) -> bool:
    """Tells whether Optuna still has what is used of it here."""
    try:
        _copies()
    except (ImportError, AttributeError):
        return False
    groups = getattr(sampler, "_group_decomposed_search_space", None)
    return (
        all(hasattr(TPESampler, name) for name in (*_OVERRIDDEN, *_ASKED))
        and all(hasattr(sampler, name) for name in _KEPT)
        and hasattr(optuna.Study, "_get_trials")
        and (groups is None or hasattr(groups, "calculate"))
    )


class _Copies:
    """Optuna's own code with quicker functions in the place of some that it calls.

    Attributes:
        mixture: The class of a mixture of distributions.
        sample: `TPESampler._sample`.
        default_gamma: How many of some trials are the best, where a user has not said it.
        group: The class of groups of hyperparameters.

    Raises:
        ImportError: If a module is gone.
        AttributeError: If a name is.
    """

    def __init__(self) -> None:
        from optuna.samplers._tpe import _truncnorm, probability_distributions
        from optuna.samplers._tpe import sampler as tpe
        from optuna.search_space import group_decomposed

        normal = _copied(_truncnorm, _log_ndtr=log_ndtr, erf=erf)
        mixture = probability_distributions._MixtureOfProductDistribution
        mass = _rebound(probability_distributions._log_gauss_mass_unique, _truncnorm=normal)
        methods = {
            "sample": _rebound(mixture.sample, _truncnorm=normal),
            "log_pdf": _rebound(mixture.log_pdf, _truncnorm=normal, _log_gauss_mass_unique=mass),
        }
        self.mixture: Any = type("QuickMixture", (mixture,), methods)
        score = tpe._get_infeasible_trial_score
        split = _rebound(
            tpe._split_trials,
            _get_infeasible_trial_score=lambda trial: score(trial) if trial.system_attrs else 0.0,
        )
        self.sample = _rebound(TPESampler._sample, _split_trials=_RememberedSplit(split))
        self.default_gamma = tpe.default_gamma
        self.group = group_decomposed._SearchSpaceGroup


@functools.cache
def _copies() -> _Copies:
    return _Copies()


def _copied(module: ModuleType, **changed: Any) -> Any:
    """Runs the code of a module again, as another module, and gives that other functions."""
    spec = module.__spec__
    assert spec is not None and spec.loader is not None
    other = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(other)
    for name, value in changed.items():
        getattr(module, name)
        setattr(other, name, value)
    return other


def _rebound(function: Any, **changed: Any) -> Any:
    """A copy of a function that finds other things under some names of its module."""
    missing = changed.keys() - {*function.__code__.co_names}
    if missing:
        raise AttributeError(f"{function.__qualname__} does not use {', '.join(missing)}.")
    other = FunctionType(
        function.__code__,
        {**function.__globals__, **changed},
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    other.__kwdefaults__ = function.__kwdefaults__
    return other


Parted = tuple[list[FrozenTrial], list[FrozenTrial]]


class _RememberedSplit:
    """Parts trials into the best and the others; the trials of the last call only once."""

    def __init__(self, split: Callable[[optuna.Study, list[FrozenTrial], int], Parted]) -> None:
        self._split = split
        self._last = threading.local()

    def __call__(self, study: optuna.Study, trials: list[FrozenTrial], n_below: int) -> Parted:
        last = self._last
        if not self._is_last(study, trials, n_below):
            last.parts = self._split(study, trials, n_below)
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


class _RememberedSearchSpace:
    """The groups of hyperparameters that occur together, those met before remembered."""

    def __init__(self) -> None:
        self._study_name: str | None = None
        self._groups = _copies().group()
        self._met: set[frozenset[str]] = set()
        self._seen: list[FrozenTrial] = []

    def calculate(self, study: optuna.Study, use_cache: bool = False) -> Any:
        """Gives the groups of all trials so far that count."""
        if self._study_name != study.study_name:
            self._study_name, self._groups = study.study_name, _copies().group()
            self._met.clear()
            self._seen.clear()
        trials = study._get_trials(deepcopy=False, use_cache=use_cache)
        new, is_other = _not_seen(self._seen, trials)
        if is_other:
            self._groups = _copies().group()
            self._met.clear()
        for trial in new:
            names = frozenset(trial.distributions)
            if trial.state in _GOOD and names not in self._met:
                self._met.add(names)
                self._groups.add_distributions(trial.distributions)
        return copy.deepcopy(self._groups)


@dataclass
class _Picked:
    """Some of the trials of a study, by their numbers."""

    trials: Sequence[FrozenTrial]
    numbers: np.ndarray

    def at(self, index: int) -> FrozenTrial:
        return self.trials[int(self.numbers[index])]


class _RememberedValues:
    """The values of trials as numbers; those of trials that have ended are read once."""

    def __init__(self) -> None:
        self._study_name: str | None = None
        self.tables: dict[tuple[tuple[str, BaseDistribution], ...], np.ndarray] = {}

    def of(
        self,
        trials: Sequence[FrozenTrial] | _Picked,
        search_space: dict[str, BaseDistribution],
        study: optuna.Study,
        params_of: Callable[[FrozenTrial, optuna.Study], dict[str, Any]],
    ) -> dict[str, np.ndarray]:
        """Gives the values of each hyperparameter in the trials that have all of them."""
        if self._study_name != study.study_name:
            self._study_name, self.tables = study.study_name, {}
        if isinstance(trials, _Picked):
            numbers = trials.numbers
        else:
            numbers = np.array([trial.number for trial in trials], int)
        table = self._table(search_space, int(numbers.max(initial=-1)) + 1)
        found = table[numbers]
        for place in np.flatnonzero(np.isnan(found[:, -1])):
            index = int(place)
            trial = trials.at(index) if isinstance(trials, _Picked) else trials[index]
            found[place] = _row(params_of(trial, study), search_space)
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


def _row(params: dict[str, Any], search_space: dict[str, BaseDistribution]) -> list[float]:
    if not search_space.keys() <= params.keys():
        return [0.0] * (len(search_space) + 1)
    return [*(each.to_internal_repr(params[name]) for name, each in search_space.items()), 1.0]


class _Losses:
    """The values of the trials of a study; those of trials that have ended are read once."""

    def __init__(self) -> None:
        self._ended: list[FrozenTrial] = []
        self._values: list[float] = []
        self._are_plain: list[bool] = []

    def of(self, trials: list[FrozenTrial], values: _RememberedValues) -> tuple[np.ndarray, bool]:
        """Gives the values of trials, NaN for those without, and whether nothing else counts."""
        new, is_other = _not_seen(self._ended, trials)
        if is_other:
            values.tables.clear()
        before = len(trials) - len(new)
        losses = self._values[:before] + [_value(trial) for trial in new]
        are_plain = self._are_plain[:before] + [_is_plain(trial) for trial in new]
        self._values, self._are_plain = losses[: len(self._ended)], are_plain[: len(self._ended)]
        return np.array(losses, float), all(are_plain)

    @property
    def count(self) -> int:
        """How many of the first trials have ended, one after the other."""
        return len(self._ended)


class QuickTPESampler(TPESampler):
    """Optuna's TPE, which looks at new trials only where it can.

    That is where one objective orders all of them: no trial was pruned or breaks a constraint.

    Args:
        sampler: The sampler to take the settings and the random numbers of.
    """

    def __init__(self, sampler: TPESampler) -> None:
        vars(self).update(vars(sampler))
        self._remembered = _RememberedValues()
        self._losses = _Losses()
        if self._group_decomposed_search_space is not None:
            self._group_decomposed_search_space = _RememberedSearchSpace()  # type: ignore

    def _get_internal_repr(
        self,
        trials: list[FrozenTrial] | _Picked,
        search_space: dict[str, BaseDistribution],
        study: optuna.Study,
    ) -> dict[str, np.ndarray]:
        return self._remembered.of(trials, search_space, study, self._get_params)

    def _build_parzen_estimator(self, *args: Any, **kwargs: Any) -> Any:
        made = super()._build_parzen_estimator(*args, **kwargs)
        mixture, quicker = getattr(made, "_mixture_distribution", None), _copies().mixture
        if type(mixture) is quicker.__base__:
            made._mixture_distribution = quicker(*mixture)  # type: ignore[misc]
        return made

    def _sample(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        trials = study._get_trials(deepcopy=False, use_cache=not self._constant_liar)
        losses, is_plain = self._losses.of(trials, self._remembered)
        if not is_plain or len(study.directions) > 1:
            return _copies().sample(self, study, trial, search_space)
        if study.direction == StudyDirection.MAXIMIZE:
            losses = -losses
        below, above = (
            self._build_parzen_estimator(study, search_space, part, handle_below=is_below)
            for part, is_below in zip(
                self._split(trials, losses, trial.number), (True, False), strict=True
            )
        )
        candidates = below.sample(self._rng.rng, self._n_ei_candidates)
        values = self._compute_acquisition_func(candidates, below, above)
        best = TPESampler._compare(candidates, values)
        return {name: each.to_external_repr(best[name]) for name, each in search_space.items()}

    def _split(
        self, trials: list[FrozenTrial], losses: np.ndarray, asked: int
    ) -> tuple[_Picked, _Picked]:
        """Parts trials into the best and the others, with those that run unless they are asked."""
        self._gamma = self._gamma or _copies().default_gamma
        complete = np.flatnonzero(~np.isnan(losses))
        order = np.argsort(losses[complete], kind="stable")
        is_below = np.zeros(len(trials), bool)
        is_below[complete[order[: self._gamma(len(complete))]]] = True
        is_above = ~np.isnan(losses) & ~is_below
        if self._constant_liar:
            for number in range(self._losses.count, len(trials)):
                is_running = trials[number].state == TrialState.RUNNING
                is_above[number] |= is_running and number != asked
        below, above = (_Picked(trials, np.flatnonzero(part)) for part in (is_below, is_above))
        return below, above


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
