"""The state of a search: its space, its trials, its random numbers, all kept in the record."""

from __future__ import annotations

import inspect
import secrets
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import keras_tuner
import numpy as np
import optuna
from keras_tuner.engine.trial import Trial, TrialStatus
from optuna.pruners import BasePruner, NopPruner
from optuna.trial import FrozenTrial, TrialState

from kt_hpo import objectives, space
from kt_hpo.constraints import Constraint, keeps
from kt_hpo.hyperparameters import HyperParameter, HyperParameters
from kt_hpo.kinds import Value
from kt_hpo.oracles import checked
from kt_hpo.oracles.locking import synchronized
from kt_hpo.oracles.memory_limit import exceeds_memory
from kt_hpo.oracles.past import past_trials
from kt_hpo.oracles.ranking import Ranking
from kt_hpo.oracles.trials import PRUNED, own_values, rebuild, trial_id_of
from kt_hpo.record import Record, Storage
from kt_hpo.studies import is_past


class SearchState(keras_tuner.Oracle):
    """An oracle whose state is its record: what `RecordedOracle` is built on.

    Args: as in `keras_tuner.Oracle`.

    Attributes:
        storage: The Optuna storage or its URL; None for a journal file in the project's folder.
        pruner: The Optuna pruner that decides which trials stop early.
        warm_start: An Optuna study whose trials this search begins with, for engines that learn
            from trials.
        constraints: What a trial must keep to be among the best; see `make_constraints`. All four
            are to be set before the search begins.
        past: The trials of `warm_start`.
        violations: How far ended trials are from keeping the constraints, by id and constraint.
    """

    storage: Storage = None
    overwrite = False
    pruner: BasePruner = NopPruner()
    warm_start: optuna.Study | None = None
    constraints: Sequence[Constraint] = ()
    learns_from_trials = False
    hyperparameters: HyperParameters
    trials: dict[str, Trial]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = inspect.signature(super().__init__).bind(*args, **kwargs)
        if "objective" in given.arguments:
            given.arguments["objective"] = objectives.make_objective(given.arguments["objective"])
        checked.check_arguments(given.arguments)
        super().__init__(*given.args, **given.kwargs)
        self._start_recording(given.arguments.get("seed"))

    def _start_recording(self, seed: int | None) -> None:
        # An oracle of plain Keras Tuner's becomes one of ours here, its attributes unchecked.
        arguments = {name: vars(self)[name] for name in checked.COMMON if name in vars(self)}
        checked.check_arguments(arguments)
        for name, value in arguments.items():
            setattr(self, name, value)
        self._record: Record | None = None
        self._given_seed = seed
        # Keras Tuner takes seed 0 for none, and among its 10,000 own ones two are soon the same.
        self.seed = secrets.randbelow(2**31) if seed is None else seed
        self.hyperparameters = HyperParameters.from_config(self.hyperparameters.get_config())
        self.past: list[Trial] = []
        self.violations: dict[str, dict[str, float]] = {}
        self._ranking = Ranking(self.objective)
        self._parameters: dict[str, int] = {}
        self._stopped: set[str] = set()
        self._out_of_memory: list[Mapping[str, Value]] = []

    @property
    def record(self) -> Record:
        """The record of the project, opened when first asked for."""
        if self._record is None:
            self._record = Record.open(
                self._project_dir, self.objective, self.storage, self.overwrite
            )
            self._record.check_constraints([one.name for one in self.constraints])
            self._record.study.pruner = self.pruner
        return self._record

    @property
    def planned_trials(self) -> int | None:
        """How many trials the search will have at most; None if nobody knows."""
        return self.max_trials

    def begin_from(self, study: optuna.Study | None) -> None:
        """Makes a new search begin with the trials of a past one.

        Args:
            study: The record of the past search; None for none.

        Raises:
            ValueError: If this engine does not learn from trials.
        """
        if study is not None and not self.learns_from_trials:
            name = type(self).__name__.removesuffix("Oracle")
            raise ValueError(
                f"{name} does not learn from trials, so warm_start= would change nothing. Enqueue "
                "the best values of the past search, tuner.enqueue(study.best_params), or search "
                "with OptunaSearch."
            )
        self.warm_start = study

    @synchronized
    def enqueue(self, values: Mapping[str, Value]) -> None:
        """Makes values the next to be tried, unless they have been, or are in the queue already.

        Args:
            values: Values by the names of hyperparameters; not all need be given.

        Raises:
            ValueError: If one is no hyperparameter of the space, or outside its range.
        """
        space.check_values(self.hyperparameters, values)
        self.record.study.enqueue_trial(dict(values), skip_if_exists=True)

    def propose(self, trial_id: str, hyperparameter: HyperParameter) -> Value:
        """Gives the value of a hyperparameter that is first met while a model is being built.

        Args:
            trial_id: The trial whose model it is.
            hyperparameter: The new hyperparameter.

        Returns:
            One of its values at random, the same whenever it is asked for; engines that can do
            better override this.
        """
        name = zlib.crc32(hyperparameter.name.encode())
        stream = np.random.default_rng([self.seed, int(trial_id), name])
        return hyperparameter.prob_to_value(float(stream.random()))

    def _space_of(self, trial_id: str) -> HyperParameters:
        """The space for a trial's build, which asks this oracle for what is new in it."""
        hyperparameters = self.hyperparameters.copy()
        if self.tune_new_entries:
            hyperparameters.propose = lambda new: self.propose(trial_id, new)
        return hyperparameters

    @synchronized
    def update_space(self, hyperparameters: keras_tuner.HyperParameters) -> None:
        """Adds hyperparameters met in a build, and records the space when it grew.

        Args:
            hyperparameters: The hyperparameters a build has asked for.

        Raises:
            RuntimeError: If there are new ones and `allow_new_entries` is False.
        """
        before = len(self.hyperparameters.space)
        super().update_space(hyperparameters)
        if len(self.hyperparameters.space) > before:
            self.record.space = self.hyperparameters

    def save(self) -> None:
        """Does nothing: all there is to save is in the record already."""

    def look_into(self, record: Record) -> None:
        """Takes up a search that another process has recorded.

        Args:
            record: Its record, which may be one to read only.
        """
        self._record = record
        self.reload()

    @synchronized
    def reload(self) -> None:
        """Takes up a search where the record says it is, or begins its record.

        Trials that were running are run again, first of all others.
        """
        record = self.record
        if record.space is None:
            record.seed, record.space = self.seed, self.hyperparameters
            return
        self.hyperparameters = record.space
        if self._given_seed is None and record.seed is not None:
            self.seed = record.seed
        self.past = past_trials(record, self.objective, self.hyperparameters)
        own = [t for t in record.trials if t.state != TrialState.WAITING and not is_past(t)]
        for frozen in own:
            self._take_up(frozen)
        ended = [frozen for frozen in own if frozen.state.is_finished()]
        ended.sort(key=lambda frozen: (frozen.datetime_complete, frozen.number))
        self.end_order = [trial_id_of(frozen.number) for frozen in ended]
        for trial_id in self.end_order:
            self._rank(self.trials[trial_id])

    def _take_up(self, frozen: FrozenTrial) -> None:
        trial = rebuild(frozen, self.objective, self.hyperparameters)
        trial_id = trial.trial_id
        if trial.status in (TrialStatus.COMPLETED, PRUNED):
            self.score_trial(trial)
        self.trials[trial_id] = trial
        self.violations[trial_id] = frozen.constraints
        if frozen.user_attrs.get("parameters"):
            self._parameters[trial_id] = frozen.user_attrs["parameters"]
        self.start_order.append(trial_id)
        # Keras Tuner's `_record_values` would add what other trials have asked for since.
        tried = self._compute_values_hash(trial.hyperparameters.values)
        self._id_to_hash[trial_id] = tried
        self._tried_so_far.add(tried)
        self._remember_failure(frozen, trial.hyperparameters.values)
        if trial.status == TrialStatus.RUNNING:
            trial.hyperparameters.propose = self._space_of(trial_id).propose
            self._run_times[trial_id] = frozen.user_attrs.get("attempts", 0)
            self._retry_queue.append(trial_id)

    def _rank(self, trial: Trial) -> None:
        """Keeps the order of the trials that have ended and break no constraint."""
        if keeps(self.violations.get(trial.trial_id, {})):
            self._ranking.add(trial, self._parameters.get(trial.trial_id))

    def _compute_values_hash(self, values: Mapping[str, Value]) -> str:
        # Its place in the search, its parent or its interval, makes no configuration another one.
        return super()._compute_values_hash(own_values(values))

    @property
    def _space_is_being_met(self) -> bool:
        """Whether nothing is known of the space yet, and a trial runs that may meet it."""
        return not self.hyperparameters.space and bool(self.ongoing_trials)

    def _duplicate(self, values: Mapping[str, Value]) -> bool:
        # A trial that failed before it asked for anything has tried nothing.
        if not self.hyperparameters.space and self.trials:
            statuses = {trial.status for trial in self.trials.values()}
            return statuses != {TrialStatus.FAILED} and super()._duplicate(values)
        return super()._duplicate(values)

    def _untried(self, values: Mapping[str, Value] | None) -> dict[str, Any]:
        """Answers with the values, with random ones where they are none or refused."""
        if values is None or self._is_refused(values):
            values = self._random_values()
        if values is None:
            return {"status": TrialStatus.STOPPED}
        return {"status": TrialStatus.RUNNING, "values": values}

    def _is_refused(self, values: Mapping[str, Value]) -> bool:
        """Whether values were tried already, or would run out of memory as others did."""
        return self._duplicate(values) or exceeds_memory(values, self._out_of_memory)

    def _remember_failure(self, frozen: FrozenTrial, values: Mapping[str, Value]) -> None:
        """Learns of a failed trial whether memory was the reason."""
        if frozen.user_attrs.get("out_of_memory"):
            self._out_of_memory.append(values)

    def _stream(self) -> np.random.Generator:
        """Random numbers of the next trial, independent of all other trials and seeds."""
        return np.random.default_rng([self.seed, len(self.trials)])

    def _random_values(self) -> dict[str, Value] | None:
        """Values not tried before, drawn at random; None if none are found."""
        stream = self._stream()
        for _ in range(self._max_collisions + 1):
            values = space.draw(self.hyperparameters, stream)
            if not self._is_refused(values):
                return values
        return None
