"""Shares and names in few characters."""

from __future__ import annotations

import re


def percent(share: float) -> str:
    """Write a share in few characters, never as all or nothing where it is not.

    Args:
        share: Float from 0 to 1.

    Returns:
        A string.

    Example:
        >>> percent(0.25), percent(0.002), percent(0.9999), percent(1.0)
        ('25%', '<1%', '>99%', '100%')
    """
    if 0 < share < 0.01:
        return "<1%"
    return ">99%" if 0.99 < share < 1 else f"{share:.0%}"


def shorten(name: str, width: int = 24) -> str:
    """Shorten a long name in its middle, where names differ least.

    Args:
        name: String, the name.
        width: Integer, the most characters to keep.

    Returns:
        The name as a string, at most `width` characters long.

    Example:
        >>> shorten("convolution_block_3_number_of_filters", 20)
        'convolutio…f_filters'
    """
    name = " ".join(name.split())
    tail = (width - 1) // 2
    return name if len(name) <= width else f"{name[: width - 1 - tail]}…{name[-tail:]}"


def wrapped(name: str, width: int, lines: int = 2) -> str:
    """Break a long name into lines, at underscores and spaces rather than within words.

    Args:
        name: String, the name.
        width: Integer, the most characters of a line.
        lines: Integer, how many lines it may have.

    Returns:
        The name as a string of lines, shortened where they have no room for it.

    Example:
        >>> wrapped("num_dense_layers", 10).splitlines()
        ['num_dense_', 'layers']
        >>> wrapped("rate", 10)
        'rate'
    """
    rows = [""]
    for part in re.findall(r"[^_/\s]*[_/\s]*", " ".join(name.split())):
        if rows[-1] and len(rows[-1] + part.rstrip()) > width and len(rows) < lines:
            rows.append("")
        rows[-1] += part
    return "\n".join(shorten(row, width) for row in rows)
