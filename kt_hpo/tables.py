"""The record of a search as tables."""

from __future__ import annotations

from typing import Any

import optuna
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from kt_hpo.best import best_first, level
from kt_hpo.clock import seconds
from kt_hpo.constraints import total_violation

_STATES = {TrialState.COMPLETE: "completed", TrialState.FAIL: "failed"}


def to_dataframe(study: optuna.Study) -> pd.DataFrame:
    """Makes a row of each trial.

    Args:
        study: The record of a search.

    Returns:
        Columns `trial`, `state`, the objectives, the hyperparameters, the other metrics at the best
        epoch, `standard_error` (that of the first objective's mean over executions and folds, where
        there are several), `violation` (how far it is from keeping the constraints, 0 where it
        does; only if there are any), `best_epoch` (counted from 1), `parameters`, `seconds`,
        `error` (the last line of the traceback). What a trial does not have is missing.

    Example:
        >>> to_dataframe(optuna.create_study()).empty
        True
    """
    trials = study.get_trials(deepcopy=False)
    names = objective_names(study)
    return pd.DataFrame([_row(trial, names) for trial in trials]).convert_dtypes(
        convert_string=False, convert_floating=False
    )


def objective_names(study: optuna.Study) -> list[str]:
    """Names the objectives of a search.

    Args:
        study: The record of a search.

    Returns:
        Their names; `objective`, or `objective 1` and so on, where none are recorded.

    Example:
        >>> objective_names(optuna.create_study(directions=["minimize", "maximize"]))
        ['objective 1', 'objective 2']
    """
    if study.metric_names:
        return study.metric_names
    count = len(study.directions)
    return ["objective"] if count == 1 else [f"objective {number + 1}" for number in range(count)]


def best_trials(study: optuna.Study, count: int = 10) -> pd.DataFrame:
    """Picks the rows of the best trials, the best first.

    Args:
        study: The record of a search.
        count: How many at most.

    Returns:
        Rows of `to_dataframe` that keep the constraints, in the order of the first objective,
        without the columns that are empty in all of them.
    """
    table = to_dataframe(study)
    if table.empty:
        return table
    ordered = best_first(study, study.get_trials(deepcopy=False))
    numbers = [trial.number for trial in ordered[:count]]
    return table.set_index("trial", drop=False).loc[numbers].dropna(axis="columns", how="all")


def compare_best(study: optuna.Study, count: int = 10) -> str:
    """Sets the best trials side by side, a line for each thing known of them.

    Args:
        study: The record of a search.
        count: How many trials at most.

    Returns:
        The text of a table, its columns the trials.
    """
    table = best_trials(study, count)
    if table.empty:
        broken = any(trial.state == TrialState.COMPLETE for trial in study.get_trials(False))
        return f"No trial {'keeps the constraints' if broken else 'has been completed'}."
    hidden = ["state", "violation", *(name for name in table if str(name).startswith("tuner/"))]
    table = table.drop(columns=[name for name in hidden if name in table])
    cells = table.set_index("trial").T.map(_in_words)
    cells.columns.name = "trial"
    said = level(study, objective_names(study)[0])
    return f"{cells.to_string()}\n{said}" if said else cells.to_string()


def _in_words(value: Any) -> str:
    if not isinstance(value, str) and pd.isna(value):
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _row(trial: FrozenTrial, names: list[str]) -> dict[str, Any]:
    attributes = trial.user_attrs
    row: dict[str, Any] = {
        "trial": trial.number,
        "state": _STATES.get(trial.state, trial.state.name.lower()),
    }
    row |= (
        dict.fromkeys(names)
        if trial.values is None
        else dict(zip(names, trial.values, strict=True))
    )
    row |= trial.params
    row |= {k: v for k, v in attributes.get("values", {}).items() if k.startswith("tuner/")}
    row |= {k: v for k, v in attributes.get("metrics", {}).items() if k not in row}
    errors = attributes.get("standard_error", {})
    if names[0] in errors:
        row["standard_error"] = errors[names[0]]
    if trial.constraints:
        row["violation"] = total_violation(trial.constraints)
    row["best_epoch"] = attributes["best_epoch"] + 1 if "best_epoch" in attributes else None
    row.setdefault("parameters", attributes.get("parameters"))
    row["seconds"] = seconds(trial) or None  # Trials from elsewhere may have no times.
    error = attributes.get("traceback", "").strip()
    row["error"] = error.splitlines()[-1] if error else None
    return row
