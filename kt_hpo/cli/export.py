"""`kt-hpo export`: a search in the files of other programs."""

from __future__ import annotations

import argparse
from typing import Any

from kt_hpo.arguments import did_you_mean
from kt_hpo.cli.recorded import add_search_argument, named_search

_EPILOG = """\
examples:
  kt-hpo export runs/demo                              runs/demo/trials.csv
  kt-hpo export runs/demo --format json --output demo.json
  kt-hpo export runs/demo --format keras-tuner         a folder that plain Keras Tuner reloads
"""


def add_to(commands: Any) -> None:
    """Adds the command.

    Args:
        commands: The subparsers of the program.
    """
    command = commands.add_parser(
        "export",
        help="write the trials as a table, as JSON, or for plain Keras Tuner",
        description="Write the trials of a search as a table (csv), with all that is known of them "
        "(json), or as a folder that plain Keras Tuner reloads (keras-tuner).",
        epilog=_EPILOG,
    )
    add_search_argument(command)
    command.add_argument(
        "--format", default="csv", metavar="FORMAT", help="csv, json or keras-tuner (default: csv)"
    ).completer = _formats
    command.add_argument(
        "--output",
        metavar="PATH",
        help="the file, or the new folder, to write (default: trials.csv, trials.json or "
        "keras_tuner in the search's folder)",
    )
    command.set_defaults(run=export, parser=command)


def export(options: argparse.Namespace) -> None:
    """Writes the files.

    Args:
        options: The parsed arguments of `kt-hpo export`.
    """
    if options.format not in _formats():
        hint = did_you_mean(options.format, _formats())
        raise ValueError(f"--format {options.format} is not one of {', '.join(_formats())}.{hint}")
    search = named_search(options)
    from kt_hpo.integrations.exports import export as write_export

    print(f"Wrote {write_export(search, options.output, options.format)}")


def _formats(**_: Any) -> tuple[str, ...]:
    return "csv", "json", "keras-tuner"
