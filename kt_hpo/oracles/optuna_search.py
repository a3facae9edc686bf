"""Any of Optuna's samplers, as an oracle."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from keras_tuner.engine.trial import Trial, TrialStatus
from optuna.samplers import BaseSampler, BruteForceSampler, GridSampler

from kt_hpo import objectives, space
from kt_hpo.hyperparameters import HyperParameter
from kt_hpo.kinds import Value
from kt_hpo.oracles.recorded import RecordedOracle
from kt_hpo.oracles.samplers import (
    has_fixed_dimensions,
    make_sampler,
    relative_space,
    reseed,
    seed_of,
    takes_no_choices,
)
from kt_hpo.oracles.staging import StagedTrial, study_as_now
from kt_hpo.record import Record, quiet_optuna
from kt_hpo.scopes import active_values, recorded_names


class OptunaSearchOracle(RecordedOracle):
    """Asks an Optuna sampler for the values of every trial.

    The record is the sampler's own study: what it remembers of a trial is there, and an interrupted
    search goes on as it would have. Each trial has random numbers of its own.

    Args:
        objective: As in `keras_tuner.Oracle`.
        max_trials: How many trials to run at most.
        sampler: An `optuna.samplers` object, or a name: tpe (the default), cmaes, nsga2, nsga3,
            qmc, gp, random, brute_force.
        seed: Seed of the sampler. The same seed gives the same trials.
        **kwargs: As in `keras_tuner.Oracle`.

    Raises:
        ValueError: If the name of the sampler is not known, or it takes one objective and there are
            several.
        ImportError: If the package it needs is not installed, with the install line.

    Example:
        >>> type(OptunaSearchOracle("val_loss", sampler="cmaes").sampler).__name__
        'CmaEsSampler'
    """

    learns_from_trials = True

    def __init__(
        self,
        objective: Any = None,
        max_trials: int = 10,
        sampler: str | BaseSampler | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        self.sampler = make_sampler(sampler)
        super().__init__(objective=objective, max_trials=max_trials, seed=seed, **kwargs)
        if takes_no_choices(self.sampler) and len(objectives.parts(self.objective)) > 1:
            raise ValueError(
                f"{type(self.sampler).__name__} takes one objective. For several give "
                'sampler="tpe", "nsga2" or "nsga3".'
            )
        if seed is None and isinstance(sampler, BaseSampler):
            self.seed = seed_of(sampler)
        self._staged: StagedTrial | None = None
        self._proposed: dict[str, dict[str, Value]] = {}
        self._random_names: set[str] = set()

    @property
    def record(self) -> Record:
        """The record of the project, its study the sampler's."""
        record = super().record
        record.study.sampler = self.sampler
        return record

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Asks the sampler for the values of a trial.

        Args:
            trial_id: The trial's id.

        Returns:
            `{"status": ..., "values": ...}`, as every oracle. A point that was tried already is
            replaced by a random one; a search that finds none ends, as does one whose sampler
            enumerates a space and is through with it.
        """
        values = self._ask(int(trial_id), {})
        enumerates = isinstance(self.sampler, GridSampler | BruteForceSampler)
        if enumerates and self._duplicate(values):
            return {"status": TrialStatus.STOPPED}
        return self._untried(values)

    def populate_enqueued(self, trial_id: str, fixed: Mapping[str, Value]) -> dict[str, Any]:
        """Begins with values that a user has enqueued; the sampler gives those not fixed."""
        return {"status": TrialStatus.RUNNING, "values": self._ask(int(trial_id), fixed)}

    def propose(self, trial_id: str, hyperparameter: HyperParameter) -> Value:
        """Asks the sampler for a hyperparameter that is first met while a model is being built."""
        proposed = self._proposed.setdefault(trial_id, {})
        if hyperparameter.name not in proposed:
            proposed[hyperparameter.name] = self._propose(int(trial_id), hyperparameter)
        return proposed[hyperparameter.name]

    def _propose(self, number: int, hyperparameter: HyperParameter) -> Value:
        frozen = self.record.trial(number)
        distribution = space.to_distribution(hyperparameter)
        name = hyperparameter.name
        for known, recorded_name in recorded_names(self.hyperparameters):
            if (known.name, known.conditions) == (name, hyperparameter.conditions):
                name = recorded_name
        reseed(self.sampler, [self.seed, number, 1 + len(frozen.params)])
        study = study_as_now(self.record.study, self.hyperparameters)
        return self.sampler.sample_independent(study, frozen, name, distribution)

    def _ask(self, number: int, fixed: Mapping[str, Value]) -> dict[str, Value]:
        reseed(self.sampler, [self.seed, number, 0])
        study = study_as_now(self.record.study, self.hyperparameters)
        needs_first = has_fixed_dimensions(self.sampler)
        recorded = study.get_trials(deepcopy=False) if needs_first else []
        first = next((trial for trial in recorded if trial.state.is_finished()), None)
        first_names = None if first is None else list(first.params)
        relative = relative_space(self.sampler, self.hyperparameters, first_names)
        named = {
            name: fixed[hyperparameter.name]
            for hyperparameter, name in recorded_names(self.hyperparameters)
            if hyperparameter.name in fixed
        }
        with quiet_optuna():
            staged = StagedTrial(study, self.sampler, number, named | dict(fixed), relative)
            values = active_values(
                self.hyperparameters,
                lambda hyperparameter, name: staged.suggest(
                    name, space.to_distribution(hyperparameter)
                ),
            )
        self._staged = staged
        self._say_what_is_random(staged)
        return values

    def _begin(self, trial: Trial, was_waiting: bool) -> None:
        if was_waiting or self._staged is None:
            super()._begin(trial, was_waiting)
        else:
            values = trial.hyperparameters.values
            self.record.begin(self.hyperparameters, values, self._staged.system_attrs)

    def _say_what_is_random(self, staged: StagedTrial) -> None:
        """Tells of hyperparameters that the sampler does not search, but only draws."""
        new = [name for name in staged.independent if name not in self._random_names]
        if new and has_fixed_dimensions(self.sampler):
            self._random_names.update(new)
            and_choices = ", and no choices" if takes_no_choices(self.sampler) else ""
            warnings.warn(
                f"{type(self.sampler).__name__} draws {', '.join(new)} at random: it searches "
                f"hyperparameters without conditions only{and_choices}. "
                'sampler="tpe" searches them all.',
                stacklevel=2,
            )
