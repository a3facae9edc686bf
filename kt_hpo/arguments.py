"""What is said of arguments that are not allowed."""

from __future__ import annotations

import difflib
import math
import numbers
import os
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import Any


def is_whole(number: Any) -> bool:
    """Tells whether something is a whole number: Python's or NumPy's, but no bool.

    Args:
        number: Anything.

    Returns:
        Whether it is one.

    Example:
        >>> is_whole(2), is_whole(True), is_whole(2.0)
        (True, False, False)
    """
    return isinstance(number, numbers.Integral) and not isinstance(number, bool)


def is_number(number: Any) -> bool:
    """Tells whether something is a finite number: Python's or NumPy's, but no bool.

    Args:
        number: Anything.

    Returns:
        Whether it is one.

    Example:
        >>> is_number(0.5), is_number(float("nan")), is_number("1")
        (True, False, False)
    """
    is_real = isinstance(number, numbers.Real) and not isinstance(number, bool)
    return is_real and math.isfinite(number)


def is_one_of(value: Any, names: Iterable[str]) -> bool:
    """Whether a value is one of some names; what compares in its own way, as arrays do, is none.

    Args:
        value: Anything.
        names: The names.

    Returns:
        Whether it is a string and one of them.

    Example:
        >>> [is_one_of(value, ("csv", "json")) for value in ("csv", "xml", [1, 2], None)]
        [True, False, False, False]
    """
    return isinstance(value, str) and value in names


def check_whole(lowest: int = 1, **given: Any) -> None:
    """Refuses arguments that are no whole numbers from some number on.

    Args:
        lowest: The lowest number allowed.
        **given: The arguments by name.

    Raises:
        ValueError: If one is something else.

    Example:
        >>> check_whole(max_epochs=3)
    """
    for name, number in given.items():
        if not is_whole(number) or number < lowest:
            raise ValueError(
                f"{name}={number!r} is not allowed; give a whole number from {lowest} on."
            )


def check_whole_or_none(what_none_means: str, lowest: int = 1, **given: Any) -> None:
    """Refuses arguments that are neither whole numbers from some number on nor None.

    Args:
        what_none_means: Completes "or None".
        lowest: The lowest number allowed.
        **given: The arguments by name.

    Raises:
        ValueError: If one is something else.

    Example:
        >>> check_whole_or_none("for no limit", max_trials=None)
    """
    for name, number in given.items():
        if number is not None and (not is_whole(number) or number < lowest):
            raise ValueError(
                f"{name}={number!r} is not allowed; give a whole number from {lowest} on, or None "
                f"{what_none_means}."
            )


def check_number(above: float = -math.inf, **given: Any) -> None:
    """Refuses arguments that are no finite numbers above some number.

    Args:
        above: The number they must be above.
        **given: The arguments by name.

    Raises:
        ValueError: If one is something else.

    Example:
        >>> check_number(0, alpha=1e-4)
    """
    for name, number in given.items():
        if not is_number(number) or number <= above:
            limit = "" if above == -math.inf else f" above {above:g}"
            raise ValueError(f"{name}={number!r} is not allowed; give a number{limit}.")


def check_flag(**given: Any) -> None:
    """Refuses arguments that are neither True nor False.

    Args:
        **given: The arguments by name.

    Raises:
        ValueError: If one is something else.

    Example:
        >>> check_flag(overwrite=True)
    """
    for name, flag in given.items():
        if type(flag).__name__ not in ("bool", "bool_"):
            raise ValueError(f"{name}={flag!r} is not allowed; give True or False.")


def check_name_in_path(what: str, name: Any) -> str:
    """Refuses a name from elsewhere that would lead out of the directory it is a part of.

    Args:
        what: What it is the name of, as a message calls it.
        name: The name.

    Returns:
        The name.

    Raises:
        ValueError: If it is no plain name of a file or directory.

    Example:
        >>> check_name_in_path("study", "digits")
        'digits'
    """
    plain = isinstance(name, str) and name.strip() not in ("", ".", "..")
    if not plain or any(sign in name for sign in ("/", "\\", "\0")):
        raise ValueError(
            f"The {what} is called {name!r}, which cannot be the name of a directory. Give a "
            "plain name, without slashes, with project_name=."
        )
    return name


def check_place(directory: Any, project_name: Any) -> None:
    """Refuses a directory, or a project's name in it, that is no path or leads elsewhere.

    Args:
        directory: Where projects are; None for the current directory.
        project_name: Directory of a project within it; None for the default.

    Raises:
        ValueError: If one is something else.

    Example:
        >>> check_place("runs", "digits/mlp")
    """
    if directory is not None and not isinstance(directory, str | os.PathLike):
        raise ValueError(f"directory={directory!r} is not allowed; give a path, such as 'runs'.")
    if project_name is None:
        return
    if not isinstance(project_name, str | os.PathLike) or not str(project_name).strip():
        raise ValueError(
            f"project_name={project_name!r} is not allowed; give a text, such as 'digits'."
        )
    path = PurePath(project_name)
    if path.is_absolute() or ".." in path.parts or "\0" in str(project_name):
        raise ValueError(
            f"project_name={str(project_name)!r} leads out of directory=, where the project is to "
            "be. Give a name without '..', and the path before it as directory=."
        )


def file_within(folder: Path, name: Any) -> Path | None:
    """Finds a file that a record names, which somebody else may have written.

    Args:
        folder: Folder of the project the record is of.
        name: The file's path within it.

    Returns:
        The path; None if there is no such file, or it leads out of the folder, by `..`, as an
        absolute path or as a link.

    Example:
        >>> file_within(Path("runs"), "../../etc/passwd") is None
        True
    """
    if not isinstance(name, str) or "\0" in name:
        return None
    path = folder / name
    inside = path.resolve().is_relative_to(folder.resolve())
    return path if inside and path.is_file() else None


def did_you_mean(name: str, allowed: Iterable[str], cutoff: float = 0.6) -> str:
    """Suggests the name that was meant.

    Args:
        name: What was given.
        allowed: What may be.
        cutoff: How alike two names must be, from 0 to 1.

    Returns:
        A sentence with a space before it; nothing if no name is near.

    Example:
        >>> did_you_mean("medain", ["median", "asha"])
        " Did you mean 'median'?"
    """
    close = difflib.get_close_matches(name, list(allowed), n=1, cutoff=cutoff)
    return f" Did you mean {close[0]!r}?" if close else ""
