"""The state of a search: its space, its trials, its random numbers, all kept in the record."""

from __future__ import annotations

import inspect
import math
import secrets
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
import optuna
from keras_tuner.engine.trial import Trial, TrialStatus
from optuna.pruners import BasePruner, NopPruner
from optuna.trial import FrozenTrial, TrialState

from kt_hpo import objectives
from kt_hpo._private_apis.keras_tuner import check_inherited, show_space
from kt_hpo.constraints import Constraint, keeps
from kt_hpo.garbage import without_collections
from kt_hpo.oracle import oracle_arguments
from kt_hpo.oracle.locking import synchronized
from kt_hpo.oracle.memory_limit import exceeds_memory
from kt_hpo.oracle.ranking import Ranking
from kt_hpo.oracle.trials import PRUNED, failed_of_nan, rebuild, trial_id_of
from kt_hpo.oracle.warm_start import past_trials
from kt_hpo.record import journal
from kt_hpo.record.record import Record, Storage
from kt_hpo.record.studies import is_past
from kt_hpo.space import domain, revisions
from kt_hpo.space.continuation import own_values
from kt_hpo.space.hyperparameters import (
    HyperParameter,
    HyperParameters,
    TwoRangesError,
    check_one_range,
)
from kt_hpo.space.kinds import Value
from kt_hpo.space.scopes import active_values

