"""The table of trials, the space and the errors, as what the page shows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd
from optuna.trial import TrialState

from kt_hpo.plots.search import Search
from kt_hpo.record import tables
from kt_hpo.reports.source import as_code
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.space.names import condition_in_words
from kt_hpo.space.scopes import recorded_names

# More make the page long to load; the export has them all.
MAX_CELLS = 250_000
MAX_ERRORS = 20
MAX_TRACEBACK = 8000


def trial_table(search: Search) -> dict[str, Any]:
    """Lists the trials for the page's script.

    Args:
        search: The search.

    Returns:
        `columns`, their names; `rows`, a list a trial; `best_is_high`, whether a higher score is
        better; `left_out`, how many trials are not among them because the page would be too long:
        the worst ones.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.add_trial(optuna.create_trial(value=0.25))
        >>> trial_table(Search.of(study))["rows"]
        [[0, 'completed', 0.25]]
    """
    table = tables.to_dataframe(search.study)
    if table.empty:
        return {"columns": [], "rows": [], "best_is_high": search.maximize, "left_out": 0}
    table = table.dropna(axis="columns", how="all")
    limit = max(MAX_CELLS // len(table.columns), 100)
    shown = table
    if len(table) > limit:
        name = tables.objective_names(search.study)[0]
        order = table[name].astype(float).sort_values(ascending=not search.maximize)
        shown = table.loc[order.index[:limit].sort_values()]
    columns = [[_cell(value) for value in shown[column]] for column in shown]
    return {
        "columns": [search.short_name(str(column)) for column in shown],
        "rows": [list(row) for row in zip(*columns, strict=True)],
        "best_is_high": search.maximize,
        "left_out": len(table) - len(shown),
    }


@dataclass(frozen=True)
class Failure:
    """Trials that failed with the same error.

    Attributes:
        error: The last line of the traceback.
        trials: The trials' numbers.
        traceback: The traceback of the first of them.
    """

    error: str
    trials: list[int]
    traceback: str


def failures(search: Search) -> list[Failure]:
    """Groups the failed trials by their error.

    Args:
        search: The search.

    Returns:
        The errors, the most frequent first, at most `MAX_ERRORS`.
    """
    groups: dict[str, list[tuple[int, str]]] = {}
    for trial in search.trials:
        traceback = trial.user_attrs.get("traceback", "").strip()
        if trial.state == TrialState.FAIL or traceback:
            error = traceback.splitlines()[-1] if traceback else "No traceback was recorded."
            groups.setdefault(error, []).append((trial.number, traceback))
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
    return [
        Failure(error, [number for number, _ in trials], trials[0][1][-MAX_TRACEBACK:])
        for error, trials in ordered[:MAX_ERRORS]
    ]


def space_lines(known: HyperParameters | None, search: Search) -> list[tuple[str, str]]:
    """Lists what was searched.

    Args:
        known: The search space, if that is recorded.
        search: The search.

    Returns:
        The call that asks for each hyperparameter, and when it is asked for.
    """
    if known is None:
        kinds = {n: d for trial in search.trials for n, d in trial.distributions.items()}
        return [(f"{name}: {kind}", "") for name, kind in kinds.items()]
    return [
        (
            as_code(hyperparameter),
            " and ".join(
                condition_in_words(condition.name, condition.values)
                for condition in hyperparameter.conditions
            ),
        )
        for hyperparameter, _ in recorded_names(known)
    ]


def _cell(value: Any) -> Any:
    """A value that JSON and the page's script know; infinity and the like as words."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else str(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else str(value)
