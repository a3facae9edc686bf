"""A search in the files of other programs: a table, JSON, plain Keras Tuner; its best model."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras_tuner
import optuna
from keras_tuner.engine.trial import Trial, TrialStatus
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from kt_hpo import objectives
from kt_hpo._private_apis.keras_tuner import note_as_tried
from kt_hpo.arguments import did_you_mean, file_within, is_one_of
from kt_hpo.integrations.model_exports import MODEL_FORMATS, export_model
from kt_hpo.oracle.trials import PRUNED, rebuild
from kt_hpo.record import tables
from kt_hpo.record.studies import find_study
from kt_hpo.space.domain import from_distribution
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.trained_model import load
from kt_hpo.training import checkpoints

TRIAL_FORMATS = ("csv", "json", "keras-tuner")
FORMATS = (*TRIAL_FORMATS, *MODEL_FORMATS)
_NAMES = {"csv": "trials.csv", "json": "trials.json", "keras-tuner": "keras_tuner", **MODEL_FORMATS}


def export(
    tuner_or_study_or_path: Any,
    path: str | Path | None = None,
    format: str = "csv",  # noqa: A002
) -> Path:
    """Writes a search in the files of other programs.

    Args:
        tuner_or_study_or_path: A tuner, an `optuna.Study`, or what `kt_hpo.open_study` takes.
        path: The file to write, or the folder for `keras-tuner` and `saved_model`, which must be
            new or empty. By default `trials.csv`, `trials.json`, `keras_tuner`, `model.keras`,
            `saved_model`, `model.onnx` or `model.tflite` in the search's folder.
        format: `"csv"`: the table of trials. `"json"`: all that is known of every trial, epochs
            included; numbers JSON does not know are the texts NaN, Infinity and -Infinity.
            `"keras-tuner"`: a project folder that plain Keras Tuner reloads, with the weights
            that are still there; a pruned trial is STOPPED in it. `"keras"`, `"saved_model"` (of
            TensorFlow), `"onnx"` and `"tflite"`: the best model, which takes raw rows, as
            `kt_hpo.load` has it; a `.json` beside it has the names of the classes and the inputs.

    Returns:
        The path of what was written.

    Raises:
        FileNotFoundError: If there is no search.
        ValueError: If the format is not known or cannot hold the model, or the folder holds
            something already.

    Example:
        >>> study = optuna.create_study()
        >>> study.add_trial(optuna.create_trial(value=0.25))
        >>> print(export(study).read_text().splitlines()[1])
        0,completed,0.25,...
    """
    if not is_one_of(format, FORMATS):
        nearest = did_you_mean(str(format), FORMATS)
        raise ValueError(f"format={format!r} is not one of {', '.join(FORMATS)}.{nearest}")
    if format in MODEL_FORMATS:
        trained = load(tuner_or_study_or_path)
        return export_model(trained, path or trained.path.parent / _NAMES[format], format)
    study, folder = find_study(tuner_or_study_or_path)
    path = folder / _NAMES[format] if path is None else Path(path)
    writers: dict[str, Callable[[], None]] = {
        "csv": lambda: tables.to_dataframe(study).to_csv(path, index=False),
        "json": lambda: _write_json(study, path),
        "keras-tuner": lambda: _write_keras_tuner(study, folder, path),
    }
    writers[format]()
    return path


def _write_json(study: optuna.Study, path: Path) -> None:
    names = tables.objective_names(study)
    content = {
        "study_name": study.study_name,
        "objectives": [
            {"name": name, "direction": direction.name.lower()}
            for name, direction in zip(names, study.directions, strict=False)
        ],
        "user_attrs": study.user_attrs,
        "trials": [_as_dict(trial) for trial in study.get_trials(deepcopy=False)],
    }
    text = json.dumps(_finite(content), indent=1, ensure_ascii=False, allow_nan=False, default=str)
    path.write_text(text + "\n", encoding="utf-8")


def _as_dict(trial: FrozenTrial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "state": trial.state.name.lower(),
        "values": trial.values,
        "params": trial.params,
        "intermediate_values": {str(k): v for k, v in trial.intermediate_values.items()},
        "constraints": dict(trial.constraints),
        "user_attrs": trial.user_attrs,
        "datetime_start": trial.datetime_start and trial.datetime_start.isoformat(),
        "datetime_complete": trial.datetime_complete and trial.datetime_complete.isoformat(),
    }


def _finite(value: Any) -> Any:
    """The value without numbers that JSON does not know."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _write_keras_tuner(study: optuna.Study, folder: Path, target: Path) -> None:
    """Fills an oracle of plain Keras Tuner, which writes its own files."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ValueError(f"{target} is there already. Name a new folder, or remove it.")
    begun = [t for t in study.get_trials(deepcopy=False) if t.state != TrialState.WAITING]
    known = _space(study, begun)
    objective = _objective(study)
    oracle = keras_tuner.Oracle(objective, hyperparameters=known, seed=study.user_attrs.get("seed"))
    target.mkdir(parents=True, exist_ok=True)
    for frozen in begun:
        trial = _trial(frozen, objective, known)
        oracle.trials[trial.trial_id] = trial
        oracle.start_order.append(trial.trial_id)
        note_as_tried(oracle, trial)
        if trial.status == TrialStatus.RUNNING:
            oracle.ongoing_trials[f"tuner{len(oracle.ongoing_trials)}"] = trial
        trial_dir = target / f"trial_{trial.trial_id}"
        trial_dir.mkdir()
        trial.save(str(trial_dir / "trial.json"))
        _copy_weights(folder, frozen, trial_dir)
    ended = [frozen for frozen in begun if frozen.datetime_complete is not None]
    ended.sort(key=lambda frozen: (frozen.datetime_complete, frozen.number))
    oracle.end_order = [f"{frozen.number:04d}" for frozen in ended]
    (target / "oracle.json").write_text(json.dumps(oracle.get_state()))
    # Keras Tuner reloads a project by itself where it finds this file.
    (target / "tuner0.json").write_text("{}")


def _space(study: optuna.Study, trials: list[FrozenTrial]) -> HyperParameters:
    config = study.user_attrs.get("space")
    if config is not None:
        return HyperParameters.from_config(config)
    space = HyperParameters()
    kinds = {name: kind for trial in trials for name, kind in trial.distributions.items()}
    space.merge([from_distribution(name, kind) for name, kind in kinds.items()])
    return space


def _objective(study: optuna.Study) -> keras_tuner.Objective:
    names = tables.objective_names(study)
    return objectives.make_objective(
        [
            keras_tuner.Objective(name, "max" if way == StudyDirection.MAXIMIZE else "min")
            for name, way in zip(names, study.directions, strict=True)
        ]
    )


def _trial(frozen: FrozenTrial, objective: keras_tuner.Objective, known: HyperParameters) -> Trial:
    names = [part.name for part in objectives.parts(objective)]
    metrics = dict(zip(names, frozen.values or [], strict=False))
    known_of_it = {"metrics": objectives.with_objective(objective, metrics), "best_epoch": 0}
    complete = copy.copy(frozen)
    complete.user_attrs = known_of_it | frozen.user_attrs
    trial = rebuild(complete, objective, known)
    if trial.status == TrialStatus.COMPLETED:
        trial.score = trial.metrics.get_best_value(objective.name)
        trial.best_step = complete.user_attrs["best_epoch"]
    elif trial.status == PRUNED:
        trial.status = TrialStatus.STOPPED
    return trial


def _copy_weights(folder: Path, frozen: FrozenTrial, target: Path) -> None:
    checkpoint = file_within(folder, frozen.user_attrs.get("checkpoint"))
    if checkpoint is not None:
        checkpoints.copy(checkpoint, target)
