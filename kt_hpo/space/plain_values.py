"""The values and ranges that users give, as plain values of Python."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from kt_hpo.space.continuation import is_reserved

# What Optuna and numpy hold as an integer.
_LONGEST = 2**63 - 1


def plain(value: Any) -> Any:
    """Turns a scalar of numpy into Python's.

    Args:
        value: Anything.

    Returns:
        A bool, int, float or str for a scalar (or an array without dimensions) of numpy; all else
        as it is.

    Example:
        >>> plain(np.float64(0.5)), plain(np.bool_(True)), plain("relu")
        (0.5, True, 'relu')
    """
    is_scalar = isinstance(value, np.generic) or (isinstance(value, np.ndarray) and not value.ndim)
    return value.item() if is_scalar else value


def name_of(name: Any) -> str:
    """Checks the name of a hyperparameter.

    Args:
        name: What was given.

    Returns:
        The name.

    Raises:
        ValueError: If it is not a text, is empty, or is one of those that a search needs itself.
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError(
            f"A hyperparameter cannot be named {name!r}; give a text that is not empty, such as "
            "hp.Int('units', 32, 512)."
        )
    if is_reserved(name):
        raise ValueError(
            f"A hyperparameter cannot be named {name!r}: names that start with 'tuner/' tell where "
            "a trial stands in its search. Give it another name."
        )
    return str(name)


def number(where: str, name: str, value: Any, whole: bool = False) -> Any:
    """Checks a number.

    Args:
        where: The call it was given to.
        name: The argument's name.
        value: What was given.
        whole: Whether it has to be a whole number.

    Returns:
        An int where `whole`, else a float.

    Raises:
        ValueError: If it is no finite number, or not whole.
    """
    value = plain(value)
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if is_number and whole and isinstance(value, int):
        if abs(value) <= _LONGEST:
            return value
    elif is_number and _is_finite(value) and not (whole and value != int(value)):
        return int(value) if whole else float(value)
    kind = f"whole number within ±{_LONGEST:,}" if whole else "finite number"
    raise ValueError(f"{where}: {name}={value!r} is not allowed; give a {kind}.{_hint(value)}")


def choices(where: str, values: Any) -> list[Any]:
    """Checks the values of a choice.

    Args:
        where: The call they were given to.
        values: What was given.

    Returns:
        The values as a list, all str, all bool, all int or all float; a mix of the last two as
        floats.

    Raises:
        TypeError: If they are not in an order, of different kinds, or of a kind that no record
            keeps.
        ValueError: If there are none, or one is not finite.
    """
    if isinstance(values, np.ndarray) or hasattr(values, "to_numpy"):
        values = np.asarray(values).tolist()
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        raise TypeError(f"{where}: {values!r} is no list of values.{_instead_of(values)}")
    listed = [plain(value) for value in values]
    if not listed:
        raise ValueError(f"{where}: there is nothing to choose from; give at least one value.")
    for value in listed:
        if not isinstance(value, bool | int | float | str):
            raise TypeError(
                f"{where}: {value!r} cannot be a choice; a value is a str, bool, int or float. "
                f"{_by_name(value)}"
            )
        if not isinstance(value, str) and not _is_finite(value):
            raise ValueError(
                f"{where}: {value!r} is not finite, so it cannot be a choice. {_by_name(value)}"
            )
    kinds = {_kind(value) for value in listed}
    if kinds == {int, float}:
        return [float(value) for value in listed]
    if len(kinds) > 1:
        found = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise TypeError(
            f"{where}: the values are of several kinds ({found}); give values of one kind. "
            f"{_by_name(listed[0])}"
        )
    return [next(iter(kinds))(value) for value in listed]


def one_of(where: str, value: Any, values: Sequence[Any]) -> Any:
    """Checks the default of a choice.

    Args:
        where: The call it was given to.
        value: What was given.
        values: What there is to choose from.

    Returns:
        The one of the values that it is.

    Raises:
        ValueError: If it is none of them.
    """
    value = plain(value)
    for known in values if isinstance(value, bool | int | float | str) else ():
        if isinstance(value, bool) == isinstance(known, bool) and value == known:
            return known
    listed = ", ".join(map(repr, values))
    raise ValueError(
        f"{where}: default={value!r} is not one of the choices; give one of {listed}, or leave it "
        "out."
    )


def truth(where: str, name: str, value: Any) -> bool:
    """Checks a bool.

    Args:
        where: The call it was given to.
        name: The argument's name.
        value: What was given.

    Returns:
        The bool.

    Raises:
        ValueError: If it is something else.
    """
    value = plain(value)
    if not isinstance(value, bool):
        raise ValueError(f"{where}: {name}={value!r} is not allowed; give True or False.")
    return value


def fixed(where: str, value: Any) -> bool | int | float | str:
    """Checks a value that is not searched.

    Args:
        where: The call it was given to.
        value: What was given.

    Returns:
        The value.

    Raises:
        ValueError: If no record keeps it.
    """
    value = plain(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool | int | float) and _is_finite(value):
        return value
    raise ValueError(
        f"{where}: value={value!r} is not allowed; give a str, bool, int or finite float. What is "
        "not searched need not be a hyperparameter: use it in the code as it is."
    )


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # An integer beyond all floats.
        return False


def _kind(value: Any) -> type:
    return next(kind for kind in (bool, int, float, str) if isinstance(value, kind))


def _hint(value: Any) -> str:
    """Says how a number is written that was given as something else."""
    if isinstance(value, str):
        try:
            return f" Without the quotes {float(value):g} is one."
        except ValueError:
            return ""
    return " For True or False there is hp.Boolean." if isinstance(value, bool) else ""


def _instead_of(values: Any) -> str:
    if isinstance(values, str):
        return f" For one value give it within brackets, [{values!r}]."
    if isinstance(values, dict):
        return (
            f" Choose one of its keys, and look its value up: options[hp.Choice(name, "
            f"{list(values)!r})]."
        )
    if isinstance(values, set | frozenset):
        return " A set has no order, so no search could be repeated. Give sorted(values)."
    return " Give a list, a tuple, a range or an array, such as [16, 32]."


def _by_name(value: Any) -> str:
    """Says how to choose among what can be no choice."""
    if value is None:
        return (
            "For None choose a word, and translate it: name = hp.Choice('name', ['none', ...]); "
            "value = None if name == 'none' else name."
        )
    return (
        "Choose among names, and look the value up: "
        f"{{'first': {value!r}, ...}}[hp.Choice('name', ['first', ...])]."
    )
