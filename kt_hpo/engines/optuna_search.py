"""Any of Optuna's samplers, as an oracle."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import keras_tuner
import optuna
from keras_tuner.engine.trial import Trial, TrialStatus
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler, BruteForceSampler, GridSampler

from kt_hpo import objectives
from kt_hpo._private_apis.optuna_tpe import quick
from kt_hpo.arguments import is_one_of
from kt_hpo.engines.proposals.recent_trials import RecentTrials
from kt_hpo.engines.proposals.samplers import (
    has_fixed_dimensions,
    is_own,
    make_sampler,
    population_of,
    relative_space,
    reseed,
    seed_of,
    takes_no_choices,
)
from kt_hpo.engines.proposals.seen_values import SeenPlaces, SeenValues
from kt_hpo.engines.proposals.staging import StagedTrial, study_as_now
from kt_hpo.objectives import ObjectiveLike
from kt_hpo.oracle.recorded import RecordedOracle
from kt_hpo.record.record import Record, quiet_optuna
from kt_hpo.space.hyperparameters import HyperParameter
from kt_hpo.space.kinds import Value, corrected
from kt_hpo.space.scopes import active_values, recorded_names
from kt_hpo.tuner import Tuner


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
        self.enumerates = isinstance(self.sampler, GridSampler | BruteForceSampler)
        self._asked = quick(self.sampler)
        super().__init__(objective=objective, max_trials=max_trials, seed=seed, **kwargs)
        if takes_no_choices(self.sampler) and len(objectives.parts(self.objective)) > 1:
            raise ValueError(
                f"{type(self.sampler).__name__} takes one objective. For several give "
                'sampler="tpe", "nsga2" or "nsga3".'
            )
        if seed is None and isinstance(sampler, BaseSampler):
            self.seed = seed_of(sampler)
        self._seen = SeenPlaces() if is_own(self.sampler) else SeenValues()
        population = population_of(self.sampler)
        self._recent = None if population is None else RecentTrials(population)
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
        if self.enumerates and self._duplicate(values):
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
        name = hyperparameter.name
        for known, recorded_name in recorded_names(self.hyperparameters):
            if (known.name, known.conditions) == (name, hyperparameter.conditions):
                name = recorded_name
        reseed(self._asked, [self.seed, number, 1 + len(frozen.params)])
        seen = self._asked.sample_independent(
            self._seen_study(),
            self._seen.trial(frozen),
            name,
            self._seen.distribution(hyperparameter),
        )
        return self._seen.to_value(hyperparameter, seen)

    def _seen_study(self) -> optuna.Study:
        study = self.record.study
        if self._recent is not None:
            study = self._recent.study(study)
        return self._seen.study(study_as_now(study, self.hyperparameters), self.hyperparameters)

    def _ask(self, number: int, fixed: Mapping[str, Value]) -> dict[str, Value]:
        reseed(self._asked, [self.seed, number, 0])
        study = self._seen_study()
        relative = relative_space(
            self.sampler, self.hyperparameters, self._first_names(), self._seen.distribution
        )
        named = {
            name: self._seen.to_seen(corrected(hyperparameter), fixed[hyperparameter.name])
            for hyperparameter, name in recorded_names(self.hyperparameters)
            if hyperparameter.name in fixed
        }
        with quiet_optuna():
            staged = StagedTrial(study, self._asked, number, dict(fixed) | named, relative)

            def value_of(hyperparameter: HyperParameter, name: str) -> Value:
                seen = staged.suggest(name, self._seen.distribution(hyperparameter))
                return self._seen.to_value(hyperparameter, seen)

            values = active_values(self.hyperparameters, value_of)
        self._staged = staged
        self._say_what_is_random(staged)
        return values

    def _first_names(self) -> list[str] | None:
        """Names in the first trial that has ended; None before there is one, or none is needed."""
        if not has_fixed_dimensions(self.sampler):
            return None
        study = study_as_now(self.record.study, self.hyperparameters)
        ended = (t for t in study.get_trials(deepcopy=False) if t.state.is_finished())
        first = next(ended, None)
        return None if first is None else list(first.params)

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


class OptunaSearch(Tuner):
    """Search with any of Optuna's samplers, by default TPE, which answers in milliseconds.

    `tuner.study` is the sampler's own study. With several objectives the search is for the Pareto
    front: `tuner.pareto_front()`. `sampler="bohb"` is TPE with Optuna's `HyperbandPruner`, which
    is what Optuna has in the place of BOHB (Falkner et al. 2018): brackets prune asynchronously, a
    trial is never resumed, and TPE learns from the trials of its own bracket.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)`.
        objective: Name of a metric, a `keras_tuner.Objective`, or a list of them.
        max_trials: How many trials to run at most.
        sampler: An `optuna.samplers` object, or a name: tpe (the default: multivariate, over groups
            of conditional hyperparameters, fit for parallel trials), bohb, cmaes, nsga2, nsga3,
            qmc, gp, random, brute_force.
        pruner: Which trials stop early: an `optuna.pruners` object or a name; see `kt_hpo.Tuner`.
        storage: Where the record is kept; see `kt_hpo.Tuner`.
        seed: Seed of values, weights and shuffling. The same seed gives the same trials.
        hyperparameters: Space to override or to prescribe.
        tune_new_entries: Whether hyperparameters that are not in `hyperparameters` are searched.
        allow_new_entries: Whether the hypermodel may ask for such.
        max_retries_per_trial: How often a trial that failed is tried again.
        max_consecutive_failed_trials: After how many failed trials in a row the search stops.
        **kwargs: The arguments of `kt_hpo.Tuner`.

    Example:
        >>> class Parabola(OptunaSearch):
        ...     def run_trial(self, trial):
        ...         return trial.hyperparameters.Float("x", -1, 1) ** 2
        >>> tuner = Parabola(max_trials=25, seed=0, directory="runs", overwrite=True)
        >>> tuner.search(verbose=0)
        >>> tuner.study.best_value < 0.1
        True
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: ObjectiveLike = None,
        max_trials: int = 10,
        sampler: str | BaseSampler | None = None,
        pruner: str | BasePruner | None = None,
        storage: Any = None,
        seed: int | None = None,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        if is_one_of(sampler, ["bohb"]):
            sampler, pruner = "tpe", pruner or "hyperband"
        oracle = OptunaSearchOracle(
            objective=objective,
            max_trials=max_trials,
            sampler=sampler,
            seed=seed,
            hyperparameters=hyperparameters,
            tune_new_entries=tune_new_entries,
            allow_new_entries=allow_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        super().__init__(oracle, hypermodel, pruner=pruner, storage=storage, **kwargs)
