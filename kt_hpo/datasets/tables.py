"""Tables in files, as they are found: CSV of every kind, and Parquet."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kt_hpo.datasets.preprocessing.columns import LINE
from kt_hpo.datasets.preprocessing.texts_as_numbers import NumberFormat
from kt_hpo.optional import require

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".tsv", ".tab", ".parquet", ".pq")
_PARQUET = (".parquet", ".pq")
_SEPARATORS = (",", ";", "\t", "|")
_UTF_8_LETTER = re.compile(
    rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
# Characters from which the separator is found, about.
_SAMPLE = 2**16


def read_table(path: str | Path, texts: Sequence[str] = ()) -> pd.DataFrame:
    r"""Reads a table; says of one that cannot be read in which line, and what to do.

    Separator (comma, semicolon, tab or bar), quotes and encoding are found. Only an empty cell is
    a missing value here: what `NA` or `?` mean depends on the column.

    Args:
        path: A CSV file with a header, or a Parquet file.
        texts: Columns that hold texts even where they look like numbers, such as `007`.

    Returns:
        The table. The index of one from a CSV file counts the lines of the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is empty, is no text, has no header or two columns of one name, or rows
            that are longer or shorter than the header.
        ImportError: If it is a Parquet file and pyarrow is not installed.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "pets.csv"
        >>> _ = path.write_bytes("größe;tier\n1,5;dog\n".encode("cp1252"))
        >>> read_table(path).to_dict("list")
        {'größe': ['1,5'], 'tier': ['dog']}
    """
    import pandas as pd

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    if path.suffix.lower() in _PARQUET:
        return _read_parquet(path)
    text, encoding = decode(path)
    dialect = _dialect(text)
    names, lines = _check_rows(path, text, dialect)
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=dialect.separator,
            quotechar=dialect.quote,
            skiprows=dialect.skipped,
            dtype=dict.fromkeys(set(texts) & set(names), str),
            skipinitialspace=True,
            index_col=False,
            keep_default_na=False,
            na_values=[""],
            low_memory=False,
            **_exactly(pd.__version__),
        )
    except (ValueError, OverflowError, pd.errors.ParserError) as error:
        raise ValueError(f"{path} cannot be read as a table: {error}") from error
    frame = frame.rename(columns=lambda name: str(name).strip())
    if len(lines) == len(frame):
        frame.index = pd.Index(lines, name=LINE)
    frame.attrs["comma_first"] = dialect.separator == ";"
    if encoding not in ("utf-8", "utf-8-sig", "utf-16"):
        frame.attrs["findings"] = [f"{path} is not in UTF-8: it is read as {encoding}."]
    return frame


def _exactly(pandas_version: str) -> dict[str, Any]:
    """Has pandas read floats to the last bit, which it does by itself from 3.1 on."""
    version = tuple(int(part) for part in pandas_version.split(".")[:2])
    return {} if version >= (3, 1) else {"float_precision": "round_trip"}


def _read_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd

    require("pyarrow", "parquet")
    try:
        return pd.read_parquet(path, engine="pyarrow")
    except Exception as error:  # pyarrow raises of many kinds on damaged files.
        raise ValueError(f"{path} cannot be read as a Parquet file: {error}") from error


def decode(path: Path) -> tuple[str, str]:
    """Reads a text whose encoding is not known: UTF-8, UTF-16, or one of Western Europe.

    Args:
        path: The file.

    Returns:
        The text, and its encoding.

    Raises:
        ValueError: If it is no text, or damaged UTF-8.
    """
    content = path.read_bytes()
    encoding = _encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        if _UTF_8_LETTER.search(content):
            raise ValueError(
                f"{path} is in UTF-8, but line {_undecodable(content)} has a letter of another "
                "encoding. Correct the line, or save the file as UTF-8."
            ) from None
        encoding = "cp1252" if not re.search(rb"[\x81\x8d\x8f\x90\x9d]", content) else "latin-1"
        text = content.decode(encoding)
    if "\0" in text:
        raise ValueError(f"{path} is no text: save the table as a CSV file in UTF-8.")
    return text, encoding


def _encoding(content: bytes) -> str:
    """The encoding that the first bytes tell; UTF-8 if they do not."""
    if content.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # Without a mark, every second byte of a text with Latin letters is 0 in UTF-16.
    head = content[:1000]
    even, odd = head[::2], head[1::2]
    if even and odd.count(0) > 0.4 * len(even) and not even.count(0):
        return "utf-16-le"
    if odd and even.count(0) > 0.4 * len(odd) and not odd.count(0):
        return "utf-16-be"
    return "utf-8"


def _undecodable(content: bytes) -> int:
    """The first line, counted from 1, that is not in UTF-8."""
    lines = content.splitlines()
    return next(
        number for number, line in enumerate(lines, 1) if "\ufffd" in line.decode(errors="replace")
    )


@dataclass(frozen=True)
class _Dialect:
    """How a file is written.

    Args:
        separator: Sign between columns.
        quote: Sign around texts.
        skipped: Lines before the header.
    """

    separator: str
    quote: str
    skipped: int = 0

    def rows(self, text: str) -> Iterable[tuple[int, list[str]]]:
        """Reads the rows that are not empty, with the number of their last line."""
        reader = csv.reader(
            io.StringIO(text, newline=""),
            delimiter=self.separator,
            quotechar=self.quote,
            skipinitialspace=True,
        )
        rows = ((reader.line_num, row) for row in reader if row)
        return (pair for pair in rows if pair[0] > self.skipped)


def _dialect(text: str) -> _Dialect:
    """Finds separator and quotes: every row of the sample shall have the header's columns."""
    # Excel writes the separator into a line of its own.
    said = re.match(r"sep=([,;\t|])\r?\n", text)
    skipped = 1 if said else 0
    sample = text[:_SAMPLE]
    if len(text) > _SAMPLE and "\n" in sample:
        sample = sample[: sample.rindex("\n")]
    quote = _quote(sample, skipped)
    separators = (said[1],) if said else _SEPARATORS
    dialects = [_Dialect(separator, quote, skipped) for separator in separators]
    return max(dialects, key=lambda dialect: _fit(sample, dialect))


