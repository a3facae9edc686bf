"""`kt-hpo import`: a search of another program, in a record."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from kt_hpo.startup import quiet_tensorflow

_EPILOG = """\
examples:
  kt-hpo import old/untitled_project --directory runs/old          of plain Keras Tuner
  kt-hpo import sqlite:///optuna.db --study-name cnn --objective val_accuracy --directory runs/cnn
  kt-hpo import trials.csv --objective val_auc:max --directory runs/table

Then `kt-hpo report runs/old`, or `kt-hpo search --warm-start runs/old ...` to learn from it.
"""


def add_to(commands: Any) -> None:
    """Adds the command.

    Args:
        commands: The subparsers of the program.
    """
    command = commands.add_parser(
        "import",
        help="make a record of a search of Keras Tuner, of Optuna, or in a table",
        description="Make a record of a search of another program: reports, plots and --warm-start "
        "work on it then. The source is not changed.",
        epilog=_EPILOG,
    )
    add = command.add_argument
    add(
        "source",
        metavar="SOURCE",
        help="a folder that plain Keras Tuner wrote, the URL of an Optuna storage, or a .csv file "
        "with a row for each trial",
    )
    add("--directory", metavar="FOLDER", required=True, help="where the record is made")
    add(
        "--objective",
        metavar="NAMES",
        help="what was optimized, where the source does not say it; NAME:max or NAME:min where "
        "the name does not tell",
    )
    add("--study-name", metavar="NAME", help="which study, where a data base holds several")
    add(
        "--storage",
        metavar="URL",
        help="data base for the record (default: a journal in the folder)",
    )
    command.set_defaults(run=bring, parser=command)


def bring(options: argparse.Namespace) -> None:
    """Makes the record.

    Args:
        options: The parsed arguments of `kt-hpo import`.
    """
    with quiet_tensorflow():
        from kt_hpo.cli.tuners import one_objective
        from kt_hpo.integrations.imports import import_search

    names = options.objective.split(",") if options.objective else []
    directory = Path(options.directory)
    study = import_search(
        options.source,
        directory.parent,
        directory.name,
        storage=options.storage,
        objective=[one_objective(name.strip()) for name in names] or None,
        study_name=options.study_name,
    )
    print(f"{len(study.trials)} trials of {options.source} are in {directory} now.")
