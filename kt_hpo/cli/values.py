"""What the values of options may be: the texts of a shell and the values of a file, read alike."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kt_hpo.arguments import did_you_mean
from kt_hpo.metric_directions import METRICS, metric_direction

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_TARGET = re.compile(r"[^\W\d][\w.]*:[^\W\d][\w.]*")


@dataclass(frozen=True)
class Kind:
    """What an option's value may be.

    Attributes:
        read: Makes the value of a shell's text, or of what stands in a file; the value itself, read
            again, stays as it is. Raises a ValueError that says what is allowed.
        metavar: What stands for the value in `--help`.
        names: The words that are allowed, for the shell to complete.
    """

    read: Callable[[Any], Any]
    metavar: str = ""
    names: tuple[str, ...] = ()


def is_target(text: str) -> bool:
    """Tells whether a text names something in a module.

    Args:
        text: The text.

    Returns:
        Whether it is `module:name`.

    Example:
        >>> is_target("my_module:load"), is_target("mnist:3.0.1")
        (True, False)
    """
    return _TARGET.fullmatch(text) is not None


def text(metavar: str = "TEXT", names: Sequence[str] = ()) -> Kind:
    """Makes the kind of any text.

    Args:
        metavar: What stands for it in `--help`.
        names: Some of what it may be, for the shell to complete.

    Returns:
        The kind.
    """

    def read(value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise ValueError("give a text.")
        return value

    return Kind(read, metavar, tuple(names))


def name(allowed: Sequence[str], metavar: str = "NAME", or_target: bool = False) -> Kind:
    """Makes the kind of a name.

    Args:
        allowed: The names.
        metavar: What stands for it in `--help`.
        or_target: Whether `module:name` is allowed as well.

    Returns:
        The kind.

    Example:
        >>> name(["cnn", "mlp"]).read("cnnn")
        Traceback (most recent call last):
        ValueError: give one of cnn, mlp. Did you mean 'cnn'?
    """

    def read(value: Any) -> str:
        if value in allowed or (or_target and isinstance(value, str) and is_target(value)):
            return value
        own = ", or module:name of your own" if or_target else ""
        hint = did_you_mean(str(value), allowed, cutoff=0.5)
        raise ValueError(f"give one of {', '.join(allowed)}{own}.{hint}")

    return Kind(read, metavar, tuple(allowed))


def whole(lowest: int = 1, words: Sequence[str] = (), highest: int | None = None) -> Kind:
    """Makes the kind of a whole number.

    Args:
        lowest: The lowest allowed.
        words: What is allowed in its place.
        highest: The highest allowed; None for any.

    Returns:
        The kind.

    Example:
        >>> whole(1, ["none"]).read("12"), whole(1, ["none"]).read("none")
        (12, 'none')
    """

    def read(value: Any) -> int | str:
        if value in words:
            return value
        number = _whole(value)
        if number is None or number < lowest or (highest is not None and number > highest):
            span = f"from {lowest} on" if highest is None else f"from {lowest} to {highest}"
            others = "".join(f", or {word}" for word in words)
            raise ValueError(f"give a whole number {span}{others}.")
        return number

    return Kind(read, "N", tuple(words))


def number() -> Kind:
    """Makes the kind of a number from 0 on.

    Returns:
        The kind.
    """

    def read(value: Any) -> float:
        found = _number(value)
        if found is None or found < 0:
            raise ValueError("give a number from 0 on.")
        return found

    return Kind(read, "X")


def seconds() -> Kind:
    """Makes the kind of a time: seconds, or a number with s, m, h or d behind it.

    Returns:
        The kind; its values are seconds.

    Example:
        >>> seconds().read("1.5h"), seconds().read(90)
        (5400.0, 90.0)
    """

    def read(value: Any) -> float:
        parsed = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
        found = float(parsed[1]) * _SECONDS[parsed[2]] if parsed else _number(value)
        if found is None or not 0 < found < math.inf:
            raise ValueError("give seconds, above 0, or a time such as 90s, 15m or 2h.")
        return found

    return Kind(read, "TIME")


def minutes() -> Kind:
    """Makes the kind of a number of minutes.

    Returns:
        The kind.

    Example:
        >>> minutes().read("10")
        10.0
    """

    def read(value: Any) -> float:
        found = _number(value)
        if found is None or not 0 < found < math.inf:
            raise ValueError("give a number of minutes, above 0, such as 10.")
        return found

    return Kind(read, "N")


def flag(words: Sequence[str] = ()) -> Kind:
    """Makes the kind of what is true or false.

    Args:
        words: What is allowed besides.

    Returns:
        The kind.

    Example:
        >>> flag(["auto"]).read("true"), flag(["auto"]).read("auto")
        (True, 'auto')
    """
    meant: dict[str, bool | str] = {"true": True, "false": False, **{word: word for word in words}}

    def read(value: Any) -> bool | str:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value in meant:
            return meant[value]
        raise ValueError(f"give {', '.join(list(meant)[:-1])} or {list(meant)[-1]}.")

    return Kind(read, "|".join(meant), tuple(meant))


def objective(names: Sequence[str]) -> Kind:
    """Makes the kind of an objective: a name, or `name:max` and `name:min`.

    Args:
        names: What the shell completes; of all else a name or a direction must tell what is better.

    Returns:
        The kind.

    Example:
        >>> objective(["latency"]).read("val_acuracy")
        Traceback (most recent call last):
        ValueError: whether more or less of it is better is not known. Did you mean ...
    """

    def read(value: Any) -> str:
        name, _, direction = text().read(value).rpartition(":")
        if name and direction not in ("min", "max"):
            raise ValueError("say :max or :min, as in my_metric:max.")
        if name or value in names or metric_direction(value) is not None:
            return value
        hint = did_you_mean(value, [*names, *METRICS])
        raise ValueError(
            f"whether more or less of it is better is not known.{hint} Of a "
            f"metric of your own say it: {value}:max or {value}:min."
        )

    return Kind(read, names=tuple(names))


def several(kind: Kind, metavar: str) -> Kind:
    """Makes the kind of one or more values: a list in a file, with commas between them in a shell.

    Args:
        kind: What each of them may be.
        metavar: What stands for them in `--help`.

    Returns:
        The kind; its values are lists.

    Example:
        >>> several(text(), "NAMES").read("val_accuracy, latency")
        ['val_accuracy', 'latency']
    """

    def read(value: Any) -> list[Any]:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list):
            parts = [parts]
        if not parts:
            raise ValueError("give at least one.")
        return [kind.read(part.strip() if isinstance(part, str) else part) for part in parts]

    return Kind(read, metavar, kind.names)


def size() -> Kind:
    """Makes the kind of an image's size: one number, or height and width with a comma.

    Returns:
        The kind; its values are lists of height and width.

    Example:
        >>> size().read("64"), size().read("48, 64")
        ([64, 64], [48, 64])
    """

    def read(value: Any) -> list[int]:
        found = several(whole(), "").read(value)
        if len(found) > 2:
            raise ValueError("give one number of pixels, or height and width.")
        return [found[0], found[-1]]

    return Kind(read, "PIXELS")


def _whole(value: Any) -> int | None:
    """The whole number that a value is or writes, if it is one."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def _number(value: Any) -> float | None:
    """The number that a value is or writes, if it is one."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(found) else found
