"""What a search in a folder was begun with, and whether another may go on with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kt_hpo.cli.options import OPTIONS
from kt_hpo.cli.settings import FILE_NAME, Settings, as_flags, read_file
from kt_hpo.record import journal
from kt_hpo.record.journal import FILE_NAME as RECORD
from kt_hpo.record.studies import find_study, open_study


def goes_on(directory: Path, settings: Settings) -> bool:
    """Decides whether a search goes on with what is in its folder, or begins it.

    Args:
        directory: The search's folder.
        settings: What is to be searched.

    Returns:
        Whether it goes on. What has no trials yet, after a mistake, say, is begun anew.

    Raises:
        ValueError: If there are trials of a search with other options, or of a Python program.
        RecordError: If the record is damaged.
    """
    path = directory / FILE_NAME
    changed = _changed(read_file(path), settings) if path.is_file() else None
    if changed == []:
        return True
    if not _has_trials(directory, settings):
        return False
    if changed is None:
        raise ValueError(
            f"{directory} holds a search that was not begun with `kt-hpo search`. Choose another "
            f"--directory, with --warm-start {directory} to learn from it, or --overwrite it."
        )
    raise ValueError(
        f"{directory} holds a search with other arguments: {', '.join(changed)}. "
        f"Repeat them to go on with it, or say `kt-hpo resume {directory}`; choose another "
        "--directory, or --overwrite it."
    )


def check_unclaimed(directory: Path) -> None:
    """Refuses to begin a search anew that goes on elsewhere.

    Args:
        directory: The search's folder.

    Raises:
        RecordError: If another process searches there now.
    """
    if journal.is_claimed(directory):
        raise journal.RecordError(
            f"Another process is searching in {directory} right now. Wait for its end, stop it, or "
            "choose another --directory."
        )


def kept_file(directory: Path) -> Path:
    """Finds the file that says what a search was begun with.

    Args:
        directory: The search's folder.

    Returns:
        The file.

    Raises:
        FileNotFoundError: If there is no search.
        ValueError: If it was not begun on the command line; says how to go on with it.
    """
    path = directory / FILE_NAME
    if path.is_file():
        return path
    study, folder = find_study(directory)
    raise ValueError(f"{folder} holds {_other_origin(study.user_attrs, folder)}")


def _other_origin(attributes: dict[str, Any], folder: Path) -> str:
    if "imported_from" in attributes:
        return (
            f"what was imported from {attributes['imported_from']}. Begin a search that learns "
            f"from it: `kt-hpo search --warm-start {folder} ...`."
        )
    if (folder / "oracle.json").is_file():
        return (
            "a search of plain Keras Tuner. Run its program again, or `kt-hpo import` it and begin "
            "one that learns from it, `kt-hpo search --warm-start ...`."
        )
    made = attributes.get("made_by", {})
    named = " of ".join(made[part] for part in ("tuner", "hypermodel") if part in made)
    return (
        f"a search that was begun from Python{f' ({named})' * bool(named)}. Run that program "
        "again: it goes on by itself."
    )


def _changed(known: Settings, wanted: Settings) -> list[str]:
    """The options that a search must have the same to its end, and has not."""
    return [
        f"{option.flag} {_said(known, name)} (now {_said(wanted, name)})"
        for name, option in OPTIONS.items()
        if option.fixed and option.in_file and known.get(name) != wanted.get(name)
    ]


def _has_trials(directory: Path, settings: Settings) -> bool:
    storage = settings.get("storage")
    try:
        study = open_study(storage, directory.name) if storage else open_study(directory / RECORD)
    except (FileNotFoundError, ValueError):
        return False
    return bool(study.get_trials(deepcopy=False))


def _said(settings: Settings, name: str) -> str:
    if settings.get(name) is None:
        return "not given"
    return as_flags({name: settings[name]}).get(name) or str(settings[name])
