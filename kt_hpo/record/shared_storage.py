"""Searches of one name in a shared storage, told apart by the directories they run in.

A directory is known by a token in a file of its own, so it may be moved or mounted elsewhere. The
study lists the directories that its search has run in, the last one at the end.
"""

from __future__ import annotations

import json
import math
import secrets
import socket
import threading
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import optuna

from kt_hpo._private_apis.optuna import id_of, storage_of
from kt_hpo.record import journal
from kt_hpo.record.storages import Storage, connected
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.space.kinds import in_words

# What a study says of the directories, and of the program that was started last.
PLACES, PROGRAM = "places", "program"
_TOKEN = "search.id"
# Where a search leaves its signs of life, the seconds between two, and after how many it is lost.
_ALIVE, _BEAT, _LOST = "kt_hpo:alive:", 20.0, 120.0
# How many hyperparameters a message names.
_SHOWN = 3


def check_same_search(
    study: optuna.Study, project_dir: Path, tuner: str, asked: HyperParameters
) -> None:
    """Lets a search of another directory go on here only if it is the same, and says that it does.

    The same search asks for the same hyperparameters; where none are known before the first trial,
    its tuner is of a class with the same name. In a directory that the search has run in before,
    its program may change. A study that lists no directory is taken over.

    Args:
        study: The study, which has the same objective.
        project_dir: The directory.
        tuner: The name of the tuner's class.
        asked: The hyperparameters that the program asks for.

    Raises:
        RecordError: If it is another search.
    """
    if _is_in_its_directory(study):
        return
    attributes, token = study.user_attrs, _token(project_dir)
    known, places = attributes.get(PROGRAM), attributes.get(PLACES, [])
    space = sorted(asked.get_config()["space"], key=lambda one: json.dumps(one, sort_keys=True))
    program = json.loads(json.dumps({"tuner": tuner, "space": space}))
    if places and token not in [place["token"] for place in places]:
        differences = _differences(known, program)
        if differences:
            raise journal.RecordError(
                f"The storage has a search {study.study_name!r} already, of the directory "
                f"{_in_words(places[-1])}, and the one here, in {project_dir.absolute()}, is "
                f"another: {differences}. A search that goes on from another directory asks for "
                "the same objective and hyperparameters. Give the new search another "
                "project_name, or overwrite=True to forget the one that is there."
            )
    if places and token != places[-1]["token"]:
        warnings.warn(
            f"The search {study.study_name!r} in this storage last ran in the directory "
            f"{_in_words(places[-1])}, where its weights are. It goes on in "
            f"{project_dir.absolute()}. If this is another search, give it another project_name.",
            UserWarning,
            stacklevel=2,
        )
    if known != program:
        study.set_user_attr(PROGRAM, program)
    if not places:
        _add(study, project_dir)


def check_alone(study: optuna.Study, project_dir: Path) -> None:
    """Refuses what would disturb a search that runs in another directory.

    Args:
        study: The study of the search.
        project_dir: The directory from here.

    Raises:
        RecordError: If it runs, or did a moment ago on another machine.
    """
    token = _read(project_dir)
    for place in study.user_attrs.get(PLACES, []):
        if place["token"] == token or not _is_running(study, place):
            continue
        here = place["host"] == socket.gethostname()
        killed = "" if here else f" One that was killed counts as running for {_LOST:g} seconds."
        raise journal.RecordError(
            f"Another process is running the search {study.study_name!r} of this storage right "
            f"now, in {_in_words(place)}. Wait for its end, stop it, or give this search another "
            f"project_name. To run trials side by side, give one search executor=4.{killed}"
        )


def _is_running(study: optuna.Study, place: Mapping[str, str]) -> bool:
    """Whether a search runs in a directory, as a lock tells here, a sign of life elsewhere."""
    if place["host"] == socket.gethostname():
        folder = Path(place["directory"])
        return _read(folder) == place["token"] and journal.is_claimed(folder)
    signs = storage_of(study).get_study_system_attrs(id_of(study))
    return time.time() - (signs.get(_ALIVE + place["token"]) or -math.inf) < _LOST


