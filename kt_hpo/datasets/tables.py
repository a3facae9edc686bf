"""Data frames as numbers."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def read_table(path: str | Path) -> pd.DataFrame:
    """Reads a table; says of one that cannot be read in which row, and what to do.

    Args:
        path: A file in UTF-8, of values between commas, with a header.

    Returns:
        The table.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is empty, in another encoding, has other separators, or rows that are
            longer or shorter than the header.
    """
    import pandas as pd

    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    _check_rows(path)
    try:
        return pd.read_csv(path)
    except (ValueError, OverflowError, pd.errors.ParserError) as error:
        raise ValueError(f"{path} cannot be read as a table: {error}") from error


def _check_rows(path: str | Path) -> None:
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            rows = ((reader.line_num, row) for row in reader if row)
            _, header = next(rows, (0, []))
            if not header:
                raise ValueError(f"{path} is empty: it needs a header and a row for each sample.")
            _check_separator(path, header)
            for line, row in rows:
                if len(row) != len(header):
                    raise ValueError(
                        f"{path}, line {line}, has {len(row)} values, and the header names "
                        f"{len(header)} columns. Correct the line; a text that holds commas stands "
                        "in quotes."
                    )
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not in UTF-8: line {_undecodable(path)} has a letter of another encoding. "
            "Save it as UTF-8, or read it yourself: frame = pandas.read_csv(path, "
            "encoding='latin-1'), then from_arrays(frame.drop(columns='y'), frame['y'])."
        ) from error
    except csv.Error as error:
        raise ValueError(f"{path} cannot be read as a table: {error}.") from error


def _undecodable(path: str | Path) -> int:
    """The first line, counted from 1, that is not in UTF-8."""
    lines = Path(path).read_bytes().splitlines()
    return next(
        number for number, line in enumerate(lines, 1) if "\ufffd" in line.decode(errors="replace")
    )


def _check_separator(path: str | Path, header: list[str]) -> None:
    for sign, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(header) == 1 and sign in header[0]:
            raise ValueError(
                f"{path} has {name} between its columns instead of commas. Save it with commas, or "
                f"read it yourself: frame = pandas.read_csv(path, sep={sign!r}), then "
                "from_arrays(frame.drop(columns='y'), frame['y'])."
            )
