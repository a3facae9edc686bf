"""What the commands about a search that is there already have in common."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kt_hpo.cli.settings import FILE_NAME, read_file
from kt_hpo.startup import quiet_tensorflow
from kt_hpo.targets import working_in

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True)
class Recorded:
    """A search whose record was opened already, as `kt_hpo.report` and `kt_hpo.export` take it.

    Attributes:
        study: The record.
        project_dir: The search's folder.
    """

    study: optuna.Study
    project_dir: Path


def add_search_argument(command: argparse.ArgumentParser) -> None:
    """Adds the arguments that name a search.

    Args:
        command: The command.
    """
    command.add_argument(
        "search",
        metavar="SEARCH",
        help="folder of the search, of a running one too; its journal; the URL of a data base such "
        "as sqlite:///trials.db; or a folder that plain Keras Tuner wrote",
    )
    command.add_argument(
        "--study-name", metavar="NAME", help="which search, where a data base holds several"
    )


def named_search(options: argparse.Namespace) -> Recorded:
    """Opens the search that was named, before what takes seconds to import.

    Args:
        options: The parsed arguments.

    Returns:
        The search.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If there are several.
    """
    with quiet_tensorflow():
        from kt_hpo.record.studies import find_study, open_study

    file = Path(options.search, FILE_NAME)
    if file.is_file() and (settings := read_file(file)).get("storage"):
        name = options.study_name or Path(settings["directory"]).name
        return Recorded(open_study(_from_anywhere(settings), name), file.parent)
    if options.study_name is None:
        return Recorded(*find_study(options.search))
    return Recorded(open_study(options.search, options.study_name), Path())


def _from_anywhere(settings: dict[str, Any]) -> str:
    """The URL of a search's data base; the path of SQLite's is relative to the search's folder."""
    storage: str = settings["storage"]
    kind, _, path = storage.partition(":///")
    return f"{kind}:///{Path(settings['folder'], path)}" if kind == "sqlite" else storage


def modules_of(run: Path) -> AbstractContextManager[None]:
    """Looks modules up where a search was begun, for the classes of its model.

    Args:
        run: The search's folder.

    Returns:
        A context in which that folder is the current one, if it is known and there.
    """
    file = run / FILE_NAME
    folder = Path(read_file(file).get("folder", ".")) if file.is_file() else Path()
    return working_in(folder) if folder.is_dir() else nullcontext()
