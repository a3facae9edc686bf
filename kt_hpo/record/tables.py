"""The record of a search as tables."""

from __future__ import annotations

from html import escape
from textwrap import fill
from typing import Any

import optuna
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from kt_hpo.constraints import total_violation
from kt_hpo.formatting import short, values_in_words
from kt_hpo.record.best import best_first, level
from kt_hpo.record.clock import seconds
from kt_hpo.record.studies import trials_to_show
from kt_hpo.space.continuation import is_reserved, reserved_values

WIDTH = 88
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
    trials = trials_to_show(study)
    names = objective_names(study)
    rows = [_row(trial, names) for trial in trials]
    # Also the hyperparameters that the first trials do not have stand beside the others.
    named = [name for trial in trials for name in trial.params]
    others = [name for row in rows for name in row]
    order = list(dict.fromkeys(["trial", "state", *names, *named, *others]))
    table = pd.DataFrame(rows, columns=order if rows else None)
    return table.convert_dtypes(convert_string=False, convert_floating=False)


def best_epoch(trial: FrozenTrial) -> int | None:
    """Tells at which epoch a trial reached its score.

    Args:
        trial: The trial.

    Returns:
        The epoch, counted from 0; None where it is not known, as where a `run_trial` of the user's
        returned the score alone, for which Keras Tuner writes 0.

    Example:
        >>> trial = optuna.create_trial(value=0.5, intermediate_values={0: 0.9, 1: 0.5})
        >>> best_epoch(trial), best_epoch(optuna.create_trial(value=0.5))
        (1, None)
    """
    epoch: int | None = trial.user_attrs.get("best_epoch")
    if epoch or "history" in trial.user_attrs:
        return epoch
    curve, values = trial.intermediate_values, trial.values or [None]
    return next((step for step in sorted(curve) if curve[step] == values[0]), None)


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
        Rows of `to_dataframe` that keep the constraints, without the columns that are empty in all
        of them.
    """
    table = to_dataframe(study)
    if table.empty:
        return table
    best = best_first(study, study.get_trials(deepcopy=False), count)
    numbers = [trial.number for trial in best]
    return table.set_index("trial", drop=False).loc[numbers].dropna(axis="columns", how="all")


def compare_best(study: optuna.Study, count: int = 10, *, as_html: bool = False) -> str:
    """Sets the best trials side by side, a line for each thing known of them.

    Args:
        study: The record of a search.
        count: How many trials at most.
        as_html: Whether for a notebook.

    Returns:
        A table, its columns the trials. Hyperparameters that are the same in every trial of the
        search are in one line above it.
    """
    table, constants = _best_without_constants(study, count)
    if table.empty:
        return _why_empty(study)
    cells = table.set_index("trial").T.map(_in_words)
    cells.columns.name = "trial"
    above = f"Fixed: {values_in_words(constants)}" if constants else ""
    below = level(study, objective_names(study)[0])
    if as_html:
        above, below = (line and f"<div>{escape(line)}</div>" for line in (above, below))
    middle = cells.to_html(border=0) if as_html else cells.to_string()
    return "\n".join(filter(None, [above, middle, below]))


def summarize_best(study: optuna.Study, count: int = 5) -> str:
    """Lists the best trials, a line each, and the hyperparameters of the very best.

    Args:
        study: The record of a search.
        count: How many trials at most.

    Returns:
        A text that fits a screen. Hyperparameters that are the same in every trial of the search
        are left out.

    Example:
        >>> study = optuna.create_study()
        >>> study.optimize(lambda trial: trial.suggest_int("units", 8, 8), n_trials=1)
        >>> print(summarize_best(study).splitlines()[0])
        The best of 1 trials:
    """
    table, _ = _best_without_constants(study, count)
    if table.empty:
        return _why_empty(study)
    trials = trials_to_show(study)
    best = trials[table["trial"].iloc[0]]
    values = {name: value for name, value in best.params.items() if name in table}
    named = {name for trial in trials for name in trial.params}
    measured = table.drop(columns=[name for name in table if name in named]).map(_in_words)
    lines = [
        f"The best of {len(trials)} trials:",
        measured.to_string(index=False),
        level(study, objective_names(study)[0]),
        fill(f"Trial {best.number}: {values_in_words(values)}", WIDTH, subsequent_indent="  "),
    ]
    return "\n".join(filter(None, lines))


def _best_without_constants(study: optuna.Study, count: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The rows of the best trials, and what is the same in every trial, which they leave out."""
    table, constants = best_trials(study, count), _constants(study)
    hidden = {"state", "violation", *constants}
    shown = [n for n in map(str, table) if n not in hidden and not is_reserved(n)]
    return table[shown], constants


def _constants(study: optuna.Study) -> dict[str, Any]:
    """The hyperparameters that have one value in all of several trials."""
    trials = trials_to_show(study)
    if len(trials) < 2:
        return {}
    return {
        name: value
        for name, value in trials[0].params.items()
        if all(name in trial.params and trial.params[name] == value for trial in trials)
    }


def _why_empty(study: optuna.Study) -> str:
    broken = any(trial.state == TrialState.COMPLETE for trial in study.get_trials(False))
    return f"No trial {'keeps the constraints' if broken else 'has been completed'}."


def _in_words(value: Any) -> str:
    if not isinstance(value, str) and pd.isna(value):
        return ""
    return short(value)


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
    row |= reserved_values(attributes.get("values", {}))
    row |= {k: v for k, v in attributes.get("metrics", {}).items() if k not in row}
    errors = attributes.get("standard_error", {})
    if names[0] in errors:
        row["standard_error"] = errors[names[0]]
    if trial.constraints:
        row["violation"] = total_violation(trial.constraints)
    epoch = best_epoch(trial)
    row["best_epoch"] = None if epoch is None else epoch + 1
    row.setdefault("parameters", attributes.get("parameters"))
    row["seconds"] = seconds(trial) or None  # Trials from elsewhere may have no times.
    error = attributes.get("traceback", "").strip()
    row["error"] = error.splitlines()[-1] if error else None
    return row