# After so many draws that give no new values a space counts as exhausted, as in Keras Tuner.
DRAWS = 21


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
        pauses_trials: Whether the engine decides itself how far trials train, so that no pruner
            may.
        enumerates: Whether the engine tries every combination, in an order of its own.
        past: The trials of `warm_start`.
        meets_more: Whether trials may ask for hyperparameters that no build asks for; then one
            trial has to go well before others begin.
        seconds_left: Tells how many seconds the search still has; a tuner sets it.
        overridden: Names of hyperparameters that keep their known range, whatever a build asks
            for: those of `hyperparameters=`.
        violations: How far ended trials are from keeping the constraints, by id and constraint.
    """

    storage: Storage = None
    overwrite = False
    pruner: BasePruner = NopPruner()
    warm_start: optuna.Study | None = None
    constraints: Sequence[Constraint] = ()
    learns_from_trials = False
    pauses_trials = False
    enumerates = False
    meets_more = False
    seconds_left: Callable[[], float] = staticmethod(lambda: math.inf)
    hyperparameters: HyperParameters
    trials: dict[str, Trial]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = inspect.signature(super().__init__).bind(*args, **kwargs)
        if "objective" in given.arguments:
            given.arguments["objective"] = objectives.make_objective(given.arguments["objective"])
        oracle_arguments.check_arguments(given.arguments)
        super().__init__(*given.args, **given.kwargs)
        self._start_recording(given.arguments.get("seed"))

    def _start_recording(self, seed: int | None) -> None:
        check_inherited(SearchState)
        # An oracle of plain Keras Tuner's becomes one of ours here, its attributes unchecked.
        arguments = {
            name: vars(self)[name] for name in oracle_arguments.COMMON if name in vars(self)
        }
        oracle_arguments.check_arguments(arguments)
        for name, value in arguments.items():
            setattr(self, name, value)
        self._record: Record | None = None
        self._given_seed = seed
        # Keras Tuner takes seed 0 for none, and among its 10,000 own ones two are soon the same.
        self.seed = secrets.randbelow(2**31) if seed is None else seed
        # The object that was passed in is the one that grows; a plain one is a copy's mirror.
        self._given = self.hyperparameters
        if not isinstance(self._given, HyperParameters):
            self.hyperparameters = HyperParameters.from_config(self._given.get_config())
        self.overridden = {hyperparameter.name for hyperparameter in self.hyperparameters.space}
        self._not_asked_yet: set[str] = set()
        self._is_taken_up = False
        self.past: list[Trial] = []
        self.violations: dict[str, dict[str, float]] = {}
        self._ranking = Ranking(self.objective)
        self._parameters: dict[str, int] = {}
        self._stopped: set[str] = set()
        # Ids of trials that were interrupted or are to be retried, and how often each has failed.
        self._to_run_again: list[str] = []
        self._attempts: Counter[str] = Counter()
        self._out_of_memory: list[Mapping[str, Value]] = []

    @property
    def project_dir(self) -> Path:
        """The directory of the search."""
        return Path(self._project_dir)

    @property
    def record(self) -> Record:
        """The record of the project, opened when first asked for."""
        return self.open_record()

    def open_record(self) -> Record:
        """Opens the record of the project, once.

        Returns:
            The record.

        Raises:
            RecordError: If it cannot be read, or is about something else.
            ValueError: If the storage cannot be opened.
        """
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

    @property
    def plan(self) -> dict[str, int | None]:
        """How much there will be at most, as the record notes it; None for what nobody knows."""
        _, epochs = self.epoch_budget or (0, None)
        return {"planned_trials": self.planned_trials, "planned_epochs": epochs}

    @property
    def epoch_budget(self) -> tuple[int, int] | None:
        """Epochs that ended trials have spent, and all there are; None if they are no budget."""
        return None

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
        domain.check_values(self.hyperparameters, values)
        self.record.study.enqueue_trial(dict(values), skip_if_exists=True)

    @synchronized
    def enqueue_defaults(self) -> None:
        """Makes the default of every known hyperparameter the first trial of a new search.

        Raises:
            ValueError: If a default lies outside of its range.
        """
        if self.record.count or self.enumerates or not self.hyperparameters.space:
            return
        self.enqueue(active_values(self.hyperparameters, lambda one, _: one.default))

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

    @synchronized
    def meet(self, trial_id: str, asked: HyperParameter) -> Value:
        """Gives the value of a hyperparameter that a trial asks for, and its space has not so.

        Args:
            trial_id: The trial.
            asked: The hyperparameter, which is new or has another range than the known one.

        Returns:
            One of its values; the trial's own where it has one.

        Raises:
            TwoRangesError: If its range depends on other values, or it is of another kind than in
                the trials before.
        """
        known = self.hyperparameters.entry(asked)
        if known is None:
            return self.propose(trial_id, asked) if self.tune_new_entries else asked.default
        value = self.trials[trial_id].hyperparameters.values.get(asked.name)
        if asked.name in self.overridden and value is not None:
            return value
        if revisions.changes(self.hyperparameters, [asked]):
            if asked.name not in self._not_asked_yet:
                check_one_range(known, asked)
            reason = revisions.refusal(self.record.study.study_name, known, asked)
            if reason is not None:
                raise TwoRangesError(reason)
            is_kept = value is not None and domain.holds(asked, value)
            taken = () if is_kept else self.record.trial(int(trial_id)).params
            self._revise([(known, asked)], taken)
        if value is not None and domain.holds(asked, value):
            return value
        return self.propose(trial_id, asked)

    def _space_of(self, trial_id: str) -> HyperParameters:
        """The space for a trial's build, which asks this oracle for what is new in it."""
        hyperparameters = self.hyperparameters.copy()
        hyperparameters.propose = partial(self.meet, trial_id)
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
            self._show_space()
            # Before that the record may hold another one.
            if self._is_taken_up:
                self.record.space = self.hyperparameters

    def declare(self, hyperparameters: keras_tuner.HyperParameters) -> None:
        """Adds hyperparameters that keep their range, whatever a build asks for.

        Args:
            hyperparameters: The hyperparameters.
        """
        self.overridden |= {hyperparameter.name for hyperparameter in hyperparameters.space}
        self.update_space(hyperparameters)

    def _show_space(self) -> None:
        """Lets a plain object that was passed in hold what the space holds."""
        if self._given is not self.hyperparameters:
            show_space(self._given, self.hyperparameters)

    def save(self) -> None:
        """Does nothing: all there is to save is in the record already."""

    def look_into(self, record: Record) -> None:
        """Takes up a search that another process has recorded.

        Args:
            record: Its record, which may be one to read only.
        """
        self._record = record
        if record.space is not None:
            self.hyperparameters.become(record.space)
            self._resume(record)

    @synchronized
    def reload(self) -> None:
        """Takes up a search where the record says it is, or begins its record.

        Trials that were running are run again, first of all others. What this oracle knows of the
        space is what the program asks for now: where the record has other ranges, the new ones
        hold from now on.

        Raises:
            RecordError: If a hyperparameter is of another kind in the record.
        """
        if self._is_taken_up:  # By its tuner, say: all that has happened since is known.
            return
        record, self._is_taken_up = self.record, True
        known = record.space
        if known is None:
            record.seed, record.space = self.seed, self.hyperparameters
            return
        asked = list(self.hyperparameters.space)
        changed = revisions.changes(known, asked)
        new = [one for one in asked if known.entry(one) is None]
        for old, now in changed:
            reason = revisions.refusal(record.study.study_name, old, now)
            if reason is not None:
                raise journal.RecordError(reason)
        self._not_asked_yet = {one.name for one in known.space} - {one.name for one in asked}
        self.hyperparameters.become(known)
        if changed or new:
            with journal.claimed(self.project_dir):
                self.hyperparameters.merge(new)
                self._revise(changed, new=new if record.trials else ())
                self._resume(record)
                self._give_up_outside()
        else:
            self._resume(record)

    def _revise(
        self,
        changed: Sequence[tuple[HyperParameter, HyperParameter]],
        taken: Iterable[str] = (),
        new: Sequence[HyperParameter] = (),
    ) -> None:
        """Gives hyperparameters new ranges, for good, and says so."""
        revisions.revise(
            self.hyperparameters, [*(b for _, b in changed), *new], self.record.trials, taken
        )
        self._not_asked_yet -= {now.name for _, now in changed}
        for old, now in changed:
            notice = revisions.notice(self.record.study.study_name, old, now)
            warnings.warn(notice, stacklevel=2)
        self._show_space()
        self.record.space = self.hyperparameters

    def _give_up_outside(self) -> None:
        """Ends the trials that were to run with values which are outside of their ranges now."""
        outside = [i for i in self._to_run_again if not self.is_in_range(self.trials[i])]
        for trial_id in outside:
            self._to_run_again.remove(trial_id)
            trial = self.trials[trial_id]
            trial.status, trial.message = TrialStatus.FAILED, revisions.OUTSIDE
            self.record.annotate(int(trial_id), traceback=trial.message)
            self.record.end(int(trial_id), TrialState.FAIL)
        self.end_order += outside

    def known_trials(self) -> list[Trial]:
        """Lists the trials an engine may learn from.

        Returns:
            The trials whose values are in the ranges of now, those of a past search first.
        """
        return [one for one in [*self.past, *self.trials.values()] if self.is_in_range(one)]

    def is_in_range(self, trial: Trial) -> bool:
        """Tells whether an engine may learn from a trial, or continue it.

        Args:
            trial: A trial of this search, or of the one it began with.

        Returns:
            Whether all its values are in the ranges that the hyperparameters have now.
        """
        values = trial.hyperparameters.values
        return not self.hyperparameters.recorded_as or domain.fits(self.hyperparameters, values)

    @without_collections()
    def _resume(self, record: Record) -> None:
        """Takes up the trials of the record."""
        self._is_taken_up = True
        self._show_space()
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
        if trial.status in (TrialStatus.COMPLETED, PRUNED) or failed_of_nan(trial, self.objective):
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
            trial.hyperparameters.propose = partial(self.meet, trial_id)
            self._attempts[trial_id] = frozen.user_attrs.get("attempts", 0)
            self._to_run_again.append(trial_id)

    def _rank(self, trial: Trial) -> None:
        """Keeps the order of the trials that have ended and break no constraint."""
        if keeps(self.violations.get(trial.trial_id, {})):
            self._ranking.add(trial, self._parameters.get(trial.trial_id))

    def _compute_values_hash(self, values: Mapping[str, Value]) -> str:
        # Its place in the search, its parent or its interval, makes no configuration another one.
        return super()._compute_values_hash(own_values(values))

    @property
    def _space_is_being_met(self) -> bool:
        """Whether a trial runs that may tell of hyperparameters, and none has told of any yet."""
        if not self.ongoing_trials:
            return False
        if not self.hyperparameters.space:
            return True
        if not self.meets_more or not (self.allow_new_entries and self.tune_new_entries):
            return False
        went_well = (TrialStatus.COMPLETED, PRUNED)
        return all(trial.status not in went_well for trial in self.trials.values())

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
        for _ in range(DRAWS):
            values = domain.draw(self.hyperparameters, stream)
            if not self._is_refused(values):
                return values
        return None
