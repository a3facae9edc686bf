"""Searches that are there already: finished, running, or made by plain Keras Tuner."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from kt_hpo import journal, space
from kt_hpo.hyperparameters import HyperParameters
from kt_hpo.record import FILE_NAME, quiet_optuna

_WEIGHTS = "checkpoint.weights.h5"


def open_study(path: str | Path, study_name: str | None = None) -> optuna.Study:
    """Opens the record of a search, without changing it.

    Args:
        path: The folder of a project, or one above it that holds no other; a journal file; the URL
            of an Optuna storage; or a folder that plain Keras Tuner wrote.
        study_name: Which study of a storage to open; not needed where there is one only.

    Returns:
        The study. It follows a search that is still running; one of plain Keras Tuner is a copy in
        memory.

    Raises:
        FileNotFoundError: If there is no search.
        ValueError: If there are several.
        RecordError: If the record is damaged.

    Example:
        >>> import kt_hpo
        >>> class Parabola(kt_hpo.RandomSearch):
        ...     def run_trial(self, trial):
        ...         return trial.hyperparameters.Float("x", -1, 1) ** 2
        >>> Parabola(directory="runs", project_name="p", overwrite=True).search(verbose=0)
        >>> len(open_study("runs/p").trials)
        10
    """
    if "://" in str(path):
        return _load(str(path), study_name)
    found = _find(Path(path))
    if found.name == "oracle.json":
        return _read_keras_tuner(found.parent)
    return _load(journal.open_for_reading(found), study_name)


def find_study(tuner_or_study_or_path: Any) -> tuple[optuna.Study, Path]:
    """Finds the record of a search, and the folder where what is written of it belongs.

    Args:
        tuner_or_study_or_path: A tuner, an `optuna.Study`, or what `open_study` takes.

    Returns:
        The study, and the search's folder; the current one where it has none.

    Raises:
        TypeError: If it is something else.
        FileNotFoundError: If there is no search.

    Example:
        >>> study, folder = find_study(optuna.create_study())
        >>> folder == Path()
        True
    """
    given = tuner_or_study_or_path
    if isinstance(given, str | Path):
        if "://" in str(given):
            return open_study(given), Path()
        return open_study(given), _find(Path(given)).parent
    study = getattr(given, "study", given)
    if not isinstance(study, optuna.Study):
        raise TypeError(
            f"Expected a tuner, an optuna.Study or the folder of a search, got {given!r}."
        )
    return study, Path(getattr(given, "project_dir", ""))


def _load(storage: str | optuna.storages.BaseStorage, study_name: str | None) -> optuna.Study:
    names = optuna.get_all_study_names(storage)
    if study_name is None and len(names) != 1:
        raise ValueError(
            f"There are {len(names)} studies here: {', '.join(names)}. Say which with study_name=."
        )
    if study_name is not None and study_name not in names:
        raise ValueError(
            f"There is no study {study_name!r} here, but {', '.join(names) or 'none'}."
        )
    return optuna.load_study(study_name=study_name or names[0], storage=storage)


def _find(path: Path) -> Path:
    """The journal, or Keras Tuner's `oracle.json`, that a path means."""
    if path.is_file():
        return path
    for pattern in ("", "*/"):
        found = [file for name in (FILE_NAME, "oracle.json") for file in path.glob(pattern + name)]
        if len(found) > 1:
            projects = ", ".join(str(file.parent) for file in sorted(found))
            raise ValueError(f"There are several searches in {path}: {projects}. Name one of them.")
        if found:
            return found[0]
    raise FileNotFoundError(
        f"There is no search in {path}: neither {FILE_NAME} nor a Keras Tuner oracle.json. "
        "Give the folder <directory>/<project_name> of the tuner, or a storage URL."
    )


def _read_keras_tuner(folder: Path) -> optuna.Study:
    """Copies a search of plain Keras Tuner; files it wrote only half are passed over, and named."""
    states = [
        {**state, "folder": path.parent}
        for path in sorted(folder.glob("trial_*/trial.json"))
        if (state := _read_json(path)) is not None
    ]
    oracle = _read_json(folder / "oracle.json") or {}
    config = oracle.get("hyperparameters") or {"space": _united(states), "values": {}}
    known = HyperParameters.from_config(config)
    name, direction = _guess_objective(states)
    with quiet_optuna():
        study = optuna.create_study(
            study_name=folder.name, direction="maximize" if direction == "max" else "minimize"
        )
        study.set_metric_names([name])
    study.set_user_attr("objective", f"{name} ({direction})")
    study.set_user_attr("space", config)
    for state in states:
        study.add_trial(_frozen(state, known))
    return study


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        warnings.warn(f"{path} cannot be read and is passed over: {error}", stacklevel=4)
        return None


def _united(states: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The space all trials have together, for a search whose `oracle.json` is broken."""
    entries = [entry for state in states for entry in state["hyperparameters"]["space"]]
    return list({json.dumps(entry, sort_keys=True): entry for entry in entries}.values())


def _guess_objective(states: list[dict[str, Any]]) -> tuple[str, str]:
    """The metric that is the score of every trial: Keras Tuner does not write its objective."""
    scored = [state for state in states if state["score"] is not None]
    metrics = scored[0]["metrics"]["metrics"] if scored else {}
    for name in sorted(metrics, key=lambda name: not name.startswith("val_")):
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
    params, distributions, rest = space.to_params(known, state["hyperparameters"]["values"])
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