def _quote(sample: str, skipped: int) -> str:
    header = next(iter(sample.splitlines()[skipped:]), "").strip()
    is_single = len(header) > 1 and header[0] == header[-1] == "'"
    return "'" if is_single else '"'


def _fit(sample: str, dialect: _Dialect) -> tuple[float, int]:
    """Part of the rows that have as many columns as the header, and how many these are."""
    try:
        sizes = [len(row) for _, row in dialect.rows(sample)]
    except csv.Error:
        return (-1.0, 0)
    if not sizes or sizes[0] < 2:
        return (0.0, 0)
    # A header with one column more or less is still a header of several columns.
    return (sum(size == sizes[0] for size in sizes) / len(sizes), sizes[0])


def _check_rows(path: Path, text: str, dialect: _Dialect) -> tuple[list[str], list[int]]:
    """Refuses a table whose rows are not alike; gives its columns and the lines of its rows."""
    try:
        rows = iter(dialect.rows(text))
        first, header = next(rows, (0, []))
        if not header or not any(map(str.strip, header)):
            raise ValueError(f"{path} is empty: it needs a header and a row for each sample.")
        names = _check_header(path, first, [name.strip() for name in header])
        lines = []
        for line, row in rows:
            if len(row) != len(header):
                raise ValueError(
                    f"{path}, line {line}, has {len(row)} values, and the header names "
                    f"{len(header)} columns. Correct the line; a text that holds "
                    f"{_spoken(dialect.separator)} stands in quotes."
                )
            lines.append(line)
    except csv.Error as error:
        raise ValueError(f"{path} cannot be read as a table: {error}.") from error
    return names, lines


def _check_header(path: Path, line: int, names: list[str]) -> list[str]:
    """Refuses names that are not different, and numbers, which are no names."""
    given = [name for name in names if name]
    double = next((name for name in given if given.count(name) > 1), None)
    if double is not None:
        raise ValueError(
            f"{path}, line {line}, names two columns {double!r}: give each a name of its own."
        )
    numbers = NumberFormat().parse(given)
    if (numbers == numbers).all():
        raise ValueError(
            f"{path} has no header: its first line, {line}, holds numbers only. Put a line with "
            "the names of the columns before it."
        )
    return names


def _spoken(separator: str) -> str:
    return {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}[separator]
