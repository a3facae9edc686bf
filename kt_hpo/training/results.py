"""What training a model gave: a History, a dict or a float, read as one thing."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import keras
import keras_tuner
from keras_tuner.errors import FatalTypeError, FatalValueError

from kt_hpo import objectives


@dataclass(frozen=True)
class Result:
    """What one execution of a trial gave.

    Attributes:
        metrics: Values at the best epoch by the metrics' names, the objective among them.
        best_epoch: The epoch they were reached at, counted from 0.
        history: The value of each epoch by the metrics' names, and the epochs under `epoch`; empty
            where the user's own training returned only a number or a dict.
    """

    metrics: dict[str, float]
    best_epoch: int = 0
    history: dict[str, list[float]] = field(default_factory=dict)


def read_results(
    returned: Any,
    objective: keras_tuner.Objective,
    source: str,
    measured: Mapping[str, float] | None = None,
) -> list[Result]:
    """Reads what `HyperModel.fit` or `Tuner.run_trial` returned.

    Args:
        returned: A History, a dict of metrics, a number, or a list of these, one an execution.
        objective: The objective of the search.
        source: Who returned it, for the message of an error.
        measured: What else is known of the trained model, by name.

    Returns:
        A result an execution.

    Raises:
        FatalTypeError: If it is of another type.
        FatalValueError: If the objective is not among the metrics. Both end the search: every
            other trial would end the same way.
    """
    match returned:
        case Result():
            return [returned]
        case list() if returned:
            every = [read_results(one, objective, source, measured) for one in returned]
            return [result for results in every for result in results]
        case keras.callbacks.History():
            return [_read_history(returned, objective, source, measured or {})]
        case Mapping():
            theirs = {name: float(value) for name, value in returned.items()}
            return [Result(_complete({**(measured or {}), **theirs}, objective, source))]
        case numbers.Real():
            theirs = {**(measured or {}), objective.name: float(returned)}
            return [Result(_complete(theirs, objective, source))]
    raise FatalTypeError(
        f"{source} returned {returned!r} of type {type(returned).__name__}. "
        "It must return what model.fit() returns (a History), a dict of metrics with the "
        f"objective {objective.name!r}, a float, or a list of these."
    )


def mean_metrics(results: Sequence[Result]) -> dict[str, float]:
    """Averages the metrics of a trial's executions.

    Args:
        results: At least one result.

    Returns:
        The mean of each metric over the executions that have it.
    """
    names = dict.fromkeys(name for result in results for name in result.metrics)
    return {name: fmean(r.metrics[name] for r in results if name in r.metrics) for name in names}


def mean_best_epoch(results: Sequence[Result]) -> int:
    """Averages the best epochs of a trial's executions, as a whole number of epochs."""
    return round(fmean(result.best_epoch for result in results))


def _read_history(
    history: keras.callbacks.History,
    objective: keras_tuner.Objective,
    source: str,
    measured: Mapping[str, float],
) -> Result:
    names = list(history.history)
    rows = [
        objectives.with_objective(objective, dict(zip(names, map(float, row), strict=True)))
        for row in zip(*history.history.values(), strict=False)
    ]
    if not rows:
        raise FatalValueError(
            f"{source} trained for no epoch at all. Is epochs=0, or is initial_epoch not below it?"
        )
    _complete({**measured, **rows[0]}, objective, source)
    by_epoch = objectives.while_training(objective)
    best = 0
    for index, row in enumerate(rows):
        if by_epoch.better_than(by_epoch.get_value(row), by_epoch.get_value(rows[best])):
            best = index
    epochs = list(history.epoch) or list(range(len(rows)))
    curves = {name: [row[name] for row in rows] for name in rows[0]}
    metrics = _complete({**measured, **rows[best]}, objective, source)
    return Result(metrics, int(epochs[best]), {"epoch": epochs, **curves})


def _complete(
    metrics: Mapping[str, float], objective: keras_tuner.Objective, source: str
) -> dict[str, float]:
    """The metrics with the objective's own value; an error if they do not tell it."""
    complete = objectives.with_objective(objective, metrics)
    every = [objective, *objectives.parts(objective)]
    missing = [part.name for part in every if part.name not in complete]
    if missing:
        raise FatalValueError(missing_objective(missing[-1], list(metrics), source))
    return complete


def missing_objective(name: str, available: Sequence[str], source: str) -> str:
    """Words the error of an objective that is not measured.

    Args:
        name: The objective's name.
        available: The metrics there are.
        source: Who gave them.

    Returns:
        The message.
    """
    hint = ""
    if name.startswith("val_") and not any(metric.startswith("val_") for metric in available):
        hint = " Nothing was validated: pass validation_data= or validation_split= to search()."
    return (
        f"The objective {name!r} is not among the metrics of {source}: {', '.join(available)}. "
        "Choose one of them as objective, or compile the model with this metric; what can be "
        f"measured of any model is {', '.join(objectives.MEASURED)}.{hint}"
    )
