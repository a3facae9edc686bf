"""The folder of a search of plain Keras Tuner, as a study."""

from __future__ import annotations

import json
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from kt_hpo.metric_directions import metric_direction
from kt_hpo.record.journal import RecordError
from kt_hpo.record.record import quiet_optuna
from kt_hpo.record.storages import read_space
from kt_hpo.space import domain
from kt_hpo.space.hyperparameters import HyperParameters

_WEIGHTS = "checkpoint.weights.h5"
_OF_A_TRIAL = ("hyperparameters", "metrics", "score", "best_step", "status", "message")


def read_keras_tuner(folder: Path) -> optuna.Study:
    """Copies a search of plain Keras Tuner; files it wrote only half are passed over, and named.

    Args:
        folder: The project's folder.

    Returns:
        The search as a study in memory.
    """
    states = [
        {**state, "folder": path.parent}
        for path in sorted(folder.glob("trial_*/trial.json"))
        if (state := _read_json(path)) is not None and _is_whole(state, path)
    ]
    known = _space(folder / "oracle.json", states)
    config = known.get_config()
    name, direction = _guess_objective(states)
    if metric_direction(name) not in (None, direction):
        warnings.warn(
            f"{folder} is a search for {name} ({direction}), though the name says otherwise: Keras "
            "Tuner knows not all of Keras' metrics. Its best trials may be the worst. Import it "
            f'with the right direction: kt_hpo.import_search(..., objective="{name}").',
            stacklevel=3,
        )
    with quiet_optuna():
        study = optuna.create_study(
            study_name=folder.resolve().name,
            direction="maximize" if direction == "max" else "minimize",
        )
        study.set_metric_names([name])
    study.set_user_attr("objective", f"{name} ({direction})")
    study.set_user_attr("space", config)
    for state in states:
        path = state["folder"] / "trial.json"
        try:
            study.add_trial(_frozen(state, known))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            _pass_over(path, f"it does not fit the search ({type(error).__name__}: {error})")
    return study


def _space(path: Path, states: list[dict[str, Any]]) -> HyperParameters:
    """The space of `oracle.json`; where that is broken, the one all trials have together."""
    oracle = _read_json(path) or {}
    config = oracle.get("hyperparameters")
    if config:
        try:
            return read_space(config)
        except RecordError as error:
            _pass_over(path, str(error))
    try:
        return read_space({"space": _united(states), "values": {}})
    except (RecordError, LookupError, TypeError) as error:
        raise ValueError(
            f"{path.parent} is damaged: neither oracle.json nor its trials tell the search space. "
            f"{error}"
        ) from error


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        _pass_over(path, str(error))
        return None
    if not isinstance(content, dict):
        _pass_over(path, f"it holds a {type(content).__name__} instead of an object")
        return None
    return content


def _pass_over(path: Path, reason: str) -> None:
    warnings.warn(f"{path} cannot be read and is passed over: {reason}", stacklevel=5)


def _is_whole(state: dict[str, Any], path: Path) -> bool:
    """Whether a trial has what Keras Tuner writes of every one; warns of one that has not."""
    missing = [name for name in _OF_A_TRIAL if name not in state]
    space, metrics = state.get("hyperparameters"), state.get("metrics")
    if not missing and not (
        isinstance(space, dict)
        and isinstance(space.get("space"), list)
        and isinstance(space.get("values"), dict)
        and isinstance(metrics, dict)
        and isinstance(metrics.get("metrics"), dict)
    ):
        missing = ["hyperparameters or metrics of the right form"]
    if missing:
        _pass_over(path, f"it has no {', '.join(missing)}")
    return not missing


def _united(states: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The space all trials have together, for a search whose `oracle.json` is broken."""
    entries = [entry for state in states for entry in state["hyperparameters"]["space"]]
    return list({json.dumps(entry, sort_keys=True): entry for entry in entries}.values())


def _guess_objective(states: list[dict[str, Any]]) -> tuple[str, str]:
    """The metric that is the score of every trial: Keras Tuner does not write its objective."""
    scored = [state for state in states if state["score"] is not None]
    metrics = scored[0]["metrics"]["metrics"] if scored else {}
    for name in sorted(metrics, key=lambda name: not name.startswith("val_")):
        with suppress(ArithmeticError, LookupError, TypeError):  # Such a trial is passed over.
            if all(_best(state, name) == state["score"] for state in scored):
                return name, metrics[name]["direction"]
    return "default_objective", "min"


def _best(state: dict[str, Any], name: str) -> float | None:
    metrics = state["metrics"]["metrics"]
    if name not in metrics or not metrics[name]["observations"]:
        return None
    means = [sum(o["value"]) / len(o["value"]) for o in metrics[name]["observations"]]
    return max(means) if metrics[name]["direction"] == "max" else min(means)


def _frozen(state: dict[str, Any], known: HyperParameters) -> optuna.trial.FrozenTrial:
    completed = state["status"] == "COMPLETED" and state["score"] is not None
    params, distributions, rest = domain.to_params(known, state["hyperparameters"]["values"])
    attributes: dict[str, Any] = {"values": rest} if rest else {}
    if completed:
        attributes["metrics"] = {name: _best(state, name) for name in state["metrics"]["metrics"]}
        attributes["best_epoch"] = state["best_step"]
    if (state["folder"] / _WEIGHTS).is_file():
        attributes["checkpoint"] = f"{state['folder'].name}/{_WEIGHTS}"
    if state["message"]:
        attributes["traceback"] = state["message"]
    return optuna.trial.create_trial(
        state=TrialState.COMPLETE if completed else TrialState.FAIL,
        value=state["score"] if completed else None,
        params=params,
        distributions=distributions,
        user_attrs=attributes,
    )
