"""`kt-hpo resume`: a search of the command line goes on."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from kt_hpo.cli.options import OPTIONS
from kt_hpo.cli.parser import add_options
from kt_hpo.cli.search import run
from kt_hpo.cli.settings import complete, given_flags
from kt_hpo.startup import quiet_tensorflow

_EPILOG = """\
examples:
  kt-hpo resume runs/demo
  kt-hpo resume runs/demo --max-trials 100      search on, a finished search too
  kt-hpo resume runs/demo --workers 4 --time-budget 1h

What the search was begun with stands in search.toml in its folder. A search begun from Python goes
on when its program is run again.
"""


def add_to(commands: Any) -> None:
    """Adds the command.

    Args:
        commands: The subparsers of the program.
    """
    command = commands.add_parser(
        "resume",
        help="go on with a search that was interrupted, or add trials to one",
        description="Go on with a search that `kt-hpo search` began, with what it was begun with. "
        "Only options that do not change what a trial is can be given anew.",
        epilog=_EPILOG,
        usage="kt-hpo resume FOLDER [option ...]",
    )
    command.add_argument("search", metavar="FOLDER", help="folder of the search")
    fixed = [name for name, option in OPTIONS.items() if option.fixed]
    add_options(command, leave_out=(*fixed, "directory"))
    command.set_defaults(run=resume, parser=command)


def resume(options: argparse.Namespace) -> None:
    """Goes on with a search.

    Args:
        options: The parsed arguments of `kt-hpo resume`.
    """
    with quiet_tensorflow():
        from kt_hpo.cli.resume_check import kept_file

    file = kept_file(Path(options.search))
    settings = complete({**given_flags(options), "config": str(file)})
    directory, begun_in = file.parent.resolve(), Path(settings["folder"], settings["directory"])
    if "storage" in settings and directory.name != begun_in.name:
        raise ValueError(
            f"{options.search} was renamed, and its data base knows it as {begun_in.name!r}. "
            "Rename the folder back to go on with it."
        )
    if begun_in.resolve() != directory:
        settings["directory"] = str(directory)  # It was moved.
    run(settings)
