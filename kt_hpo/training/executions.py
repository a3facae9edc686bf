"""The trainings that a trial consists of: its executions, each of them on every fold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import stdev
from typing import Any, NamedTuple

from keras_tuner.engine.trial import Trial
from optuna.pruners import WilcoxonPruner

from kt_hpo.training import cross_validation
from kt_hpo.training.context import TrainingContext
from kt_hpo.training.cross_validation import Data, Fold
from kt_hpo.training.reproducibility import seed_of
from kt_hpo.training.results import Result


class Execution(NamedTuple):
    """One training of a trial's model.

    Attributes:
        number: Its place among all of the trial, counted from 0.
        repetition: The execution it belongs to, of which the seed follows.
        place: The place of its fold, likewise.
        fold: What it trains and validates with; None for the data as they are.
    """

    number: int
    repetition: int
    place: int
    fold: Fold | None

    def seed(self, search_seed: int, trial: Trial) -> int:
        """Gives the seed of weights and shuffling in this training of a trial."""
        return seed_of(search_seed, trial, self.repetition, self.place)


def planned(
    context: TrainingContext, data: Data, repetitions: Sequence[int] | None = None
) -> list[Execution]:
    """Lists the trainings of a trial.

    Args:
        context: The training's context.
        data: Positional and keyword arguments of `search`.
        repetitions: The numbers of the executions; those of the search by default.

    Returns:
        The trainings, in the order they are done.
    """
    numbers = range(context.executions_per_trial) if repetitions is None else repetitions
    folds: list[Fold | None] = [None]
    splitter = context.training.cross_validation
    if splitter is not None:
        x, y, _ = cross_validation.named_data(data)
        groups = data[1].get("groups")
        folds = [*cross_validation.make_folds(splitter, x, y, groups, context.oracle.seed)]
    return [
        Execution(len(folds) * at + place, repetition, place, fold)
        for at, repetition in enumerate(numbers)
        for place, fold in enumerate(folds)
    ]


def compares_executions(context: TrainingContext) -> bool:
    """Tells whether the pruner of a search looks at trainings, not at epochs.

    Args:
        context: The training's context.

    Returns:
        True for the Wilcoxon pruner, where a trial has several trainings.
    """
    has_several = context.training.cross_validation is not None or context.executions_per_trial > 1
    return has_several and isinstance(context.oracle.pruner, WilcoxonPruner)


def summary(results: Sequence[Result]) -> dict[str, Any]:
    """Gives what the record keeps of the trainings of a trial.

    Args:
        results: A result a training.

    Returns:
        `executions`: the metrics and best epoch of each; `standard_error`: that of each metric's
        mean. The standard error takes the trainings for independent; those on folds share samples.

    Example:
        >>> results = [Result({"loss": 0.1}), Result({"loss": 0.3})]
        >>> round(summary(results)["standard_error"]["loss"], 12)
        0.1
    """
    rows = [{"metrics": one.metrics, "best_epoch": one.best_epoch} for one in results]
    names = dict.fromkeys(name for one in results for name in one.metrics)
    values = {name: [r.metrics[name] for r in results if name in r.metrics] for name in names}
    errors = {name: _standard_error(some) for name, some in values.items() if len(some) > 1}
    return {"executions": rows, "standard_error": errors}


def _standard_error(values: Sequence[float]) -> float:
    is_known = all(map(math.isfinite, values))
    return stdev(values) / len(values) ** 0.5 if is_known else math.nan


def keep(context: TrainingContext, trial: Trial, ended: Sequence[Result]) -> None:
    """Records the trainings of a running trial that have ended, for when it is interrupted.

    Args:
        context: The training's context.
        trial: The trial.
        ended: Their results.
    """
    context.annotate(trial, history=[result.history for result in ended], **summary(ended))


def finished(attributes: Mapping[str, Any]) -> list[Result]:
    """Reads the trainings that had ended when a trial was interrupted.

    Args:
        attributes: What the record holds of the trial.

    Returns:
        Their results.

    Example:
        >>> finished({})
        []
    """
    rows = attributes.get("executions", [])
    histories = attributes.get("history", [])
    if len(rows) != len(histories):
        return []  # From the end of an attempt that failed, where results without one are left out.
    return [
        Result(row["metrics"], row["best_epoch"], history)
        for row, history in zip(rows, histories, strict=True)
    ]
