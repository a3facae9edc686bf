"""Optuna's TPE, asked in a fraction of the time.

At 1,000 trials most of an ask goes into the integral of the normal distribution, taken number by
number in Python, into densities whose intermediate results are arrays of points, trials and
hyperparameters, and into reading all trials anew for each group of hyperparameters: the groups
themselves, the values within, the constraints they break and who is among the best. SciPy takes
the first for whole arrays; densities are added up one hyperparameter after the other; of trials
with the same hyperparameters one is looked at, the values of a trial that has ended are read once,
constraints are looked for where something is noted at all, and the same trials are parted once.

Optuna itself stays as it is: what runs with other functions is a copy of its code.
"""

from __future__ import annotations

import copy
import functools
import importlib.util
import math
import threading
from collections.abc import Callable, Sequence
from itertools import takewhile
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState
from scipy.special import erf, log_ndtr, ndtr

_GOOD = (TrialState.COMPLETE, TrialState.PRUNED)
_KERNELS = (
    "_BatchedTruncNormDistributions",
    "_BatchedTruncLogNormDistributions",
    "_BatchedDiscreteTruncNormDistributions",
    "_BatchedDiscreteTruncLogNormDistributions",
)
_OVERRIDDEN = ("_sample", "_get_internal_repr", "_build_parzen_estimator")


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
    if not hasattr(sampler, "_group_decomposed_search_space"):
        return False
    groups = sampler._group_decomposed_search_space
    return (
        all(hasattr(TPESampler, name) for name in (*_OVERRIDDEN, "_get_params"))
        and hasattr(optuna.Study, "_get_trials")
        and (groups is None or hasattr(groups, "calculate"))
    )


class _Copies:
    """Optuna's own code with quicker functions in the place of some that it calls.

    Attributes:
        mixture: The class of a mixture of distributions.
        sample: `TPESampler._sample`.
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
        for kind in _KERNELS:
            for name in ("mu", "sigma", "step", "is_log", "adapted_low", "adapted_high"):
                getattr(getattr(probability_distributions, kind), name)
        methods = {
            "sample": _rebound(mixture.sample, _truncnorm=normal),
            "log_pdf": functools.partialmethod(_log_pdf, normal._log_gauss_mass),
        }
        self.mixture: Any = type("QuickMixture", (mixture,), methods)
        score = tpe._get_infeasible_trial_score
        split = _rebound(
            tpe._split_trials,
            _get_infeasible_trial_score=lambda trial: score(trial) if trial.system_attrs else 0.0,
        )
        self.sample = _rebound(TPESampler._sample, _split_trials=_RememberedSplit(split))
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


def _log_pdf(mixture: Any, log_mass: Callable[..., np.ndarray], x: np.ndarray) -> np.ndarray:
    """The logarithm of a mixture's density at points, as Optuna's own `log_pdf` gives it.

    Args:
        mixture: `_MixtureOfProductDistribution`: a kernel a trial, and the prior as the last one.
        log_mass: Gives the logarithm of the normal distribution's mass between two arrays.
        x: The points, of shape (points, hyperparameters).

    Returns:
        An array of shape (points,).
    """
    if not mixture.weights[-1]:  # Without a prior a point may be far from all kernels.
        return super(type(mixture), mixture).log_pdf(x)
    with np.errstate(divide="ignore"):
        total = np.tile(np.log(mixture.weights), (len(x), 1))
        for each, column in zip(mixture.distributions, x.T, strict=True):
            if not hasattr(each, "mu"):
                total += np.log(each.weights).T[column.astype(int)]
                continue
            low, high, mu, sigma = each.adapted_low, each.adapted_high, each.mu, each.sigma
            scaled: Any = np.log if each.is_log else np.asarray
            total -= log_mass((low - mu) / sigma, (high - mu) / sigma)
            if each.step:
                left, right = scaled(column - each.step / 2), scaled(column + each.step / 2)
                total += _log_mass_between(left, right, mu, sigma)
            else:
                point = scaled(column)
                off = np.subtract.outer(point, mu)
                off /= sigma
                off *= off
                off /= 2
                total -= off
                total -= np.log(math.sqrt(2 * math.pi) * sigma)
                total[(point < low) | (point > high)] = -np.inf
        highest = total.max(axis=1, keepdims=True)
        highest[np.isneginf(highest)] = 0
        total -= highest
        return np.log(np.exp(total, out=total).sum(axis=1)) + highest[:, 0]


def _log_mass_between(
    left: np.ndarray, right: np.ndarray, mu: np.ndarray, sigma: np.ndarray
) -> np.ndarray:
    """The logarithm of the mass of every kernel between points; of one far away minus infinity."""
    a, b = ((np.subtract.outer(end, mu)) / sigma for end in (left, right))
    to_left = -np.copysign(1.0, a)  # The left tail is known more exactly.
    return np.log(np.abs(ndtr(b * to_left) - ndtr(a * to_left)))


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

    def __init__(self, study_name: str | None = None) -> None:
        self._study_name = study_name
        self._groups = _copies().group()
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
            self._groups = _copies().group()
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


class _RememberedValues:
    """The values of trials as numbers; those of trials that have ended are read once."""

    def __init__(self) -> None:
        self._study_name: str | None = None
        self.tables: dict[tuple[tuple[str, BaseDistribution], ...], np.ndarray] = {}

    def of(
        self,
        trials: Sequence[FrozenTrial],
        search_space: dict[str, BaseDistribution],
        study: optuna.Study,
        params_of: Callable[[FrozenTrial, optuna.Study], dict[str, Any]],
    ) -> dict[str, np.ndarray]:
        """Gives the values of each hyperparameter in the trials that have all of them."""
        if self._study_name != study.study_name:
            self._study_name, self.tables = study.study_name, {}
        numbers = np.array([trial.number for trial in trials], int)
        table = self._table(search_space, int(numbers.max(initial=-1)) + 1)
        found = table[numbers]
        for place in np.flatnonzero(np.isnan(found[:, -1])):
            trial = trials[int(place)]
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


class QuickTPESampler(TPESampler):
    """Optuna's TPE, which looks at new trials only where it can.

    Args:
        sampler: The sampler to take the settings and the random numbers of.
    """

    def __init__(self, sampler: TPESampler) -> None:
        vars(self).update(vars(sampler))
        self._remembered = _RememberedValues()
        if self._group_decomposed_search_space is not None:
            self._group_decomposed_search_space = _RememberedSearchSpace()  # type: ignore

    def _get_internal_repr(
        self,
        trials: list[FrozenTrial],
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
        return _copies().sample(self, study, trial, search_space)


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
