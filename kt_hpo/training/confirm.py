"""The best trials trained again with other seeds, to tell luck from merit."""

from __future__ import annotations

import time
import traceback
import warnings
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
from keras_tuner.engine.trial import Trial

from kt_hpo import objectives
from kt_hpo.arguments import check_whole
from kt_hpo.formatting import number
from kt_hpo.training import callbacks as cb
from kt_hpo.training import cross_validation, executions, measures, significance
from kt_hpo.training.best import retrain
from kt_hpo.training.callback_list import copied, guiding, measuring, progress_bars
from kt_hpo.training.context import SearchContext
from kt_hpo.training.cross_validation import Data
from kt_hpo.training.executions import Execution
from kt_hpo.training.results import mean_metrics, read_results

_SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Confirmation:
    """What came of training the best trials again.

    Attributes:
        trials: A row a trial, the best mean first: `trial`, `searched` (the objective in the
            search), `mean`, `low` and `high` (its 95 % confidence interval), `failed` (trainings
            that did).
        differences: A row for each two trials: `trial`, `other`, `difference` (of the means), `low`
            and `high` (its 95 % confidence interval), `p_value` (corrected for the number of
            comparisons), `real` (whether that is below 0.05).
        values: The objective of each training by trial; NaN where it failed.
    """

    trials: pd.DataFrame
    differences: pd.DataFrame
    values: dict[str, list[float]]

    def __str__(self) -> str:
        real = self.differences["real"].sum() if len(self.differences) else 0
        return (
            f"{self.trials.to_string(index=False, float_format=number)}\n\n"
            f"{real} of {len(self.differences)} differences are real (p < {_SIGNIFICANT}):\n"
            f"{self.differences.to_string(index=False, float_format=number)}"
        )


def confirm(search: SearchContext, data: Data | None, top: int, repetitions: int) -> Confirmation:
    """Trains the best trials again; see `Tuner.confirm`.

    Args:
        search: The search.
        data: Positional and keyword arguments of `search`.
        top: How many of the best trials.
        repetitions: How often each is trained, on every fold where there are some.

    Returns:
        What came of it.

    Raises:
        ValueError: If no trial has been completed, there are several objectives, or no data.
    """
    check_whole(top=top)
    check_whole(2, executions=repetitions)
    if search.runs_its_own_way:
        raise ValueError("confirm() trains models, and this tuner has a run_trial of its own.")
    objective = search.oracle.objective
    if len(objectives.parts(objective)) > 1:
        raise ValueError("confirm() compares trials by one objective, and this search has several.")
    reason = search.oracle.why_none_is_best()
    if reason:
        raise ValueError(reason)
    if data is None:
        raise ValueError(
            "confirm() needs the data, as no search() was run in this program: "
            "tuner.confirm(x, y, validation_data=..., epochs=...)."
        )
    trials = search.oracle.get_best_trials(top)
    # Those of the search go before: these are other seeds.
    first = search.executions_per_trial
    plan = executions.planned(search, data, range(first, first + repetitions))
    values = {
        trial.trial_id: [_value(search, trial, execution, data) for execution in plan]
        for trial in trials
    }
    found = _compare(objective.direction, trials, values, _overlap(plan))
    confirmation = {"trials": found.trials.to_dict("records"), "values": values}
    search.oracle.record.study.set_user_attr("confirmation", confirmation)
    return found


def _value(search: SearchContext, trial: Trial, execution: Execution, data: Data) -> float:
    """The objective of one training; NaN if it fails, of which a warning tells."""
    objective = search.oracle.objective
    args, kwargs = cross_validation.select(data, execution.fold)
    kwargs.setdefault("verbose", "auto")
    best_weights = cb.BestWeights(objectives.while_training(objective))
    kwargs["callbacks"] = [
        *measuring(objective, search.oracle.constraints, best_weights),
        *copied(kwargs.get("callbacks") or [], f"{trial.trial_id}_again", execution.number),
        *guiding(search, kwargs),
        *progress_bars(kwargs["verbose"]),
    ]

    started = time.perf_counter()
    try:
        model, returned = retrain(
            search, trial, (args, kwargs), None, partial(execution.seed, search.oracle.seed)
        )
        x, _, _ = cross_validation.named_data(data)
        seconds = time.perf_counter() - started
        trained = measures.Trained(model, seconds, x, best_weights.weights)
        measured = measures.measure(trained, objective)
        results = read_results(returned, objective, "HyperModel.fit()", measured)
    except Exception:
        warnings.warn(
            f"Trial {trial.trial_id} failed when it was trained again:\n{traceback.format_exc()}",
            stacklevel=4,
        )
        return float("nan")
    return mean_metrics(results)[objective.name]


def _overlap(plan: list[Execution]) -> float:
    """The samples that validate by those that train, on average; 0 without folds."""
    folds = [execution.fold for execution in plan if execution.fold is not None]
    shares = [len(fold.validation) / len(fold.train) for fold in folds]
    return sum(shares) / len(shares) if shares else 0.0


def _compare(
    direction: str, trials: list[Trial], values: dict[str, list[float]], overlap: float
) -> Confirmation:
    rows: list[dict[str, Any]] = []
    for trial in trials:
        every = values[trial.trial_id]
        finite = [value for value in every if value == value]
        mean, low, high = significance.interval(finite, overlap)
        rows.append(
            {
                "trial": trial.trial_id,
                "searched": trial.score,
                "mean": mean,
                "low": low,
                "high": high,
                "failed": len(every) - len(finite),
            }
        )
    table = pd.DataFrame(rows)
    ascending = direction == "min"
    table = table.sort_values("mean", ascending=ascending, kind="stable", ignore_index=True)
    ordered = {trial_id: values[trial_id] for trial_id in table["trial"]}
    names = ["trial", "other", "difference", "low", "high", "p_value"]
    compared = significance.differences(ordered, overlap)
    pairs = pd.DataFrame([tuple(one) for one in compared], columns=names)
    pairs["real"] = pairs["p_value"] < _SIGNIFICANT
    return Confirmation(table, pairs, ordered)
