"""The oracle every engine is built on: its trials live in the record.

An engine subclasses `RecordedOracle` and implements `populate_space`. Beginning, reporting, ending,
retrying and reopening are done here, once for all of them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from keras_tuner.engine.trial import Trial, TrialStatus

from kt_hpo import objectives
from kt_hpo.constraints import keeps, known_violations, total_violation
from kt_hpo.formatting import number
from kt_hpo.oracle.failures import check_failures
from kt_hpo.oracle.locking import lock_of, synchronized
from kt_hpo.oracle.ranking import best_first
from kt_hpo.oracle.state import SearchState
from kt_hpo.oracle.trials import PRUNED, add_metrics, score, trial_id_of, write_end
from kt_hpo.oracle.warm_start import take_past
from kt_hpo.space import domain
from kt_hpo.space.kinds import Value

# A trial that trains so soon after it was asked for needs no other time to be recorded.
_AT_ONCE = timedelta(seconds=0.1)
_ENDED = (TrialStatus.COMPLETED, PRUNED, TrialStatus.FAILED)


class RecordedOracle(SearchState):
    """Implements a search algorithm whose trials are recorded in an Optuna study.

    Args:
        *args: As in `keras_tuner.Oracle`.
        **kwargs: As in `keras_tuner.Oracle`: objective, max_trials, hyperparameters,
            allow_new_entries, tune_new_entries, seed, max_retries_per_trial,
            max_consecutive_failed_trials.

    Attributes:
        inherit_weights: Whether trials start from the weights of the one under `tuner/parent`.

    Example:
        >>> class FirstValue(RecordedOracle):
        ...     def populate_space(self, trial_id):
        ...         values = {hp.name: hp.default for hp in self.get_space().space}
        ...         return {"status": "RUNNING", "values": values}
        >>> FirstValue(objective="val_loss", max_trials=1).objective.direction
        'min'
    """

    inherit_weights = False

    @property
    def unfinished(self) -> list[Trial]:
        """The trials that run, or are to be run again."""
        return [*self.ongoing_trials.values(), *(self.trials[i] for i in self._to_run_again)]

    def checkpoints_needed(self) -> set[str]:
        """Names the ended trials that may still be continued from where they ended.

        Returns:
            Their ids.
        """
        return set()

    def may_be_continued(self, trial: Trial) -> bool:
        """Tells whether the state a trial ends in may be needed by another.

        Args:
            trial: A trial of this oracle.

        Returns:
            Whether weights and optimizer are to be kept as they are at its end.
        """
        return False

    def epochs_to_go(self, trial: Trial) -> int:
        """Counts the epochs that the trial's model will still be trained for, if it stays the best.

        Args:
            trial: A trial of this oracle.

        Returns:
            0 unless the engine ends the best training before it stops.
        """
        return 0

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
        if self._to_run_again:
            trial = self.trials[self._to_run_again.pop(0)]
            trial.status = TrialStatus.RUNNING
            self.ongoing_trials[tuner_id] = trial
            return trial
        if not self._is_taken_up and self.record.space is None:
            self.reload()
        if self._space_is_being_met:
            return Trial(self.hyperparameters.copy(), trial_id="", status=TrialStatus.IDLE)
        if self.warm_start is not None and not self.past and self.hyperparameters.space:
            self.past = take_past(
                self.record, self.warm_start, self.objective, self.hyperparameters, self.constraints
            )
        trial = self._next_trial()
        if trial.status == TrialStatus.RUNNING:
            self.ongoing_trials[tuner_id] = self.trials[trial.trial_id] = trial
            self.start_order.append(trial.trial_id)
        elif trial.status == TrialStatus.STOPPED:
            self.tuner_ids.discard(tuner_id)
        return trial

    @synchronized
    def take_back(self, tuner_id: str) -> None:
        """Queues the trials that a search has left running, so that the next one begins with them.

        Args:
            tuner_id: Who has asked for them, for itself or for its workers.
        """
        left = [name for name in self.ongoing_trials if name.partition(":")[0] == tuner_id]
        interrupted = [self.ongoing_trials.pop(name).trial_id for name in left]
        self._to_run_again[:0] = sorted(interrupted)

    def _next_trial(self) -> Trial:
        """The trial to run next, begun in the record; one that was enqueued before all others."""
        waiting = self.record.waiting
        response: dict[str, Any] = {"status": TrialStatus.STOPPED}
        if not self.max_trials or len(self.trials) < self.max_trials:
            if waiting is not None:
                trial_id = trial_id_of(waiting.number)
                fixed = self._allowed(waiting.system_attrs["fixed_params"])
                response = self.populate_enqueued(trial_id, fixed)
            if response["status"] != TrialStatus.RUNNING:
                waiting, trial_id = None, trial_id_of(self.record.count)
                response = self.populate_space(trial_id)
        if response["status"] != TrialStatus.RUNNING:
            return Trial(self.hyperparameters.copy(), trial_id="", status=response["status"])
        trial = Trial(self._space_of(trial_id), trial_id=trial_id, status=TrialStatus.RUNNING)
        trial.hyperparameters.values = dict(response["values"])
        self._begin(trial, waiting is not None)
        self._record_values(trial)
        return trial

    def _allowed(self, enqueued: Mapping[str, Value]) -> dict[str, Value]:
        """The enqueued values that are in their ranges, which may have changed meanwhile."""
        allowed: dict[str, Value] = {}
        known = {hyperparameter.name for hyperparameter in self.hyperparameters.space}
        for name, value in enqueued.items():
            try:
                domain.check_values(self.hyperparameters, {name: value} if name in known else {})
                allowed[name] = value
            except ValueError as error:
                warnings.warn(f"An enqueued value is replaced: {error}", stacklevel=2)
        return allowed

    def _begin(self, trial: Trial, was_waiting: bool) -> None:
        """Writes that a trial runs."""
        if not self.trials and self.record.space is None:  # No tuner has begun the record.
            self.record.seed, self.record.space = self.seed, self.hyperparameters
        values = trial.hyperparameters.values
        if was_waiting:
            with self.record.batched():
                self.record.begin_waiting(int(trial.trial_id), self.hyperparameters, values)
        else:
            self.record.begin(self.hyperparameters, values)

    def populate_enqueued(self, trial_id: str, fixed: Mapping[str, Value]) -> dict[str, Any]:
        """Begins with values that a user has enqueued.

        Args:
            trial_id: The trial's id.
            fixed: Values by the names of hyperparameters.

        Returns:
            As `populate_space`; what is not fixed is drawn at random. Any status but RUNNING: the
            engine has no place for them now.
        """
        values = domain.draw(self.hyperparameters, self._stream(), fixed)
        return {"status": TrialStatus.RUNNING, "values": values}

    def report(self, trial_id: str, epoch: int, metrics: dict[str, float]) -> bool:
        """Takes the metrics of an epoch of a running trial.

        Args:
            trial_id: The trial.
            epoch: The epoch, counted from 0 over all the trial continues.
            metrics: Values by the metrics' names, as in the `logs` of a Keras callback.

        Returns:
            Whether the trial shall go on. What it is told once holds; epochs that are reported
            again, by a second execution or after an interruption, change nothing.
        """
        value = self.objective.get_value(metrics) if self.objective.has_value(metrics) else None
        with lock_of(self):
            last = self.record.trial(int(trial_id)).last_step
            if value is not None and math.isfinite(value) and (last is None or epoch >= last):
                if epoch != last:
                    self.record.report(int(trial_id), epoch, float(value))
                if self.pruner.prune(self.record.study, self.record.trial(int(trial_id))):
                    self._stopped.add(trial_id)
            return not self.is_stopped(trial_id)

    def is_stopped(self, trial_id: str) -> bool:
        """Tells whether a running trial was told to stop early.

        Args:
            trial_id: The trial.

        Returns:
            Whether `report` has said so.
        """
        return trial_id in self._stopped

    def annotate(self, trial_id: str, **attributes: Any) -> None:
        """Records what else is known of a running trial.

        Args:
            trial_id: The trial.
            **attributes: Becomes the trial's `user_attrs` in the study.
        """
        if attributes.get("parameters"):
            self._parameters[trial_id] = attributes["parameters"]
        self.record.annotate(int(trial_id), **attributes)

    @synchronized
    def start_clock(self, trial_id: str) -> None:
        """Records that a trial begins to train, where that is not when it was asked for.

        Args:
            trial_id: The trial.
        """
        now, asked = datetime.now(), self.record.trial(int(trial_id)).datetime_start
        if asked is None or now - asked > _AT_ONCE:
            self.annotate(trial_id, started=now.isoformat())

    def annotations(self, trial_id: str) -> dict[str, Any]:
        """Reads what is recorded of a trial besides its values.

        Args:
            trial_id: The trial.

        Returns:
            The trial's `user_attrs` in the study.
        """
        return self.record.trial(int(trial_id)).user_attrs

    def best_reported(self, trial_id: str) -> float:
        """Gives the best value of the objective that a trial has reported.

        Args:
            trial_id: A trial that has reported one.

        Returns:
            The value.
        """
        best = max if self.objective.direction == "max" else min
        return best(self.record.trial(int(trial_id)).intermediate_values.values())

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
            ValueError: If the objective, or what a constraint is about, is not among the metrics.
        """
        trial = self.trials[trial_id]
        parts = objectives.parts(self.objective)
        missing = [part.name for part in parts if not part.has_value(metrics)]
        if missing:
            raise ValueError(
                f"Objective value missing in metrics reported to the Oracle, expected: {missing}, "
                f"found: {[*metrics]}"
            )
        self.violations[trial_id] = self._violations(trial_id, metrics)
        add_metrics(trial, self.objective, metrics, step)
        return trial

    @synchronized
    def end_trial(self, trial: Trial) -> None:
        """Ends a trial or queues it for another try.

        Args:
            trial: The trial, its status COMPLETED, INVALID (to be retried if retries are left) or
                FAILED, its message the traceback. An id and a status, as in older Keras Tuner, are
                taken too.

        Raises:
            ValueError: If it has another status.
            RuntimeError: If `max_consecutive_failed_trials` trials failed in a row.
        """
        ended = self.trials[trial.trial_id]
        ended.hyperparameters = trial.hyperparameters
        ended.status, ended.message = trial.status, trial.message
        with self.record.batched():
            self._write_end(ended)
        if ended.status == TrialStatus.FAILED:
            frozen = self.record.trial(int(ended.trial_id))
            self._remember_failure(frozen, ended.hyperparameters.values)
        for tuner_id, ongoing in list(self.ongoing_trials.items()):
            if ongoing.trial_id == ended.trial_id:
                self.ongoing_trials.pop(tuner_id)
        if ended.status != TrialStatus.INVALID:
            self.end_order.append(ended.trial_id)
            self._rank(ended)
            # In the order they were asked for: of several at once, those that fail end together.
            asked_last_first = reversed(self.trials.values())
            latest_first = (trial for trial in asked_last_first if trial.status in _ENDED)
            check_failures(latest_first, self.max_consecutive_failed_trials)

    def _write_end(self, trial: Trial) -> None:
        """Writes how a trial ended; all at once where the storage can."""
        number, values = int(trial.trial_id), trial.hyperparameters.values
        # Where it cannot, the values are there before the space that they are new in: a trial that
        # is run again finds them.
        self.record.keep_values(number, self.hyperparameters, values)
        self.update_space(trial.hyperparameters)
        self._record_values(trial)
        self._judge(trial)
        violations = self.violations.get(trial.trial_id, {})
        write_end(self.record, trial, self.objective, self.hyperparameters, violations)
        if trial.status == TrialStatus.INVALID:
            self.record.annotate(number, attempts=self._attempts[trial.trial_id])

    def score_trial(self, trial: Trial) -> None:
        """Scores a trial as `keras_tuner.Oracle`; to be overridden as there."""
        score(trial, self.objective)

    def _judge(self, trial: Trial) -> None:
        """Scores a trial that went well; decides whether one that did not is tried again."""
        if trial.status == TrialStatus.COMPLETED:
            trial.status = PRUNED if self.is_stopped(trial.trial_id) else TrialStatus.COMPLETED
        if trial.status in (TrialStatus.COMPLETED, PRUNED):
            self.score_trial(trial)
            if trial.score is None or np.isnan(trial.score):
                trial.status = TrialStatus.INVALID
                trial.message = f"The objective {self.objective.name} is {trial.score}."
        if trial.status == TrialStatus.INVALID:
            self._attempts[trial.trial_id] += 1
            if self._attempts[trial.trial_id] > self.max_retries_per_trial:
                trial.status = TrialStatus.FAILED
            else:
                self._to_run_again.append(trial.trial_id)
                self._stopped.discard(trial.trial_id)
                # The next attempt has results of its own.
                trial.metrics = trial.metrics.from_config({"metrics": {}})
                trial.score, trial.best_step = None, 0

    def get_best_trials(self, num_trials: int = 1) -> list[Trial]:
        """Picks the best trials.

        Args:
            num_trials: How many at most.

        Returns:
            Completed trials that keep the constraints, the best first; with several objectives by
            domination. Of equal ones that with the lower loss comes first, then the one with fewer
            parameters, then the earlier one.
        """
        if len(self.trials) != len(self.start_order):  # Some were not begun here.
            return best_first(self.kept_trials(), self.objective, self._parameters)[:num_trials]
        return self._ranking.best(num_trials)

    def kept_trials(self) -> list[Trial]:
        """Lists the trials that break no constraint.

        Returns:
            The trials, in the order in which they began.
        """
        trials = self.trials.values()
        return [t for t in trials if keeps(self.violations.get(t.trial_id, {}))]

    def why_none_is_best(self) -> str | None:
        """Says why `get_best_trials` is empty.

        Returns:
            The reason, with the trial that is nearest to keeping the constraints; None if there is
            a best trial.
        """
        if self.get_best_trials(1):
            return None
        breaking = [t for t in self.trials.values() if t.status == TrialStatus.COMPLETED]
        if not breaking:
            return "No trial has been completed yet: run search() first."
        nearest = min(breaking, key=lambda t: total_violation(self.violations[t.trial_id]))
        broken = self.violations[nearest.trial_id].items()
        missed = ", ".join(f"{name!r} by {number(by)}" for name, by in broken if by > 0)
        return (
            f"None of the {len(breaking)} completed trials keeps the constraints; trial "
            f"{nearest.trial_id} is nearest and misses {missed}. Search on, or allow more."
        )

    def _violations(self, trial_id: str, metrics: dict[str, float]) -> dict[str, float]:
        """How far a trial is from keeping each constraint; one told to stop may know less."""
        metrics = objectives.with_gap(metrics)
        if self.is_stopped(trial_id):
            return known_violations(self.constraints, metrics)
        return {one.name: one.violation(metrics) for one in self.constraints}
