"""The oracle every engine is built on: its trials live in the record.

An engine subclasses `RecordedOracle` and implements `populate_space`. Beginning, reporting, ending,
retrying and reopening are done here, once for all of them.
"""

from __future__ import annotations

import inspect
import math
import secrets
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial, TrialStatus
from optuna.trial import FrozenTrial

from kt_hpo import space
from kt_hpo.hyperparameters import HyperParameters, Value
from kt_hpo.oracles.trials import add_metrics, rebuild, trial_id_of, write_end
from kt_hpo.record import Record, Storage

P = ParamSpec("P")
R = TypeVar("R")


def synchronized(
    method: Callable[Concatenate[Any, P], R],
) -> Callable[Concatenate[Any, P], R]:
    """Lets one thread at a time into an oracle's methods, also after one of them raised.

    Keras Tuner's decorator of this name keeps its lock when the method raises.

    Args:
        method: A method of a `RecordedOracle`.

    Returns:
        The method, holding the oracle's lock while it runs.
    """

    @wraps(method)
    def locked(self: Any, *args: P.args, **kwargs: P.kwargs) -> R:
        with self._lock:
            return method(self, *args, **kwargs)

    return locked


class RecordedOracle(keras_tuner.Oracle):
    """Implements a search algorithm whose trials are recorded in an Optuna study.

    Args:
        *args: As in `keras_tuner.Oracle`.
        **kwargs: As in `keras_tuner.Oracle`: objective, max_trials, hyperparameters,
            allow_new_entries, tune_new_entries, seed, max_retries_per_trial,
            max_consecutive_failed_trials.

    Attributes:
        storage: The Optuna storage or its URL; None for a journal file in the project's folder.
            To be set before the search begins.

    Example:
        >>> class FirstValue(RecordedOracle):
        ...     def populate_space(self, trial_id):
        ...         values = {hp.name: hp.default for hp in self.get_space().space}
        ...         return {"status": "RUNNING", "values": values}
        >>> FirstValue(objective="val_loss", max_trials=1).objective.direction
        'min'
    """

    storage: Storage = None
    overwrite = False
    hyperparameters: HyperParameters

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = inspect.signature(super().__init__).bind(*args, **kwargs).arguments
        super().__init__(*args, **kwargs)
        self._start_recording(given.get("seed"))

    def _start_recording(self, seed: int | None) -> None:
        _check_max_trials(self.max_trials)
        self._lock = threading.RLock()
        self._record: Record | None = None
        self._given_seed = seed
        # Keras Tuner takes seed 0 for none, and among its 10,000 own ones two are soon the same.
        self.seed = secrets.randbelow(2**31) if seed is None else seed
        self.hyperparameters = HyperParameters.from_config(self.hyperparameters.get_config())

    @property
    def record(self) -> Record:
        """The record of the project, opened when first asked for."""
        if self._record is None:
            self._record = Record.open(
                self._project_dir, self.objective, self.storage, self.overwrite
            )
        return self._record

    @property
    def planned_trials(self) -> int | None:
        """How many trials the search will have at most; None if nobody knows."""
        return self.max_trials

    def checkpoints_needed(self) -> set[str]:
        """Names the ended trials that may still be continued from where they ended."""
        return set()

    def may_be_continued(self, trial: Trial) -> bool:
        """Tells whether the state a trial ends in may be needed by another.

        Args:
            trial: A trial of this oracle.

        Returns:
            Whether weights and optimizer are to be kept as they are at its end.
        """
        return False

    @synchronized
    def create_trial(self, tuner_id: str) -> Trial:
        """Begins a trial, first of all one that was interrupted or is to be retried.

        Args:
            tuner_id: Who asks for it.

        Returns:
            A trial to run (status RUNNING); an empty one while there is nothing to run yet (IDLE)
            or no more (STOPPED).
        """
        if tuner_id in self.ongoing_trials:
            return self.ongoing_trials[tuner_id]
        self.tuner_ids.add(tuner_id)
        if self._retry_queue:
            trial = self.trials[self._retry_queue.pop(0)]
            trial.status = TrialStatus.RUNNING
            self.ongoing_trials[tuner_id] = trial
            return trial
        trial = self._next_trial()
        if trial.status == TrialStatus.RUNNING:
            self.record.begin(self.hyperparameters, trial.hyperparameters.values)
            self.ongoing_trials[tuner_id] = self.trials[trial.trial_id] = trial
            self.start_order.append(trial.trial_id)
        elif trial.status == TrialStatus.STOPPED:
            self.tuner_ids.discard(tuner_id)
        return trial

    def _next_trial(self) -> Trial:
        trial_id = trial_id_of(len(self.trials))
        response: dict[str, Any] = {"status": TrialStatus.STOPPED}
        if not self.max_trials or len(self.trials) < self.max_trials:
            response = self.populate_space(trial_id)
        hyperparameters = self.hyperparameters.copy()
        hyperparameters.values = dict(response.get("values") or {})
        trial = Trial(hyperparameters, trial_id=trial_id, status=response["status"])
        if trial.status == TrialStatus.RUNNING:
            self._record_values(trial)
        return trial

    @synchronized
    def report(self, trial_id: str, epoch: int, metrics: dict[str, float]) -> bool:
        """Takes the metrics of an epoch of a running trial.

        Args:
            trial_id: The trial.
            epoch: The epoch, counted from 0 over all the trial continues.
            metrics: Values by the metrics' names, as in the `logs` of a Keras callback.

        Returns:
            Whether the trial shall go on.
        """
        if self.objective.has_value(metrics):
            value = float(self.objective.get_value(metrics))
            if math.isfinite(value):
                self.record.report(int(trial_id), epoch, value)
        return True

    @synchronized
    def update_trial(self, trial_id: str, metrics: dict[str, float], step: int = 0) -> Trial:
        """Takes the result of a trial.

        Args:
            trial_id: The trial.
            metrics: Values by the metrics' names.
            step: The epoch they were reached at.

        Returns:
            The trial.

        Raises:
            ValueError: If the objective is not among the metrics.
        """
        trial = self.trials[trial_id]
        self._check_objective_found(metrics)
        add_metrics(trial, self.objective, metrics, step)
        return trial

    @synchronized
    def end_trial(self, trial: Trial | str, status: str = TrialStatus.COMPLETED) -> None:
        """Ends a trial or queues it for another try.

        Args:
            trial: The trial, its status COMPLETED, INVALID (to be retried if retries are left) or
                FAILED, its message the traceback. An id, as in older Keras Tuner, is taken too.
            status: The status, where an id is given.

        Raises:
            RuntimeError: If `max_consecutive_failed_trials` trials failed in a row.
        """
        if isinstance(trial, str):
            trial = Trial(self.get_space(), trial, status)
        ended = self.trials[trial.trial_id]
        ended.hyperparameters = trial.hyperparameters
        ended.status, ended.message = trial.status, trial.message
        self.update_space(ended.hyperparameters)
        self._record_values(ended)
        self._judge(ended)
        write_end(self.record, ended, self.objective, self.hyperparameters)
        if ended.status == TrialStatus.INVALID:
            attempts = self._run_times[ended.trial_id]
            self.record.annotate(int(ended.trial_id), attempts=attempts)
        for tuner_id, ongoing in list(self.ongoing_trials.items()):
            if ongoing.trial_id == ended.trial_id:
                self.ongoing_trials.pop(tuner_id)
        if ended.status != TrialStatus.INVALID:
            self.end_order.append(ended.trial_id)
            self._check_consecutive_failures()

    def _judge(self, trial: Trial) -> None:
        """Scores a trial that went well; decides whether one that did not is tried again."""
        if trial.status == TrialStatus.COMPLETED:
            self.score_trial(trial)
            if trial.score is None or np.isnan(trial.score):
                trial.status = TrialStatus.INVALID
                trial.message = f"The objective {self.objective.name} is {trial.score}."
        if trial.status == TrialStatus.INVALID:
            self._run_times[trial.trial_id] += 1
            if self._run_times[trial.trial_id] > self.max_retries_per_trial:
                trial.status = TrialStatus.FAILED
            else:
                self._retry_queue.append(trial.trial_id)

    def _check_consecutive_failures(self) -> None:
        failed: list[Trial] = []
        for trial_id in self.end_order:
            trial = self.trials[trial_id]
            failed = [*failed, trial] if trial.status == TrialStatus.FAILED else []
        if len(failed) == self.max_consecutive_failed_trials:
            raise RuntimeError(
                f"{len(failed)} trials failed in a row, so the search is stopped. The first error "
                f"was, in trial {failed[0].trial_id}:\n\n{failed[0].message}\n"
                "Correct it and run the search again: it goes on after the failed trials. "
                "max_consecutive_failed_trials= allows more of them."
            )

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
        for frozen in record.trials:
            self._take_up(frozen)
        ended = [frozen for frozen in record.trials if frozen.state.is_finished()]
        ended.sort(key=lambda frozen: (frozen.datetime_complete, frozen.number))
        self.end_order = [trial_id_of(frozen.number) for frozen in ended]

    def _take_up(self, frozen: FrozenTrial) -> None:
        trial = rebuild(frozen, self.objective, self.hyperparameters)
        trial_id = trial.trial_id
        if trial.status == TrialStatus.COMPLETED:
            self.score_trial(trial)
        self.trials[trial_id] = trial
        self.start_order.append(trial_id)
        self._record_values(trial)
        if trial.status == TrialStatus.RUNNING:
            self._run_times[trial_id] = frozen.user_attrs.get("attempts", 0)
            self._retry_queue.append(trial_id)

    def _stream(self) -> np.random.Generator:
        """Random numbers of the next trial, independent of all other trials and seeds."""
        return np.random.default_rng([self.seed, len(self.trials)])

    def _random_values(self) -> dict[str, Value] | None:
        """Values not tried before, drawn at random; None if none are found."""
        stream = self._stream()
        for _ in range(self._max_collisions + 1):
            values = space.draw(self.hyperparameters, stream)
            if not self._duplicate(values):
                return values
        return None


def recorded(oracle: keras_tuner.Oracle) -> RecordedOracle:
    """Makes an oracle that was written for plain Keras Tuner a recorded one, in place.

    Args:
        oracle: Any Keras Tuner oracle. One of Keras Tuner's own becomes the engine built on it
            here; in a user's, the methods it overrides stay overridden.

    Returns:
        The same object.
    """
    if not isinstance(oracle, RecordedOracle):
        kind = type(oracle)
        ours = [engine for engine in RecordedOracle.__subclasses__() if kind in engine.__bases__]
        made = type(kind.__name__, (kind, RecordedOracle), {})
        oracle.__class__ = ours[0] if ours else made
        oracle._start_recording(oracle.seed)
    return oracle


def _check_max_trials(max_trials: int | None) -> None:
    if max_trials is not None and (not isinstance(max_trials, int) or max_trials < 1):
        raise ValueError(
            f"max_trials={max_trials!r} is not allowed; give a whole number from 1 on, "
            "or None to go on until the space is exhausted."
        )
