"""`kt-hpo predict`: the best model of a search, on new rows."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kt_hpo.cli.recorded import modules_of
from kt_hpo.startup import quiet_tensorflow

if TYPE_CHECKING:
    import pandas as pd

_EPILOG = """\
examples:
  kt-hpo predict runs/wine-tabular new.csv                        a short table
  kt-hpo predict runs/wine-tabular new.csv --output predictions.csv
  kt-hpo predict runs/photos-cnn new_photos/ | head -3            CSV, where it is piped
"""
_SHOWN = 20
_OUTPUTS = (".csv", ".tsv", ".parquet")


def add_to(commands: Any) -> None:
    """Adds the command.

    Args:
        commands: The subparsers of the program.
    """
    command = commands.add_parser(
        "predict",
        help="predict from new rows with the best model of a search",
        description="Predict classes and their probabilities, or values, from new rows with the "
        "best model of a search. Columns that the model does not know, the target too, are not "
        "looked at.",
        epilog=_EPILOG,
    )
    command.add_argument(
        "search", metavar="SEARCH", help="folder of the search, or its best_model.keras"
    )
    command.add_argument(
        "data",
        metavar="DATA",
        help="what to predict from: a table (.csv, .tsv, .parquet), a folder of images or texts, "
        "one of these, or an array (.npy)",
    )
    command.add_argument(
        "--output", metavar="FILE", help=f"write them all to a {', '.join(_OUTPUTS)} file"
    )
    command.set_defaults(run=predict, parser=command)


def predict(options: argparse.Namespace) -> None:
    """Predicts, and writes or prints what comes of it.

    Args:
        options: The parsed arguments of `kt-hpo predict`.
    """
    output = None if options.output is None else Path(options.output)
    if output is not None and output.suffix.lower() not in _OUTPUTS:
        raise ValueError(f"--output {output} is not allowed; give a {', '.join(_OUTPUTS)} file.")
    if not Path(options.search).exists():
        raise FileNotFoundError(f"There is no search {options.search}.")
    if not Path(options.data).exists():
        raise FileNotFoundError(f"There is no file or folder {options.data}.")
    with quiet_tensorflow():
        from kt_hpo.new_rows import read_rows
        from kt_hpo.trained_model import load

    run = Path(options.search).absolute()
    with modules_of(run):
        trained = load(run)
    rows = read_rows(options.data, trained)
    predicted = trained.predict(rows.raw)
    if rows.files:
        predicted.insert(0, "file", rows.files, allow_duplicates=True)
    for remark in rows.remarks:
        print(f"kt-hpo: {remark}", file=sys.stderr)
    _give(predicted, output)


def _give(predicted: pd.DataFrame, output: Path | None) -> None:
    if output is not None:
        _write(predicted, output)
        print(f"Wrote {len(predicted):,} predictions to {output}")
    elif not sys.stdout.isatty():
        predicted.to_csv(sys.stdout, index=False)
    else:
        print(predicted.head(_SHOWN).to_string(index=False, float_format="{:.4g}".format))
        if len(predicted) > _SHOWN:
            print(f"... and {len(predicted) - _SHOWN:,} more; --output FILE.csv has all of them")


def _write(predicted: pd.DataFrame, output: Path) -> None:
    if output.suffix.lower() == ".parquet":
        from kt_hpo.optional import require

        require("pyarrow", "parquet")
        predicted.to_parquet(output, index=False)
    else:
        separator = "\t" if output.suffix.lower() == ".tsv" else ","
        predicted.to_csv(output, index=False, sep=separator)
