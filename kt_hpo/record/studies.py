"""Searches that are there already: finished, running, or made by plain Keras Tuner."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from kt_hpo.record import journal
from kt_hpo.record.journal import FILE_NAME

# What marks a trial in the record that was run by the search of `warm_start=`.
PAST = "warm_start"


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
        # It needs Keras; a record is read without.
        from kt_hpo.record.keras_tuner_folder import read_keras_tuner

        return read_keras_tuner(found.parent)
    return _load(journal.open_for_reading(found), study_name)


def trials_to_show(study: optuna.Study) -> list[FrozenTrial]:
    """Reads the trials of a study, each hyperparameter under one name.

    A choice whose range has changed since the search was begun is recorded under further names.

    Args:
        study: The record of a search, or any study.

    Returns:
        The trials by number. A hyperparameter has the name that it began with, and in each trial
        the range that it was drawn from.

    Example:
        >>> study = optuna.create_study()
        >>> space = {"space": [], "values": {}, "recorded_as": {"kind": ["kind [2]", "kind"]}}
        >>> study.set_user_attr("space", space)
        >>> study.enqueue_trial({"kind [2]": "c"})
        >>> study.optimize(
        ...     lambda trial: len(trial.suggest_categorical("kind [2]", ["a", "c"])), n_trials=1
        ... )
        >>> trials_to_show(study)[0].params
        {'kind': 'c'}
    """
    trials = study.get_trials(deepcopy=False)
    space = study.user_attrs.get("space")
    recorded_as = space.get("recorded_as", {}) if isinstance(space, dict) else {}
    first = {name: one for one, names in recorded_as.items() for name in names if name != one}
    return [_renamed(trial, first) for trial in trials] if first else trials


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


def is_past(frozen: FrozenTrial) -> bool:
    """Tells whether a recorded trial was run by a search before this one.

    Args:
        frozen: The trial.

    Returns:
        Whether it came with `warm_start`.
    """
    return PAST in frozen.user_attrs


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


def _renamed(trial: FrozenTrial, names: Mapping[str, str]) -> FrozenTrial:
    if trial.params.keys().isdisjoint(names):
        return trial
    renamed = copy.copy(trial)
    renamed.params = {names.get(name, name): value for name, value in trial.params.items()}
    renamed.distributions = {names.get(name, name): d for name, d in trial.distributions.items()}
    return renamed
