"""Values as a sampler of Optuna's sees them: each by its place, where the values have an order.

Optuna's distributions know no order of choices, no step that multiplies, and no reversed logarithm.
A sampler sees the place of a value instead, and learns that 32 lies between 16 and 64. The record
holds the values.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import takewhile
from typing import Any, TypeGuard

import keras_tuner
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial

from kt_hpo._private_apis.optuna import StorageView, study_on
from kt_hpo.engines.proposals.observations import is_choice, to_unit
from kt_hpo.space import domain, ranges
from kt_hpo.space.hyperparameters import HyperParameter
from kt_hpo.space.kinds import Choice, Float, Int, Value, corrected
from kt_hpo.space.scopes import recorded_names


class SeenValues:
    """What a sampler sees that is to see the values as they are in the record.

    Example:
        >>> SeenValues().distribution(Choice("units", [16, 32, 64]))
        CategoricalDistribution(choices=(16, 32, 64))
    """

    def study(self, study: optuna.Study, known: keras_tuner.HyperParameters) -> optuna.Study:
        """Gives a study as the sampler sees it.

        Args:
            study: The study.
            known: The search space.

        Returns:
            The study itself where nothing is seen in another way.
        """
        return study

    def trial(self, trial: FrozenTrial) -> FrozenTrial:
        """Gives a trial as the sampler sees it."""
        return trial

    def distribution(self, hyperparameter: HyperParameter) -> BaseDistribution:
        """Gives the distribution that the sampler is asked for a value of."""
        return domain.to_distribution(hyperparameter)

    def to_seen(self, hyperparameter: HyperParameter, value: Value) -> Value:
        """Gives a value as the sampler sees it."""
        return value

    def to_value(self, hyperparameter: HyperParameter, seen: Any) -> Value:
        """Gives the value that the sampler means: the nearest one where a step multiplies."""
        if _multiplies(hyperparameter):
            return _value_at(hyperparameter, ranges.nearest(hyperparameter, seen))
        return seen


class SeenPlaces(SeenValues):
    """What a sampler sees that is to know every order there is.

    The places of an ordered choice, and of a range whose step multiplies, are whole numbers from 0;
    those of a reversed logarithm are numbers from 0 to 1. Trials that have ended are looked at
    once.

    Example:
        >>> places, units = SeenPlaces(), Choice("units", [64, 16, 32])
        >>> places.distribution(units)
        IntDistribution(high=2, log=False, low=0, step=1)
        >>> places.to_seen(units, 64), places.to_value(units, 0)
        (2, 16)
    """

    def __init__(self) -> None:
        self._shown: dict[str, HyperParameter] = {}
        self._ended: list[FrozenTrial] = []
        self._seen: list[FrozenTrial] = []

    def study(self, study: optuna.Study, known: keras_tuner.HyperParameters) -> optuna.Study:
        """As `SeenValues.study`."""
        named = ((name, corrected(one)) for one, name in recorded_names(known))
        shown = {name: one for name, one in named if _has_places(one)}
        if {n: one.get_config() for n, one in shown.items()} != {
            n: one.get_config() for n, one in self._shown.items()
        }:
            self._shown, self._ended, self._seen = shown, [], []
        return study_on(_SeenStorage(study, self), study) if shown else study

    def trials(self, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
        """Gives the trials of a study as the sampler sees them, in their order."""
        # The same trials are the same objects, which lists compare first.
        if list(trials[: len(self._ended)]) != self._ended:
            self._ended, self._seen = [], []
        new = trials[len(self._ended) :]
        found = self._seen + [self.trial(trial) for trial in new]
        self._ended += takewhile(lambda trial: trial.state.is_finished(), new)
        self._seen = found[: len(self._ended)]
        return found

    def trial(self, trial: FrozenTrial) -> FrozenTrial:
        """As `SeenValues.trial`; values outside of their ranges stay as they are."""
        shown = {
            name: one
            for name, one in self._shown.items()
            if name in trial.params and domain.holds(one, trial.params[name])
        }
        if not shown:
            return trial
        made = copy.copy(trial)
        places = {name: self.to_seen(one, trial.params[name]) for name, one in shown.items()}
        made.params = trial.params | places
        made.distributions = trial.distributions | {
            name: self.distribution(one) for name, one in shown.items()
        }
        return made

    def distribution(self, hyperparameter: HyperParameter) -> BaseDistribution:
        """As `SeenValues.distribution`."""
        if not _has_places(hyperparameter):
            return domain.to_distribution(hyperparameter)
        count = _count(hyperparameter)
        return FloatDistribution(0.0, 1.0) if count is None else IntDistribution(0, count - 1)

    def to_seen(self, hyperparameter: HyperParameter, value: Value) -> Value:
        """As `SeenValues.to_seen`."""
        if not _has_places(hyperparameter):
            return value
        if isinstance(hyperparameter, Choice):
            return sorted(set(hyperparameter.values)).index(value)
        assert isinstance(hyperparameter, Int | Float) and not isinstance(value, str)
        if hyperparameter.step is None:
            return to_unit(hyperparameter, value)
        return ranges.nearest(hyperparameter, value)

    def to_value(self, hyperparameter: HyperParameter, seen: Any) -> Value:
        """As `SeenValues.to_value`."""
        if not _has_places(hyperparameter):
            return seen
        if isinstance(hyperparameter, Choice):
            return sorted(set(hyperparameter.values))[seen]
        assert isinstance(hyperparameter, Int | Float)
        if hyperparameter.step is None:
            return hyperparameter.prob_to_value(seen)
        return _value_at(hyperparameter, seen)


def _has_places(hyperparameter: HyperParameter) -> bool:
    """Whether a sampler sees places in place of values."""
    if isinstance(hyperparameter, Choice):
        return not is_choice(hyperparameter) and len(set(hyperparameter.values)) > 2
    if not isinstance(hyperparameter, Int | Float):
        return False
    return _multiplies(hyperparameter) or hyperparameter.sampling == "reverse_log"


def _multiplies(hyperparameter: HyperParameter) -> TypeGuard[Int | Float]:
    """Whether the step of a range multiplies, which Optuna's distributions cannot say."""
    return (
        isinstance(hyperparameter, Int | Float)
        and hyperparameter.step is not None
        and hyperparameter.sampling != "linear"
    )


def _value_at(hyperparameter: Int | Float, place: int) -> Value:
    value = ranges.value_at(hyperparameter, place)
    return int(value) if isinstance(hyperparameter, Int) else value


def _count(hyperparameter: HyperParameter) -> int | None:
    """How many places there are; None where there is no end of them."""
    if isinstance(hyperparameter, Choice):
        return len(set(hyperparameter.values))
    return None if hyperparameter.step is None else ranges.count(hyperparameter)


class _SeenStorage(StorageView):
    """A storage whose trials are as a sampler sees them."""

    def __init__(self, study: optuna.Study, places: SeenPlaces) -> None:
        super().__init__(study)
        self._places = places

    def _seen(self, trials: list[FrozenTrial]) -> list[FrozenTrial]:
        return self._places.trials(trials)

    def get_trial(self, trial_id: int) -> FrozenTrial:
        return self._places.trial(self._storage.get_trial(trial_id))
