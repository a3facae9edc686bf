"""What training a model gave: a History, a dict or a float, read as one thing."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, TypeAlias

import keras
import keras_tuner
from keras_tuner.errors import FatalTypeError, FatalValueError

from kt_hpo import objectives

Epochs: TypeAlias = Mapping[int, Mapping[str, float]]
"""The metrics of a training by epoch, counted from 0."""


@dataclass(frozen=True)
class Result:
    """What one execution of a trial gave.

    Attributes:
        metrics: Values at the best epoch by the metrics' names, the objective among them.
        best_epoch: The epoch they were reached at, counted from 0.
        history: The value of each epoch by the metrics' names, None where an epoch has none, and
            the epochs under `epoch`; empty where the user's own training returned only a number or
            a dict.
    """

    metrics: dict[str, float]
    best_epoch: int = 0
    history: dict[str, list[Any]] = field(default_factory=dict)


def read_results(
    returned: Any,
    objective: keras_tuner.Objective,
    source: str,
    measured: Mapping[str, float] | None = None,
    trainings: Sequence[Epochs] = (),
) -> list[Result]:
    """Reads what `HyperModel.fit` or `Tuner.run_trial` returned.

    Args:
        returned: A History, a dict of metrics, a number, or a list of these, one an execution.
        objective: The objective of the search.
        source: Who returned it, for the message of an error.
        measured: What else is known of the trained model, by name.
        trainings: The metrics by epoch of trainings that were watched. A History alone does not
            tell the epochs of a metric that not every epoch has.

    Returns:
        A result an execution.

    Raises:
        FatalTypeError: If it is of another type.
        FatalValueError: If the objective is not among the metrics. Both end the search: every
            other trial would end the same way.
    """
    if objective.name == objectives.DEFAULT:
        _check_number(returned, objective, source)
    match returned:
        case Result():
            return [returned]
        case list() if returned:
            every = [read_results(one, objective, source, measured, trainings) for one in returned]
            return [result for results in every for result in results]
        case keras.callbacks.History():
            rows = _rows(returned, trainings)
            return [_read_epochs(rows, objective, source, measured or {})]
        case Mapping():
            theirs = numbers_of(returned)
            return [Result(_complete({**(measured or {}), **theirs}, objective, source))]
        case numbers.Real():
            theirs = {**(measured or {}), objective.name: float(returned)}
            return [Result(_complete(theirs, objective, source))]
    raise FatalTypeError(
        f"{source} returned {returned!r} of type {type(returned).__name__}. "
        "It must return what model.fit() returns (a History), a dict of metrics with the "
        f"objective {objective.name!r}, a float, or a list of these."
    )


def _check_number(returned: Any, objective: keras_tuner.Objective, source: str) -> None:
    """Refuses metrics of which nobody has said which one is the objective."""
    is_named = isinstance(returned, Mapping) and objective.name in returned
    if isinstance(returned, Mapping | keras.callbacks.History) and not is_named:
        raise FatalTypeError(
            f"{source} returned {type(returned).__name__} of several metrics, and the tuner has no "
            'objective. Give it one, such as objective="val_loss", or return the one number that '
            "is to be minimized."
        )


def mean_metrics(results: Sequence[Result]) -> dict[str, float]:
    """Averages the metrics of a trial's executions.

    Args:
        results: At least one result.

    Returns:
        The mean of each metric over the executions that have it.
    """
    names = dict.fromkeys(name for result in results for name in result.metrics)
    values = {name: [r.metrics[name] for r in results if name in r.metrics] for name in names}
    return {name: _mean(some) for name, some in values.items()}


def _mean(values: Sequence[float]) -> float:
    # `fmean` refuses two infinities that have no mean.
    return fmean(values) if all(map(math.isfinite, values)) else sum(values) / len(values)


def mean_best_epoch(results: Sequence[Result]) -> int:
    """Averages the best epochs of a trial's executions, as a whole number of epochs."""
    return round(fmean(result.best_epoch for result in results))


def numbers_of(logs: Mapping[str, Any]) -> dict[str, float]:
    """Reads what is a number among metrics; a user's callback may add anything to the logs.

    Args:
        logs: Values by name.

    Returns:
        The numbers, those in arrays and tensors of one element included.

    Example:
        >>> numbers_of({"loss": 1, "confusion": [[3, 0], [1, 2]], "note": "slow"})
        {'loss': 1.0}
    """
    numbers: dict[str, float] = {}
    for name, value in logs.items():
        if isinstance(value, str | bytes):
            continue
        try:
            numbers[name] = float(value)
        except (TypeError, ValueError):
            continue
    return numbers


def _rows(
    history: keras.callbacks.History, trainings: Sequence[Epochs]
) -> dict[int, dict[str, float]]:
    """The metrics of each epoch of a training."""
    lists = {name: list(values) for name, values in history.history.items()}
    count = max(map(len, lists.values()), default=0)
    # One that a user has filled by hand has no epochs.
    epochs = list(getattr(history, "epoch", [])) or list(range(count))
    rows: dict[int, dict[str, float]] = {epoch: {} for epoch in epochs}
    for watched in trainings:
        if list(watched) == epochs and _agree(watched, lists):
            rows = {epoch: dict(watched[epoch]) for epoch in epochs}
            break
    for name, values in lists.items():
        if len(values) == len(epochs):
            for epoch, value in zip(epochs, values, strict=True):
                rows[epoch] |= numbers_of({name: value})
        elif values and not any(name in row for row in rows.values()):
            # As with validation_freq: at equal distances, the first at the end of the first.
            every = len(epochs) // len(values)
            for epoch, value in zip(epochs[every - 1 :: every], values, strict=False):
                rows[epoch] |= numbers_of({name: value})
    return rows


def _agree(watched: Epochs, lists: Mapping[str, list[Any]]) -> bool:
    """Whether a History is of the training that was watched."""
    for name in dict.fromkeys(name for row in watched.values() for name in row):
        values = [row[name] for row in watched.values() if name in row]
        theirs = [numbers_of({name: value}).get(name) for value in lists.get(name, [])]
        if repr(values) != repr(theirs):  # NaN is NaN here.
            return False
    return True


def _read_epochs(
    epochs: Mapping[int, Mapping[str, float]],
    objective: keras_tuner.Objective,
    source: str,
    measured: Mapping[str, float],
) -> Result:
    if not epochs:
        raise FatalValueError(
            f"{source} trained for no epoch at all. Is epochs=0, or is initial_epoch not below it?"
        )
    rows = {epoch: objectives.with_objective(objective, row) for epoch, row in epochs.items()}
    by_epoch = objectives.while_training(objective)
    known = [epoch for epoch in rows if by_epoch.has_value(rows[epoch])]
    best = known[0] if known else next(iter(rows))
    for epoch in known:
        if objectives.is_better(
            by_epoch, by_epoch.get_value(rows[epoch]), by_epoch.get_value(rows[best])
        ):
            best = epoch
    metrics = _complete({**measured, **rows[best]}, objective, source)
    names = dict.fromkeys(name for row in rows.values() for name in row)
    curves = {name: [row.get(name) for row in rows.values()] for name in names}
    return Result(metrics, int(best), {"epoch": list(rows), **curves})


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
        "Choose one of them as objective, compile the model with this metric, or have a callback "
        "add it to the logs at the end of every epoch; what can be measured of any model is "
        f"{', '.join(objectives.MEASURED)}.{hint}"
    )
