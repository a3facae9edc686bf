"""A search of another program, copied into a record."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any

import keras_tuner
import optuna
from optuna.distributions import BaseDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from kt_hpo import objectives
from kt_hpo.arguments import check_name_in_path, check_place, file_within
from kt_hpo.integrations.tables import read_table
from kt_hpo.objectives import ObjectiveLike
from kt_hpo.oracle.trials import trial_id_of
from kt_hpo.record import tables
from kt_hpo.record.record import Record, Storage
from kt_hpo.record.shared_storage import PLACES, PROGRAM
from kt_hpo.record.storages import read_space
from kt_hpo.record.studies import find_study, open_study
from kt_hpo.space.domain import from_distribution
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.training import checkpoints

_ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
# What a record says of its own search, not of its trials.
_OWN = (
    *("objective", "space", "planned_trials", "planned_epochs", "finished", "command"),
    *("constraints", PLACES, PROGRAM),
)


def import_search(
    source: Any,
    directory: str | Path = ".",
    project_name: str | None = None,
    *,
    storage: Storage = None,
    objective: ObjectiveLike = None,
    study_name: str | None = None,
) -> optuna.Study:
    """Copies the ended trials of a search into a record.

    What reports, plots and `warm_start=` make of a search they then make of this one.

    Args:
        source: A folder that plain Keras Tuner wrote, an Optuna storage's URL, an `optuna.Study`,
            another search's folder, or a `.csv` file with a row for each trial, such as
            `kt_hpo.export` writes: the objectives, the hyperparameters, and if known `state`,
            metrics (`val_loss` and the like), `best_epoch`, `seconds`, `error`.
        directory: Folder of projects.
        project_name: Folder within it that the record is made in; the source's name by default.
        storage: Where the record is kept instead, as in `Tuner`.
        objective: What was optimized, as in `Tuner`: where the source does not name it. Of a
            `.csv` file the column behind `state` by default.
        study_name: Which study of a storage with several.

    Returns:
        The record. Trials that have not ended are left out; one that was pruned before it
        reported anything has failed. Weights that are there are copied. Of a `.csv` file the range
        of a hyperparameter is that of its values.

    Raises:
        FileNotFoundError: If there is no search.
        ValueError: If the objective is not known, no trial has ended, or there are trials in the
            record already.

    Example:
        >>> study = optuna.create_study()
        >>> study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
        >>> imported = import_search(study, "runs", "old", objective="val_loss")
        >>> len(imported.trials), imported.metric_names
        (3, ['val_loss'])
    """
    given = None if objective is None else objectives.make_objective(objective)
    if isinstance(source, str | Path) and str(source).endswith(".csv"):
        given, trials = read_table(Path(source), given)
        attributes, folder, name = {}, None, Path(source).stem
    else:
        study, folder = _opened(source, study_name)
        given = given or _objective_of(study)
        trials, attributes, name = study.get_trials(), study.user_attrs, study.study_name
    _check_objective(given, trials)
    ended = [_complete(trial, given) for trial in trials if trial.state in _ENDED]
    if not ended:
        raise ValueError(f"None of the {len(trials)} trials of {source} has ended.")
    check_place(directory, project_name)
    project_dir = Path(directory) / (project_name or check_name_in_path("search", name))
    record = Record.open(project_dir, given, storage)
    if record.trials:
        raise ValueError(
            f"There are {len(record.trials)} trials in the record {record.study.study_name!r} "
            "already. Give another directory or project_name."
        )
    _copy_weights(ended, folder, project_dir)
    record.space = _space(attributes, ended)
    record.note(imported_from=getattr(source, "study_name", str(source)), finished=True)
    record.note(**{key: value for key, value in attributes.items() if key not in _OWN})
    record.study.add_trials(ended)
    return record.study


def _opened(source: Any, study_name: str | None) -> tuple[optuna.Study, Path | None]:
    if study_name is not None:
        return open_study(source, study_name), None
    study, folder = find_study(source)
    return study, None if folder == Path() else folder


def _objective_of(study: optuna.Study) -> keras_tuner.Objective:
    """What a study optimizes, by the names it has."""
    return objectives.make_objective(
        [
            keras_tuner.Objective(name, "max" if way == StudyDirection.MAXIMIZE else "min")
            for name, way in zip(tables.objective_names(study), study.directions, strict=True)
        ]
    )


def _check_objective(objective: keras_tuner.Objective, trials: Sequence[FrozenTrial]) -> None:
    names = [part.name for part in objectives.parts(objective)]
    counts = {len(trial.values) for trial in trials if trial.values is not None}
    if counts - {len(names)}:
        raise ValueError(
            f"The trials have {counts.pop()} values each, and objective= names {len(names)}: "
            f"{', '.join(names)}."
        )


def _complete(trial: FrozenTrial, objective: keras_tuner.Objective) -> FrozenTrial:
    """The trial with what a record says of every one that has ended."""
    copied = copy.copy(trial)
    attributes = dict(trial.user_attrs)
    values = trial.values
    if values is None and trial.state == TrialState.PRUNED and trial.last_step is not None:
        values = [trial.intermediate_values[trial.last_step]]
    if trial.state != TrialState.FAIL and values is None:
        copied.state = TrialState.FAIL
        attributes["traceback"] = "It was pruned before it reported anything."
    elif trial.state != TrialState.FAIL:
        names = [part.name for part in objectives.parts(objective)]
        metrics = dict(zip(names, values or [], strict=False)) | attributes.get("metrics", {})
        attributes["metrics"] = objectives.with_objective(objective, metrics)
        attributes.setdefault("best_epoch", _best_epoch(trial, objective))
    copied.user_attrs = attributes
    return copied


def _best_epoch(trial: FrozenTrial, objective: keras_tuner.Objective) -> int:
    reported = trial.intermediate_values
    choose = max if objective.direction == "max" else min
    return choose(reported, key=reported.__getitem__, default=0)


def _space(attributes: dict[str, Any], trials: Sequence[FrozenTrial]) -> HyperParameters:
    """The space, as it was recorded or as far as its trials show it."""
    if "space" in attributes:
        return read_space(attributes["space"])
    kinds: dict[str, BaseDistribution] = {}
    for trial in trials:
        kinds |= trial.distributions
    space = HyperParameters()
    for name, kind in kinds.items():
        with suppress(TypeError, ValueError):  # Keras Tuner has not all choices.
            space.merge([from_distribution(name, kind)])
    return space


def _copy_weights(trials: Sequence[FrozenTrial], folder: Path | None, project_dir: Path) -> None:
    """Copies the weights that are there, and says in the trials where they are now."""
    for number, trial in enumerate(trials):
        attributes = dict(trial.user_attrs)
        named = None if folder is None else attributes.pop("checkpoint", None)
        weights = None if folder is None else file_within(folder, named)
        if named is not None and weights is None and _leads_elsewhere(named):
            warnings.warn(
                f"The weights of trial {number} are passed over: {named!r} leads out of {folder}.",
                stacklevel=3,
            )
        if weights is not None:
            target = project_dir / f"trial_{trial_id_of(number)}"
            checkpoints.copy(weights, target)
            attributes["checkpoint"] = f"{target.name}/{checkpoints.BEST}"
        trial.user_attrs = attributes


def _leads_elsewhere(name: Any) -> bool:
    path = PurePath(str(name))
    return path.is_absolute() or ".." in path.parts
