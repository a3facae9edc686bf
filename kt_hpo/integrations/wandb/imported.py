"""The trials of a sweep, in a record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras_tuner
import optuna
import wandb
from optuna.trial import FrozenTrial, TrialState

from kt_hpo.arguments import check_name_in_path, check_place
from kt_hpo.integrations.sklearn.configurations import HyperModelLike, find_space
from kt_hpo.integrations.wandb.sweeps import check_parameters, objective_of, read_values
from kt_hpo.record.record import Record, Storage
from kt_hpo.space import domain

# Metrics that W&B, or what logged the runs, adds for itself.
_OWN = ("epoch", "best_epoch", "parameters")
# W&B gives samples of a longer history.
_MOST_EPOCHS = 10_000
_STATES = {
    "finished": TrialState.COMPLETE,
    "killed": TrialState.PRUNED,
    "stopped": TrialState.PRUNED,
    "failed": TrialState.FAIL,
    "crashed": TrialState.FAIL,
}


def import_sweep(
    sweep: Any,
    hypermodel: HyperModelLike,
    directory: str | Path = ".",
    project_name: str | None = None,
    storage: Storage = None,
) -> optuna.Study:
    """Copies the ended trials of a sweep into a record.

    What `open_study`, the plots and `warm_start=` make of a search they then make of the sweep, and
    a tuner of the same directory, project name and objective goes on from it.

    Args:
        sweep: Its path, `"entity/project/id"`, or what `wandb.Api().sweep` gave.
        hypermodel: The hypermodel whose space was swept.
        directory: Folder of projects.
        project_name: Folder within it that the record is made in; the sweep's id by default.
        storage: Where the record is kept instead, as in `Tuner`.

    Returns:
        The record. A run that Hyperband stopped is pruned; one whose metric is missing has failed;
        runs that still go on are left out.

    Raises:
        ValueError: If the sweep does not name its metric, or its parameters are not those of the
            hypermodel, or there are trials in the record already.

    Example:
        >>> study = kt_hpo.wandb.import_sweep("me/demo/a1b2c3", build)  # doctest: +SKIP
    """
    if isinstance(sweep, str):
        sweep = wandb.Api().sweep(sweep)
    objective = objective_of(sweep.config)
    known = find_space(hypermodel)
    check_parameters(known, sweep.config)
    check_place(directory, project_name)
    name = project_name or check_name_in_path("sweep", sweep.id)
    record = Record.open(Path(directory) / name, objective, storage)
    if record.trials:
        raise ValueError(
            f"There are {len(record.trials)} trials in the record {record.study.study_name!r} "
            "already. Give another project_name."
        )
    record.space = known
    ended = [run for run in sweep.runs if run.state in _STATES]
    for run in sorted(ended, key=lambda run: str(run.created_at)):
        record.study.add_trial(_frozen(run, objective, known))
    return record.study


def _frozen(
    run: Any, objective: keras_tuner.Objective, known: keras_tuner.HyperParameters
) -> FrozenTrial:
    """A run as a trial."""
    params, distributions, rest = domain.to_params(known, read_values(known, run.config))
    history = _history(run)
    values = dict(enumerate(history.get(objective.name, [])))
    metrics = _numbers(run.summary)
    state = _STATES[run.state]
    if objective.name not in metrics:
        state = TrialState.FAIL
    attributes: dict[str, Any] = {"wandb": "/".join(run.path), "history": [history]}
    if rest:
        attributes["values"] = rest
    if state == TrialState.FAIL:
        attributes["traceback"] = str(run.summary.get("traceback", f"The run {run.state}."))
    else:
        attributes["metrics"] = metrics
        attributes["best_epoch"] = int(run.summary.get("best_epoch", _best(values, objective)))
    if "parameters" in run.summary:
        attributes["parameters"] = int(run.summary["parameters"])
    value = None if state == TrialState.FAIL else metrics[objective.name]
    if state == TrialState.PRUNED and values:
        value = values[max(values)]  # As Optuna has it: the last that was reported.
    return optuna.trial.create_trial(
        state=state,
        value=value,
        params=params,
        distributions=distributions,
        intermediate_values={history["epoch"][place]: value for place, value in values.items()},
        user_attrs=attributes,
    )


def _history(run: Any) -> dict[str, list[Any]]:
    """The metrics by epoch, of the rows that have all of the first one's."""
    rows = [_numbers(row) | {"epoch": row.get("epoch", place)} for place, row in _rows(run)]
    names = list(rows[0]) if rows else ["epoch"]
    whole = [row for row in rows if row.keys() >= set(names)]
    return {name: [row[name] for row in whole] for name in names}


def _rows(run: Any) -> enumerate[Mapping[str, Any]]:
    rows = run.history(samples=_MOST_EPOCHS, pandas=False)
    return enumerate(row for row in rows if _numbers(row))


def _numbers(known: Mapping[str, Any]) -> dict[str, float]:
    """The metrics among what a run knows."""
    return {
        name: float(value)
        for name, value in known.items()
        if isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and not name.startswith("_")
        and name not in _OWN
    }


def _best(values: Mapping[int, float], objective: keras_tuner.Objective) -> int:
    """The place of the best value; the first if there are none."""
    choose = max if objective.direction == "max" else min
    return choose(values, key=values.__getitem__, default=0)
