"""What Ray Tune does, in a record."""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from optuna.trial import TrialState
from ray import tune
from ray.tune.experiment import Trial

from kt_hpo import objectives
from kt_hpo.integrations.ray_tune.intervals import RecordedInterval, taken_up
from kt_hpo.integrations.ray_tune.trials import (
    error_of,
    first_place,
    next_place,
    source_of,
    space_of,
    values_of,
)
from kt_hpo.objectives import Measure, ObjectiveLike
from kt_hpo.record import journal, shared_storage
from kt_hpo.record.provenance import record_environment
from kt_hpo.record.record import Record, Storage
from kt_hpo.space.continuation import Continuation
from kt_hpo.space.hyperparameters import HyperParameters

_GOOD = (TrialState.COMPLETE, TrialState.PRUNED)


class Recorder(tune.Callback):
    """Writes every trial of Ray Tune's into a record, like that of any other search.

    `kt_hpo.open_study`, `kt_hpo.report`, plots, dashboard and `kt-hpo status` then work on what Ray
    Tune does, also while it does it. A trial that a scheduler stops is pruned; one that raises has
    failed, with its traceback; one that is paused goes on running.

    Where a scheduler lets a trial go on from another one with other values, as population-based
    training and PB2 do, the trial ends in the record and a new one begins, as in
    `kt_hpo.PopulationBasedTraining`: with its member, generation and source, for the plots of
    lineage and schedules.

    Of a trainable that `kt_hpo.ray.trainable` has not made, the search space is not known: the
    values of its trials are kept under `values`, which plots and importances do not read.

    Args:
        directory: Folder of projects.
        project_name: Folder of this search within it.
        objective: What is optimized, as in `kt_hpo.Tuner`: one of the metrics that the trials
            report, or several.
        storage: Where the record is kept instead, as in `kt_hpo.Tuner`.
        overwrite: Whether to forget what the record holds; else the trials are added to it.

    Raises:
        ValueError: If the objective is a function of the model, which stays where it is trained.

    Example:
        >>> run_config = tune.RunConfig(callbacks=[Recorder("runs", "ray", "val_loss")])
    """

    def __init__(
        self,
        directory: str | Path,
        project_name: str,
        objective: ObjectiveLike = "val_loss",
        *,
        storage: Storage = None,
        overwrite: bool = False,
    ) -> None:
        self._project_dir = Path(directory).resolve() / project_name
        self._objective = objectives.make_objective(objective)
        for part in objectives.parts(self._objective):
            if isinstance(part, Measure):
                raise ValueError(
                    f"objective={part.name!r} is a function of the model, which stays in Ray's "
                    "actors. Give a metric that the trials report."
                )
        self._storage = storage
        self._overwrite = overwrite
        self._is_restored = False
        self._is_population = False
        # By the ids of Ray's trials: those that run, and the latest number in the record of all.
        self._running: dict[str, RecordedInterval] = {}
        self._numbers: dict[str, int] = {}

    def setup(
        self,
        stop: Any = None,
        num_samples: int | None = None,
        total_num_samples: int | None = None,
        **info: Any,
    ) -> None:
        """Opens the record, before the first trial.

        Args:
            stop: As in `tune.Callback`.
            num_samples: Likewise.
            total_num_samples: How many trials there will be.
            **info: Not used.

        Raises:
            RecordError: If another process searches in this project, or for another objective.
        """
        self._project_dir.mkdir(parents=True, exist_ok=True)
        self._claim = ExitStack()
        self._claim.enter_context(journal.claimed(self._project_dir))
        overwrite = self._overwrite and not self._is_restored
        self._record = Record.open(self._project_dir, self._objective, self._storage, overwrite)
        study, asked = self._record.study, HyperParameters()
        shared_storage.check_same_search(study, self._project_dir, "ray.tune.Tuner", asked)
        self._claim.enter_context(shared_storage.running(study, self._project_dir))
        record_environment(self._record.study)
        self._record.note(made_by={"tuner": "ray.tune.Tuner"})
        before = len(self._record.trials)
        if self._is_restored:
            self._record.note(finished=False)
        else:
            is_known = total_num_samples is not None and total_num_samples > 0
            total = before + (total_num_samples or 0) if is_known else None
            self._record.plan({"planned_trials": total})
        self._take_up()

    def on_trial_start(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """Begins a trial in the record, unless it goes on with what is its own.

        Args:
            iteration: As in `tune.Callback`.
            trials: All trials.
            trial: The trial.
            **info: Not used.
        """
        interval, source = self._running.get(trial.trial_id), source_of(trial)
        if interval is None and not self._has_ended_well(trial):
            self._begin(trial, first_place(trials, trial) if self._is_population else None)
        elif interval is not None and source is not None and source != interval.source:
            self._note_population(trials)
            self._end(interval, TrialState.COMPLETE)
            self._begin(trial, next_place(trials, trial, interval, self._numbers), source)

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        """Writes an epoch.

        Args:
            iteration: As in `tune.Callback`.
            trials: All trials.
            trial: The trial.
            result: What it has reported.
            **info: Not used.

        Raises:
            ValueError: If the objective is not among the metrics.
        """
        interval = self._running.get(trial.trial_id)
        if interval is not None:
            epoch = interval.take(result, self._objective)
            value = interval.epochs[epoch][self._objective.name]
            if math.isfinite(value):
                self._record.report(interval.number, epoch, value)

    def on_trial_complete(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """Ends a trial that has trained all of its epochs, or that was stopped.

        Args:
            iteration: As in `tune.Callback`.
            trials: All trials.
            trial: The trial.
            **info: Not used.
        """
        interval = self._running.pop(trial.trial_id, None)
        if interval is not None:
            self._end(interval, interval.state)

    def on_trial_recover(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """Writes the error of a trial that is tried again.

        Args:
            iteration: As in `tune.Callback`.
            trials: All trials.
            trial: The trial.
            **info: Not used.
        """
        interval = self._running.get(trial.trial_id)
        if interval is not None:
            failed = {"attempts": trial.num_failures, "traceback": error_of(trial)}
            self._record.annotate(interval.number, **failed)

    def on_trial_error(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """Ends a trial that has failed.

        Args:
            iteration: As in `tune.Callback`.
            trials: All trials.
            trial: The trial.
            **info: Not used.
        """
        self.on_trial_start(iteration, trials, trial)  # Its actor may have failed before that.
        if trial.trial_id in self._running:
            self._fail(self._running.pop(trial.trial_id), error_of(trial))

    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        """Ends the trials that were stopped because the time is up, which Ray tells nobody.

        Args:
            iteration: As in `tune.Callback`.
            trials: All trials.
            **info: Not used.
        """
        for trial in trials if self._running else ():
            if trial.is_finished() and trial.trial_id in self._running:
                self._end(self._running.pop(trial.trial_id), TrialState.PRUNED)

    def on_experiment_end(self, trials: list[Trial], **info: Any) -> None:
        """Closes the record; trials that run at an interruption are still running there.

        Args:
            trials: All trials.
            **info: Not used.
        """
        known = {trial.trial_id for trial in trials}
        for trial_id in set(self._running) - known:
            self._fail(self._running.pop(trial_id), "Its experiment was not gone on with.")
        if not self._running and all(trial.is_finished() for trial in trials):
            self._record.note(finished=True)
        self._claim.close()
        del self._record, self._claim

    def get_state(self) -> dict[str, Any]:
        """Gives what Ray keeps for `tune.Tuner.restore`.

        Returns:
            The trials that run, with all of their metrics.
        """
        return {"_running": self._running, "_is_restored": True}

    def set_state(self, state: dict[str, Any]) -> None:
        """Prepares for going on with an experiment that was interrupted.

        Args:
            state: What `get_state` gave.
        """
        vars(self).update(state)

    def __getstate__(self) -> dict[str, Any]:
        # Ray pickles callbacks; the record stays open here.
        return {k: v for k, v in vars(self).items() if k not in ("_record", "_claim")}

    def _take_up(self) -> None:
        """Reads what the record holds of experiments before, of an interrupted one above all."""
        recorded = {
            trial.user_attrs["ray_trial"]: trial
            for trial in self._record.trials
            if "ray_trial" in trial.user_attrs
        }
        self._numbers = {trial_id: trial.number for trial_id, trial in recorded.items()}
        self._running = {
            trial_id: taken_up(trial, self._objective, self._running.get(trial_id))
            for trial_id, trial in recorded.items()
            if trial.state == TrialState.RUNNING
        }
        self._is_population = any(interval.place is not None for interval in self._running.values())

    def _has_ended_well(self, trial: Trial) -> bool:
        """Whether the record was ahead of Ray's memory when both were interrupted."""
        number = self._numbers.get(trial.trial_id)
        return number is not None and self._record.trial(number).state in _GOOD

    def _begin(self, trial: Trial, place: Continuation | None, source: str | None = None) -> None:
        known = space_of(trial)
        if self._record.space is None:
            self._record.space = known
        interval = RecordedInterval(len(self._record.trials), place, source)
        with self._record.batched():
            self._record.begin(known, values_of(trial) | (place.values() if place else {}))
            self._record.annotate(interval.number, ray_trial=trial.trial_id)
        self._running[trial.trial_id] = interval
        self._numbers[trial.trial_id] = interval.number

    def _end(self, interval: RecordedInterval, state: TrialState) -> None:
        """Ends a trial in the record with its best epoch; without one, it has failed."""
        if not interval.epochs:
            self._fail(interval, "The trial ended before it had reported an epoch.")
            return
        result = interval.result(self._objective)
        values = [result.metrics[part.name] for part in objectives.parts(self._objective)]
        if any(math.isnan(value) for value in values):
            self._fail(interval, f"The objective {self._objective.name} is nan.")
            return
        with self._record.batched():
            self._annotate(interval)
            self._record.annotate(
                interval.number,
                history=[result.history],
                metrics=result.metrics,
                best_epoch=result.best_epoch,
            )
            is_complete = state == TrialState.COMPLETE
            self._record.end(interval.number, state, values if is_complete else None)

    def _fail(self, interval: RecordedInterval, traceback: str) -> None:
        with self._record.batched():
            self._annotate(interval)
            self._record.annotate(interval.number, traceback=traceback)
            self._record.end(interval.number, TrialState.FAIL)

    def _annotate(self, interval: RecordedInterval) -> None:
        """Writes what is known of a trial however it ends."""
        if interval.parameters is not None:
            self._record.annotate(interval.number, parameters=interval.parameters)
        if interval.place and interval.epochs:
            place = replace(interval.place, epochs=max(interval.epochs) + 1)
            self._set_place(interval, place)

    def _note_population(self, trials: list[Trial]) -> None:
        """Gives each running trial its place, when the first goes on from another."""
        if self._is_population:
            return
        self._is_population = True
        self._record.plan({"planned_trials": None})  # Nobody knows how often they will.
        for trial in trials:
            if trial.trial_id in self._running:
                self._set_place(self._running[trial.trial_id], first_place(trials, trial))

    def _set_place(self, interval: RecordedInterval, place: Continuation) -> None:
        interval.place = place
        known = self._record.trial(interval.number).user_attrs.get("values", {})
        self._record.annotate(interval.number, values=known | place.values())
