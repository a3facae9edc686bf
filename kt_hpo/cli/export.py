"""`kt-hpo export`: a search in the files of other programs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from kt_hpo.arguments import did_you_mean
from kt_hpo.cli.recorded import add_search_argument, modules_of, named_search
from kt_hpo.startup import quiet_tensorflow

_EPILOG = """\
examples:
  kt-hpo export runs/demo                              runs/demo/trials.csv
  kt-hpo export runs/demo --format json --output demo.json
  kt-hpo export runs/demo --format keras-tuner         a folder that plain Keras Tuner reloads
  kt-hpo export runs/demo --format onnx                the best model: runs/demo/model.onnx
"""


def add_to(commands: Any) -> None:
    """Adds the command.

    Args:
        commands: The subparsers of the program.
    """
    command = commands.add_parser(
        "export",
        help="write the trials as a table, as JSON, or for plain Keras Tuner, or the best model",
        description="Write the trials of a search as a table (csv), with all that is known of them "
        "(json), or as a folder that plain Keras Tuner reloads (keras-tuner). Or write its best "
        "model (keras, saved_model, onnx, tflite): it takes raw rows, and a .json beside it says "
        "what its outputs mean.",
        epilog=_EPILOG,
    )
    add_search_argument(command)
    command.add_argument(
        "--format", default="csv", metavar="FORMAT", help=f"{', '.join(_formats())} (default: csv)"
    ).completer = _formats
    command.add_argument(
        "--output",
        metavar="PATH",
        help="the file, or the new folder, to write (default: trials.csv, trials.json, "
        "keras_tuner, or model.onnx and the like, in the search's folder)",
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
    search: Any = named_search(options)
    with quiet_tensorflow():
        from kt_hpo.integrations.exports import export as write_export

    run = Path(options.search)
    output = None if options.output is None else Path(options.output).absolute()
    if isinstance(search, str) and run.exists():
        search = str(run.absolute())
    with modules_of(run.absolute()):
        written = write_export(search, output, options.format)
    print(f"Wrote {options.output or _relative(written)}")


def _relative(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path


def _formats(**_: Any) -> tuple[str, ...]:
    return "csv", "json", "keras-tuner", "keras", "saved_model", "onnx", "tflite"
