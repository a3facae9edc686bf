"""A trial that a sampler is asked about before it is in the record.

Optuna's samplers are asked about a trial that the storage holds already, and each value is a write
of its own. Here the trial is staged beside the storage, so that it is written whole, in one write,
and only if it is wanted.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from kt_hpo._private_apis.optuna import StorageView, study_on, trials_of_bracket
from kt_hpo.space import domain, revisions
from kt_hpo.space.hyperparameters import HyperParameters

_STAGED = -1


class _WithStaged(StorageView):
    """A storage that seems to hold one trial more."""

    def __init__(self, study: optuna.Study, trial: FrozenTrial) -> None:
        super().__init__(study)
        self._trial = trial
        self._all: list[FrozenTrial] | None = None

    def _trials(self, study_id: int) -> list[FrozenTrial]:
        # A sampler asks several times for one trial, and each takes as long as there are many.
        if self._all is None:
            self._all = super()._trials(study_id)
        return self._all

    def _seen(self, trials: list[FrozenTrial]) -> list[FrozenTrial]:
        return [*trials, self._trial]

    def get_trial(self, trial_id: int) -> FrozenTrial:
        return self._trial if trial_id == _STAGED else self._storage.get_trial(trial_id)

    def get_trial_system_attrs(self, trial_id: int) -> dict[str, Any]:
        return self.get_trial(trial_id).system_attrs

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        if trial_id == _STAGED:
            self._trial.system_attrs[key] = value
        else:
            self._storage.set_trial_system_attr(trial_id, key, value)


class StagedTrial:
    """Asks a sampler for the values of a trial.

    Args:
        study: The study.
        sampler: Who is asked.
        number: The trial's number.
        fixed: Values that are not asked for, by the names in the record.
        relative: The distributions to sample together; what the sampler infers if not given.

    Attributes:
        independent: The names whose values the sampler gave one by one, though it was asked for
            others together.
    """

    def __init__(
        self,
        study: optuna.Study,
        sampler: BaseSampler,
        number: int,
        fixed: Mapping[str, Any],
        relative: dict[str, BaseDistribution] | None = None,
    ) -> None:
        self._sampler = sampler
        self._fixed = fixed
        self._trial = _staged(number)
        if fixed:
            self._trial.system_attrs["fixed_params"] = dict(fixed)
        self._study = trials_of_bracket(
            study_on(_WithStaged(study, self._trial), study), self._trial
        )
        sampler.before_trial(self._study, self._trial)
        if relative is None:
            relative = sampler.infer_relative_search_space(self._study, self._trial)
        self._relative = sampler.sample_relative(self._study, self._trial, relative)
        self.independent: list[str] = []

    @property
    def system_attrs(self) -> dict[str, Any]:
        """What the sampler wants to remember of the trial."""
        own = ("fixed_params", "tpe:relative_params")
        attributes = self._trial.system_attrs
        return {key: value for key, value in attributes.items() if not key.startswith(own)}

    def suggest(self, name: str, distribution: BaseDistribution) -> Any:
        """Gives a value, as `optuna.Trial` would.

        Args:
            name: The name in the record.
            distribution: The values there are.

        Returns:
            One of them.
        """
        value = self._value(name, distribution)
        self._trial.params[name] = value
        self._trial.distributions[name] = distribution
        return value

    def _value(self, name: str, distribution: BaseDistribution) -> Any:
        if name in self._fixed:
            return self._fixed[name]
        if distribution.single():
            return _only_value(distribution)
        if name in self._relative:
            value = self._relative[name]
            if domain.contains(distribution, value):
                return value
        if self._relative:
            self.independent.append(name)
        return self._sampler.sample_independent(self._study, self._trial, name, distribution)


def _staged(number: int) -> FrozenTrial:
    """A running trial that no storage has."""
    return FrozenTrial(
        number=number,
        state=TrialState.RUNNING,
        value=None,
        datetime_start=datetime.now(),
        datetime_complete=None,
        params={},
        distributions={},
        user_attrs={},
        system_attrs={},
        intermediate_values={},
        trial_id=_STAGED,
    )


def _only_value(distribution: Any) -> Any:
    """The value of a distribution that has no other."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[0]
    return distribution.low


class _AsNow(StorageView):
    """A storage whose trials have the names and ranges that a space has now.

    One whose values are outside of them seems to have failed: samplers count trials by their
    numbers, and learn nothing of those that failed.
    """

    def __init__(self, study: optuna.Study, known: HyperParameters) -> None:
        super().__init__(study)
        self._known = known

    def _seen(self, trials: list[FrozenTrial]) -> list[FrozenTrial]:
        return [self._one(trial) for trial in revisions.as_now(trials, self._known)]

    def _one(self, trial: FrozenTrial) -> FrozenTrial:
        if revisions.is_as_now(trial, self._known):
            return trial
        outside = copy.copy(trial)
        outside.state = TrialState.FAIL
        return outside


def study_as_now(study: optuna.Study, known: HyperParameters) -> optuna.Study:
    """Gives a study as a sampler is to see it after ranges have changed.

    Args:
        study: The study.
        known: The search space.

    Returns:
        The study itself where none has changed.
    """
    return study_on(_AsNow(study, known), study) if known.recorded_as else study
