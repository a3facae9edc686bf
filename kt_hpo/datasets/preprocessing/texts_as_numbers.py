"""Numbers and dates that are written as text, as they are in files of all kinds."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

# What stands for "no value" in a column of numbers or dates.
MISSING_MARKS = frozenset(
    {"", "?", "-", "--", ".", "na", "n/a", "#n/a", "#na", "nan", "null", "none", "nil", "missing"}
)

_DATE_FORMATS = (
    "ISO8601",
    *(
        f"{day}{time}"
        for day in (
            "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y",
            "%m/%d/%y", "%d/%m/%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y",
            "%d-%b-%y",
        )
        for time in ("", " %H:%M", " %H:%M:%S", " %I:%M %p")
    ),
)  # fmt: skip
_LOOKS_LIKE_A_DATE = re.compile(
    r"\d{4}-\d{1,2}(-|$)|\d{1,4}[-./]\w{1,9}[-./]\d{2,4}|[A-Za-z]{3,9}.*\d{4}"
)


def is_missing(text: str) -> bool:
    """Tells whether a text stands for no value in a column of numbers or dates.

    Args:
        text: The text.

    Returns:
        Whether it does.

    Example:
        >>> [is_missing(text) for text in ("?", " NA ", "0")]
        [True, True, False]
    """
    return text.strip().lower() in MISSING_MARKS


@dataclass(frozen=True)
class NumberFormat:
    """How a column writes its numbers.

    Args:
        decimal: Sign before the decimals.
        thousands: Sign between groups of three digits; empty for none.

    Example:
        >>> NumberFormat(",", ".").parse(["1.234,5", "-7", "x"])
        array([1234.5,   -7. ,     nan])
    """

    decimal: str = "."
    thousands: str = ""

    def parse(self, texts: Sequence[str]) -> np.ndarray:
        """Reads numbers.

        Args:
            texts: The texts.

        Returns:
            Float64, shape `(texts,)`; NaN for what is no number.
        """
        pattern = _pattern(self.decimal, self.thousands)
        return np.array([self._number(text, pattern) for text in texts], np.float64)

    def _number(self, text: str, pattern: re.Pattern[str]) -> float:
        found = pattern.fullmatch(text.strip())
        if not found:
            return float("nan")
        digits = found[1].replace(self.thousands, "") if self.thousands else found[1]
        if self.thousands == " ":
            digits = re.sub(r"\s", "", digits)
        return float(digits.replace(self.decimal, ".").replace("\u2212", "-"))


# In the order of how usual they are: the first that reads all of a column is taken.
NUMBER_FORMATS = (
    NumberFormat(),
    NumberFormat(".", ","),
    NumberFormat(",", ""),
    NumberFormat(",", "."),
    NumberFormat(".", " "),
    NumberFormat(",", " "),
    NumberFormat(".", "'"),
)
_COMMA_FIRST = (NUMBER_FORMATS[0], *NUMBER_FORMATS[2:4], NUMBER_FORMATS[1], *NUMBER_FORMATS[4:])


@cache
def _pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    separator = r"[ \u00a0\u202f]" if thousands == " " else re.escape(thousands)
    grouped = rf"\d{{1,3}}(?:{separator}\d{{3}})+|" if thousands else ""
    point = re.escape(decimal)
    number = rf"[-+\u2212]?(?:(?:{grouped}\d+)(?:{point}\d*)?|{point}\d+)(?:[eE][-+]?\d+)?"
    return re.compile(rf"[$€£¥]?\s?({number})\s?[$€£¥%]?")


def number_format(
    texts: Sequence[str], comma_first: bool = False
) -> tuple[NumberFormat, list[str]]:
    """Finds how a column writes its numbers.

    Args:
        texts: The different texts of the column.
        comma_first: Whether `1,234` is rather 1.234 than 1234, as in files with semicolons.

    Returns:
        The format that reads most of them, and the texts that are no numbers in it.

    Example:
        >>> number_format(["1,5", "2", "n/a"])
        (NumberFormat(decimal=',', thousands=''), ['n/a'])
    """
    formats = _COMMA_FIRST if comma_first else NUMBER_FORMATS
    unread = [
        [text for text, number in zip(texts, one.parse(texts), strict=True) if number != number]
        for one in formats
    ]
    best = min(range(len(formats)), key=lambda place: len(unread[place]))
    return formats[best], unread[best]


def date_format(texts: Sequence[str]) -> str | None:
    """Finds how a column writes its dates.

    Args:
        texts: The different texts of the column that stand for a value.

    Returns:
        `"ISO8601"` or a format of `strptime`, which reads all of them; None if there is none.

    Example:
        >>> date_format(["31.12.2024", "01.02.2025"]), date_format(["red", "blue"])
        ('%d.%m.%Y', None)
    """
    if not texts or not all(_LOOKS_LIKE_A_DATE.search(text) for text in texts[:20]):
        return None
    for one in _DATE_FORMATS:
        # Twenty texts tell most formats apart; only what is left reads the column.
        if _reads_all(texts[:20], one) and _reads_all(texts, one):
            return one
    return None


def _reads_all(texts: Sequence[str], one: str) -> bool:
    return not np.isnan(days(texts, one)).any()


def days(texts: Sequence[str], date: str) -> np.ndarray:
    """Reads dates as days since the beginning of 1970.

    Args:
        texts: The texts.
        date: As from `date_format`.

    Returns:
        Float64, shape `(texts,)`; NaN for what is no date.

    Example:
        >>> days(["1970-01-02T12:00", "never"], "ISO8601")
        array([1.5, nan])
    """
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stamps = pd.to_datetime(
            pd.Series(list(texts), dtype=object), format=date, errors="coerce", utc=True
        )
    return stamp_days(stamps)


def stamp_days(stamps: pd.Series) -> np.ndarray:
    """Time stamps of pandas as days since the beginning of 1970, UTC.

    Args:
        stamps: A series of time stamps, with or without time zone.

    Returns:
        Float64; NaN where there is none.
    """
    if stamps.dt.tz is not None:
        stamps = stamps.dt.tz_convert("UTC").dt.tz_localize(None)
    moments = stamps.to_numpy("datetime64[us]")
    return (moments - np.datetime64(0, "us")) / np.timedelta64(1, "D")
