"""How the training of a trial went, and what stays of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import keras_tuner
from keras_tuner.engine.trial import Trial

from kt_hpo import objectives
from kt_hpo.training import checkpoints, fit
from kt_hpo.training.context import SearchContext, TrainingContext
from kt_hpo.training.results import Result, mean_metrics, read_results
from kt_hpo.training.vectorized.trial_slot import TrialSlot


@dataclass
class Outcome:
    """How the training of a trial went.

    Attributes:
        trial: The trial.
        slots: Its executions, trained.
        error: What failed it, if it failed.
        obstacle: Why it has to train by itself, if it has to.
    """

    trial: Trial
    slots: Sequence[TrialSlot] = field(default_factory=list)
    error: Exception | None = None
    obstacle: str | None = None

    def results(self, objective: keras_tuner.Objective) -> list[Result]:
        """Gives a result an execution.

        Args:
            objective: The objective of the search.

        Returns:
            The results.

        Raises:
            Exception: What failed the trial.
        """
        if self.error is not None:
            raise self.error
        histories = [slot.history for slot in self.slots]
        return read_results(histories, objective, "HyperModel.fit()")

    def value(self, objective: keras_tuner.Objective) -> float:
        """The mean of the executions' objectives; that of a trial without an error."""
        return mean_metrics(self.results(objective))[objective.name]

    def save(self, context: TrainingContext, keeps_best: bool) -> None:
        """Writes what is needed of the trial later.

        Args:
            context: The training's context.
            keeps_best: Whether the weights of its best epoch are.
        """
        folder = Path(context.get_trial_dir(self.trial.trial_id))
        best = self.slots[0]
        for slot in self.slots[1:]:
            if context.oracle.objective.better_than(slot.best_value, best.best_value):
                best = slot
        if keeps_best and best.best is not None:
            best.write(best.best, folder / checkpoints.BEST)
        for slot in self.slots if context.oracle.may_be_continued(self.trial) else ():
            if slot.last is not None:
                slot.write(slot.last, folder / checkpoints.last(slot.execution))
        context.annotate(
            self.trial,
            parameters=best.blueprint.parameters,
            checkpoint=fit.checkpoint_of(folder),
        )


def best_of(outcomes: Sequence[Outcome], search: SearchContext) -> set[str]:
    """Chooses the trials whose weights will be kept when all of a group have ended.

    Args:
        outcomes: Trials that have ended together.
        search: The search.

    Returns:
        Their ids.
    """
    objective = search.oracle.objective
    values = {
        outcome.trial.trial_id: outcome.value(objective)
        for outcome in outcomes
        if outcome.slots
        and outcome.error is None
        and not search.oracle.is_stopped(outcome.trial.trial_id)
    }
    if len(objectives.parts(objective)) > 1 or search.oracle.constraints:
        return set(values)  # Which of them are the best is known when all have ended.
    best = search.oracle.get_best_trials(search.keep_checkpoints)
    before = {trial.trial_id: trial.score for trial in best}
    everyone = {**before, **values}
    ranked = sorted(everyone, key=everyone.__getitem__, reverse=objective.direction == "max")
    # Which of equal ones is the best, their losses tell when they have ended.
    last = everyone[ranked[min(search.keep_checkpoints, len(ranked)) - 1]] if ranked else None
    return {i for i, value in values.items() if value == last} | (
        set(ranked[: search.keep_checkpoints]) & values.keys()
    )
