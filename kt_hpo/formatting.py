"""Values, times and counts in few characters, on one line: the one writer of numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from numbers import Integral, Real


def number(value: float, digits: int = 4) -> str:
    """Return a number in few characters.

    Args:
        value: Float, the number.
        digits: Integer, how many digits tell it; from a thousand to a million all are written.

    Returns:
        A string, with thousands set apart.

    Example:
        >>> number(0.98765), number(12345.6), number(0.00001), number(2.5e6)
        ('0.9877', '12,346', '1e-5', '2.5e6')
    """
    text = f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.{digits}g}"
    if "e" not in text:
        return text
    mantissa, exponent = text.split("e")
    return f"{mantissa}e{int(exponent)}"


def short(value: object) -> str:
    r"""Return a value in few characters, all of them printable and on one line.

    Args:
        value: Object, a number or whatever a choice may be.

    Returns:
        A string.

    Example:
        >>> short(0.123456), short("a\nb")
        ('0.1235', 'a b')
    """
    if isinstance(value, Real) and not isinstance(value, Integral):
        return number(float(value))
    return one_line(str(value))


def one_line(text: str) -> str:
    r"""Return a text without line breaks and control characters, which would garble a display.

    Args:
        text: String, the text.

    Returns:
        A string.

    Example:
        >>> one_line("\x1b[31mred\n  blue")
        '?[31mred blue'
    """
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))


def values_in_words(values: Mapping[str, object]) -> str:
    """Return hyperparameters on one line.

    Args:
        values: Mapping of names to values.

    Returns:
        A string.

    Example:
        >>> values_in_words({"units": 64, "learning_rate": 0.00123456})
        'units=64, learning_rate=0.001235'
    """
    return ", ".join(f"{one_line(name)}={short(value)}" for name, value in values.items())


def clock(seconds: float) -> str:
    """Return a duration as a clock shows it.

    Args:
        seconds: Float, the duration.

    Returns:
        A string.

    Example:
        >>> clock(0.42), clock(61), clock(3661)
        ('0.4s', '1:01', '1:01:01')
    """
    if seconds < 59.5:
        return f"{seconds:.1f}s" if seconds < 9.95 else f"{seconds:.0f}s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def duration(seconds: float) -> str:
    """Writes a time in its largest unit and the next.

    Args:
        seconds: The time.

    Returns:
        For example `2 min 5 s`.

    Example:
        >>> duration(125), duration(0.25), duration(90_000)
        ('2 min 5 s', '0.25 s', '1 d 1 h')
    """
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    first = next(index for index, (_, size) in enumerate(units) if seconds >= size)
    (unit, size), (smaller, part) = units[first], units[first + 1]
    rest = int(seconds % size // part)
    return f"{int(seconds // size)} {unit}" + (f" {rest} {smaller}" if rest else "")


def count(amount: int, thing: str) -> str:
    """Writes how many of a thing there are.

    Args:
        amount: How many.
        thing: Its name in the singular.

    Returns:
        For example `1 trial`, `2 trials`.

    Example:
        >>> count(1, "trial"), count(1500, "trial")
        ('1 trial', '1,500 trials')
    """
    return f"{amount:,} {thing}" + "s" * (amount != 1)


def file_name(text: str) -> str:
    """Makes a text a part of a file's name.

    Args:
        text: The text.

    Returns:
        It, with dots for everything but letters, digits, `_`, `-` and dots; never empty.

    Example:
        >>> file_name("my wine"), file_name("my_module:load"), file_name("/")
        ('my.wine', 'my_module.load', 'data')
    """
    return re.sub(r"[^\w.-]+", ".", text).strip(".")[:100] or "data"
