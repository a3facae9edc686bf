"""What a search in a folder was begun with, and whether another may go on with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kt_hpo.cli.options import OPTIONS
from kt_hpo.cli.settings import FILE_NAME, Settings, as_flags, read_file


def is_begun(directory: Path, settings: Settings) -> bool:
    """Tells whether there are trials already.

    Args:
        directory: The search's folder.
        settings: The settings of the search.

    Returns:
        Whether its record holds any.

    Raises:
        RecordError: If the record is damaged.
    """
    from kt_hpo.record import FILE_NAME as RECORD
    from kt_hpo.studies import open_study

    storage = settings.get("storage")
    try:
        study = open_study(storage, directory.name) if storage else open_study(directory / RECORD)
    except (FileNotFoundError, ValueError):
        return False
    return bool(study.get_trials(deepcopy=False))


def check_same_search(directory: Path, settings: Settings) -> None:
    """Refuses to mix two searches in one folder.

    Args:
        directory: The folder, which holds trials.
        settings: What is to be searched.

    Raises:
        ValueError: If those trials are of a search with other options, or of a Python program.
    """
    path = directory / FILE_NAME
    if not path.is_file():
        raise ValueError(
            f"{directory} holds a search that was not begun with `kt-hpo search`. Choose another "
            f"--directory, with --warm-start {directory} to learn from it, or --overwrite it."
        )
    known = read_file(path)
    changed = [
        f"{option.flag} {_said(known, name)} (now {_said(settings, name)})"
        for name, option in OPTIONS.items()
        if option.fixed and option.in_file and known.get(name) != settings.get(name)
    ]
    if changed:
        raise ValueError(
            f"{directory} holds a search with other arguments: {', '.join(changed)}. "
            f"Repeat them to go on with it, or say `kt-hpo resume {directory}`; choose another "
            "--directory, or --overwrite it."
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
    from kt_hpo.startup import quiet_tensorflow

    with quiet_tensorflow():
        from kt_hpo.studies import find_study

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


def _said(settings: Settings, name: str) -> str:
    value = settings.get(name)
    return "not given" if value is None else as_flags({name: value}).get(name, "") or str(value)
