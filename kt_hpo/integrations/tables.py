"""The trials in a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import keras_tuner
import optuna
import pandas as pd
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState

from kt_hpo import objectives
from kt_hpo.arguments import did_you_mean
from kt_hpo.space.continuation import is_reserved, reserved_values

_STATES = {
    "completed": TrialState.COMPLETE,
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
    "fail": TrialState.FAIL,
    "running": TrialState.RUNNING,
    "waiting": TrialState.WAITING,
}
# The columns of `kt_hpo.record.tables.to_dataframe` that are neither metrics nor hyperparameters.
_OWN = (
    "trial", "state", "standard_error", "violation", "best_epoch", "parameters", "seconds", "error",
)  # fmt: skip
# Columns of numbers, with the lowest and the highest that make sense; seconds up to centuries.
_BOUNDS = (
    ("seconds", 0, 1e10),
    ("best_epoch", 1, 2**53),
    ("parameters", 0, 2**53),
    ("violation", -math.inf, math.inf),
)
# A range that spans as much is searched on a log scale.
_LOG = 100


def read_table(
    path: Path, objective: keras_tuner.Objective | None = None
) -> tuple[keras_tuner.Objective, list[FrozenTrial]]:
    """Reads trials.

    Args:
        path: A `.csv` file such as `kt_hpo.export` writes.
        objective: What was optimized; the first column behind `trial` and `state` if not given.

    Returns:
        What was optimized, and the trials.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a column is missing, or what is in one is not understood.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    try:
        table = pd.read_csv(path, dtype_backend="numpy_nullable", float_precision="round_trip")
    except (ValueError, pd.errors.ParserError) as error:
        raise ValueError(f"{path} is not understood as a table: {error}") from error
    columns = [str(name) for name in table.columns]
    if objective is None:
        objective = _guessed(columns, path)
    names = [part.name for part in objectives.parts(objective)]
    _check_objectives(table, names, path)
    metrics = [
        name for name in columns if name not in (*_OWN, *names) and _is_metric(name, columns)
    ]
    _check_numbers(table, metrics, -math.inf, math.inf, path)
    for name, lowest, highest in _BOUNDS:
        _check_numbers(table, [name], lowest, highest, path)
    kinds = {
        name: _distribution(table[name].dropna(), name, path)
        for name in columns
        if name not in (*_OWN, *names, *metrics) and not is_reserved(name)
        if table[name].notna().any()
    }
    rows = table.to_dict("records")
    return objective, [
        _trial({str(k): v for k, v in row.items() if not pd.isna(v)}, names, metrics, kinds, path)
        for row in rows
    ]


def _guessed(columns: Sequence[str], path: Path) -> keras_tuner.Objective:
    left = [name for name in columns if name not in _OWN]
    try:
        return objectives.make_objective(left[0] if left else "")
    except ValueError as error:
        raise ValueError(
            f"{path} does not tell which of {', '.join(left) or 'no columns'} was optimized. Give "
            "objective=, on the command line --objective NAME:max or NAME:min."
        ) from error


def _check_objectives(table: pd.DataFrame, names: Sequence[str], path: Path) -> None:
    for name in names:
        if name not in table:
            raise ValueError(
                f"{path} has no column {name!r}.{did_you_mean(name, table.columns)} Its columns: "
                f"{', '.join(table.columns)}."
            )
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise ValueError(f"The column {name!r} of {path} holds other things than numbers.")


def _is_metric(name: str, columns: Sequence[str]) -> bool:
    """Whether a column is measured, by what Keras calls what it measures."""
    return (
        name.startswith("val_")
        or f"val_{name}" in columns
        or name == "loss"
        or name in objectives.MEASURED
    )


def _check_numbers(
    table: pd.DataFrame, names: Sequence[str], lowest: float, highest: float, path: Path
) -> None:
    """Refuses a column with something else than numbers within bounds."""
    for name in (name for name in names if name in table):
        column = table[name]
        numbers = pd.to_numeric(column, errors="coerce").astype("Float64")
        bad = column.notna() & ~((numbers >= lowest) & (numbers <= highest)).fillna(False)
        if bad.any():
            row = int(bad.to_numpy(dtype=bool).argmax())
            value = str(column.iloc[row])
            bounds = "" if lowest == -math.inf else f" from {lowest:g} to {highest:g}"
            raise ValueError(
                f"{path}, column {name!r}, row {row} (counted from 0 below the header): "
                f"{value!r} is no number{bounds}. Correct it, or leave the cell empty."
            )


def _distribution(values: pd.Series, name: str, path: Path) -> BaseDistribution:
    """The range that the values of a hyperparameter lie in."""
    if pd.api.types.is_bool_dtype(values):
        return CategoricalDistribution([False, True])
    if not pd.api.types.is_numeric_dtype(values):
        return CategoricalDistribution(sorted(map(str, values.unique())))
    low, high = values.min(), values.max()
    if not math.isfinite(high - low):
        raise ValueError(
            f"{path}, column {name!r}, holds a number that is not finite; the range of a "
            "hyperparameter is that of its values. Correct it, or leave the cell empty."
        )
    log = bool(low > 0 and high / low >= _LOG)
    if pd.api.types.is_integer_dtype(values):
        return IntDistribution(int(low), int(high), log=log)
    return FloatDistribution(float(low), float(high), log=log)


def _trial(
    row: dict[str, Any],
    names: Sequence[str],
    metrics: Sequence[str],
    kinds: dict[str, BaseDistribution],
    path: Path,
) -> FrozenTrial:
    measured = {name: float(row[name]) for name in (*names, *metrics) if name in row}
    values = [measured[name] for name in names if name in measured]
    state = _state(row, len(values) == len(names), path)
    params = {name: row[name] for name in kinds if name in row}
    attributes: dict[str, Any] = {}
    if rest := reserved_values(row):
        attributes["values"] = rest
    if state in (TrialState.COMPLETE, TrialState.PRUNED):
        attributes["metrics"] = measured
        attributes["best_epoch"] = int(row.get("best_epoch", 1)) - 1
    if "error" in row:
        attributes["traceback"] = str(row["error"])
    if "parameters" in row:
        attributes["parameters"] = int(row["parameters"])
    trial = optuna.trial.create_trial(
        state=state,
        values=values if state in (TrialState.COMPLETE, TrialState.PRUNED) else None,
        params=params,
        distributions={name: kinds[name] for name in params},
        user_attrs=attributes,
        system_attrs=_violation(row),
    )
    if trial.state.is_finished() and "seconds" in row:
        trial.datetime_start = datetime.now() - timedelta(seconds=float(row["seconds"]))
        trial.datetime_complete = datetime.now()
    return trial


def _state(row: dict[str, Any], has_values: bool, path: Path) -> TrialState:
    """How a trial ended; without a column that says so, by its having values."""
    word = str(row.get("state", "completed" if has_values else "failed")).lower()
    if word not in _STATES:
        raise ValueError(
            f"The state {row['state']!r} in {path} is not one of {', '.join(_STATES)}."
            f"{did_you_mean(word, _STATES)}"
        )
    state = _STATES[word]
    needs_values = state in (TrialState.COMPLETE, TrialState.PRUNED)
    return TrialState.FAIL if needs_values and not has_values else state


def _violation(row: dict[str, Any]) -> dict[str, float]:
    """How far a trial is from keeping constraints whose names the table does not have."""
    return {"constraints:violation": float(row["violation"])} if "violation" in row else {}
