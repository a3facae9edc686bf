"""How values, names and lists are written in a report; numbers by `kt_hpo.formatting`."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

from kt_hpo.formatting import number, short


def spread(value: float) -> str:
    """Writes an uncertainty, of which two digits are enough.

    Args:
        value: The uncertainty.

    Returns:
        Its two first digits.

    Example:
        >>> spread(0.0123), spread(12.34)
        ('0.012', '12')
    """
    return number(value, digits=2 if value < 100 else 4)


def value_in_words(value: Any) -> str:
    """Writes the value of a hyperparameter or a metric.

    Args:
        value: A number, a text, a boolean or None.

    Returns:
        The number in few characters; everything else as it is.

    Example:
        >>> value_in_words(0.001234567), value_in_words("adam"), value_in_words(None)
        ('0.001235', 'adam', '')
    """
    if value is None:
        return ""
    return f"{value:,}" if type(value) is int else short(value)


def broken(name: Any) -> Markup:
    """Lets a long name break behind its underscores, dots and slashes, and not within words.

    Args:
        name: The name.

    Returns:
        HTML, in which whatever was markup is escaped.

    Example:
        >>> broken("num_layers <b>")
        Markup('num_<wbr>layers &lt;b&gt;')
    """
    parts = re.split(r"(?<=[_/])|(?<=\.)(?=[^\W\d])", str(name))
    return Markup("<wbr>").join(parts)


def listed(things: list[str], most: int = 8) -> str:
    """Writes things in a row, the first of them if they are many.

    Args:
        things: What to list.
        most: How many at most.

    Returns:
        The list with commas.

    Example:
        >>> listed(["a", "b", "c"], most=2)
        'a, b and 1 more'
    """
    if len(things) <= most:
        return ", ".join(things)
    return f"{', '.join(things[:most])} and {len(things) - most:,} more"
