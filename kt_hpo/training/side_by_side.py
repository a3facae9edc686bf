"""The trainings of one trial, when they run at the same time in several processes.

Each process trains one of them with `train`; the process of the search takes in their ends, in
whatever order, with `take_in`, and makes the trial's results of them with `gather`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_tuner.engine.trial import Trial

from kt_hpo import objectives
from kt_hpo.training import callbacks as cb
from kt_hpo.training import checkpoints, executions, fit
from kt_hpo.training.context import SearchContext, TrainingContext
from kt_hpo.training.data import make_data
from kt_hpo.training.results import Result, mean_metrics

Ends = Mapping[int, list[Result]]
"""What the trainings of a trial gave, by their numbers."""


def count(search: SearchContext, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]) -> int:
    """Counts the trainings of a trial.

    Args:
        search: The search.
        fit_args: Positional arguments of `search`.
        fit_kwargs: Keyword arguments of `search`.

    Returns:
        How many each trial has.

    Raises:
        ValueError: If there is one only, or the tuner has a `run_trial` of its own.
    """
    number = len(executions.planned(search, make_data(fit_args, fit_kwargs)))
    if number == 1:
        raise ValueError(
            "parallel_folds=True trains the folds of a trial side by side, and there are none. "
            "Give the tuner cross_validation=5 or executions_per_trial=5, or leave parallel_folds "
            "out."
        )
    if search.runs_its_own_way:
        raise ValueError(
            "parallel_folds=True does not go with a run_trial of one's own, which "
            f"{type(search).__name__} has: nobody else knows the trainings it is made of. Leave "
            "one of the two out."
        )
    return number


def train(
    context: TrainingContext,
    trial: Trial,
    number: int,
    fit_args: tuple[Any, ...],
    fit_kwargs: dict[str, Any],
) -> list[Result]:
    """Does one training of a trial.

    Args:
        context: The training's context.
        trial: The trial.
        number: Which of its trainings.
        fit_args: Positional arguments of `search`.
        fit_kwargs: Keyword arguments of `search`.

    Returns:
        As `fit.train`.
    """
    data = make_data(fit_args, fit_kwargs)
    path = Path(context.get_trial_dir(trial.trial_id)) / checkpoints.best(number)
    watching = [
        cb.BestEpoch(objectives.while_training(context.oracle.objective), path),
        cb.TimeLimit(context.training.trial_timeout),
    ]
    return fit.execute(context, trial, executions.planned(context, data)[number], data, watching)


def take_in(context: TrainingContext, trial: Trial, number: int, ends: Ends) -> bool:
    """Records the end of a training.

    Args:
        context: The training's context.
        trial: The trial.
        number: Which of its trainings.
        ends: What those that have ended gave, this one included.

    Returns:
        Whether to go on with the others.
    """
    first = _first_in_order(ends)
    if first:
        executions.keep(context, trial, first)
    if executions.compares_executions(context):
        context.oracle.report(trial.trial_id, number, mean_metrics(ends[number]))
    return not context.oracle.is_stopped(trial.trial_id)


def gather(context: TrainingContext, trial: Trial, ends: Ends) -> list[Result]:
    """Makes the results of a trial of those of its trainings, and keeps the best one's weights.

    Args:
        context: The training's context.
        trial: The trial.
        ends: What its trainings gave.

    Returns:
        The results in the order of the trainings.
    """
    folder = Path(context.get_trial_dir(trial.trial_id))
    best = cb.BestEpoch(objectives.while_training(context.oracle.objective), folder)
    for number in sorted(ends):
        path = folder / checkpoints.best(number)
        if any(best.improves(one.metrics) for one in ends[number]) and path.exists():
            path.replace(folder / checkpoints.BEST)
        path.unlink(missing_ok=True)
    return [result for number in sorted(ends) for result in ends[number]]


def _first_in_order(ends: Ends) -> list[Result]:
    """The results of the trainings before the first that has not ended, if each gave one."""
    found: list[Result] = []
    while len(ends.get(len(found), ())) == 1:
        found += ends[len(found)]
    return found