def check_free(storage: Storage, project_dir: Path) -> None:
    """Refuses to forget a search that runs in another directory.

    Args:
        storage: Where its record is; None for the directory itself.
        project_dir: The directory from here; its name is the study's.

    Raises:
        RecordError: If it runs.
    """
    if storage is not None:
        storage = connected(storage)
        if project_dir.name in optuna.get_all_study_names(storage):
            check_alone(
                optuna.load_study(study_name=project_dir.name, storage=storage), project_dir
            )


@contextmanager
def running(study: optuna.Study, project_dir: Path) -> Iterator[None]:
    """Notes that a search runs in a directory, which this process has claimed.

    Args:
        study: The study.
        project_dir: The directory.

    Yields:
        Nothing, while the search gives signs of life.

    Raises:
        RecordError: If the search runs in another directory.
    """
    if _is_in_its_directory(study):
        yield
        return
    check_alone(study, project_dir)
    _add(study, project_dir)
    storage, study_id = storage_of(study), id_of(study)
    key, ended = _ALIVE + _token(project_dir), threading.Event()

    def live() -> None:
        while not ended.wait(_BEAT):
            with suppress(Exception):  # The search itself says what is wrong with the storage.
                storage.set_study_system_attr(study_id, key, time.time())

    storage.set_study_system_attr(study_id, key, time.time())
    thread = threading.Thread(target=live, daemon=True)
    thread.start()
    try:
        check_alone(study, project_dir)  # Of two that begin at once one sees the other.
        yield
    finally:
        ended.set()
        thread.join()
        with suppress(Exception):
            storage.set_study_system_attr(study_id, key, None)


def _is_in_its_directory(study: optuna.Study) -> bool:
    """Whether the record is a journal in the directory, which no other search can share."""
    return isinstance(storage_of(study), journal.JournalRecord)


def _add(study: optuna.Study, project_dir: Path) -> None:
    token, places = _token(project_dir), study.user_attrs.get(PLACES, [])
    here = {
        "token": token,
        "host": socket.gethostname(),
        "directory": str(project_dir.absolute()),
    }
    if places[-1:] != [here]:
        others = [place for place in places if place["token"] != token]
        study.set_user_attr(PLACES, [*others, here])


def _token(project_dir: Path) -> str:
    """The token of a directory, which gets one where it has none."""
    token = _read(project_dir)
    if token is None:
        token = secrets.token_hex(8)
        project_dir.mkdir(parents=True, exist_ok=True)
        (project_dir / _TOKEN).write_text(token)
    return token


def _read(project_dir: Path) -> str | None:
    try:
        return (project_dir / _TOKEN).read_text() or None
    except (OSError, UnicodeDecodeError):
        return None


def _in_words(place: Mapping[str, str]) -> str:
    return f"{place['directory']} on {place['host']}"


def _differences(known: Mapping[str, Any] | None, program: Mapping[str, Any]) -> str:
    """What two programs ask for that is not the same; empty where nothing is known of one."""
    if known is None:
        return ""
    if not known["space"] and not program["space"]:
        if known["tuner"] == program["tuner"]:
            return ""
        return f"its tuner is {program['tuner']}, and was {known['tuner']}"
    there = [one for one in known["space"] if one not in program["space"]]
    here = [one for one in program["space"] if one not in known["space"]]
    sides = {"asked for there, not here": there, "asked for here, not there": here}
    return "; ".join(f"{side}: {_named(space)}" for side, space in sides.items() if space)


def _named(space: Sequence[Mapping[str, Any]]) -> str:
    known = HyperParameters.from_config({"space": space, "values": {}})
    names = [f"{one.name!r} ({in_words(one)})" for one in known.space]
    return ", ".join(names[:_SHOWN]) + ", ..." * (len(names) > _SHOWN)
