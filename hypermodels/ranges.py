"""A range of values, written as a constructor argument.

A tuple `(low, high)` is a range of numbers, a list is a choice, and anything else is one value that
is not searched.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import keras_tuner

Range = Any


def pick(
    hp: keras_tuner.HyperParameters, name: str, values: Range, sampling: str = "linear"
) -> Any:
    """Asks for a hyperparameter with a range that was written as an argument.

    Args:
        hp: The hyperparameters of a build.
        name: Name of the hyperparameter.
        values: `(low, high)`, two ints or floats; a list of choices; or one value.
        sampling: Of a range: `"linear"`, `"log"` or `"reverse_log"`.

    Returns:
        The value; None in a conditional scope that is not active.

    Example:
        >>> hp = keras_tuner.HyperParameters()
        >>> pick(hp, "units", (16, 64)), pick(hp, "activation", ["relu", "gelu"])
        (16, 'relu')
    """
    if isinstance(values, list):
        return hp.Choice(name, values)
    if isinstance(values, tuple):
        low, high = values
        ask = hp.Int if isinstance(low, int) and isinstance(high, int) else hp.Float
        return ask(name, low, high, sampling=sampling)
    return hp.Fixed(name, values)


def possible(values: Range) -> list[Any]:
    """Lists the values of a range of whole numbers, a choice or one value.

    Args:
        values: As for `pick`.

    Returns:
        The values, in order.

    Example:
        >>> possible((1, 3)), possible(["a"]), possible(5)
        ([1, 2, 3], ['a'], [5])
    """
    if isinstance(values, tuple):
        return list(range(values[0], values[1] + 1))
    return values if isinstance(values, list) else [values]


def check_numbers(name: str, values: Range, low: float, high: float = float("inf")) -> None:
    """Checks a range of numbers.

    Args:
        name: The argument's name.
        values: As for `pick`.
        low: Lowest number allowed.
        high: Highest number allowed.

    Raises:
        ValueError: If it is no range, a choice or a number within the bounds.
    """
    numbers = list(values) if isinstance(values, tuple | list) else [values]
    allowed = bool(numbers) and all(_is_within(number, low, high) for number in numbers)
    if isinstance(values, tuple):
        allowed = allowed and len(values) == 2 and values[0] <= values[1]
    if not allowed:
        upper = "" if high == float("inf") else f" to {high}"
        raise ValueError(
            f"{name}={values!r} is not allowed: give a range (low, high), a list of choices or one "
            f"value, of numbers from {low}{upper}."
        )


def check_shape(shape: Any) -> None:
    """Checks the shape of a sample.

    Args:
        shape: Whole numbers from 1 on.

    Raises:
        ValueError: If it is something else.
    """
    sides = list(shape) if isinstance(shape, tuple | list) else []
    if not sides or not all(_is_within(side, 1, float("inf")) for side in sides):
        raise ValueError(
            f"input_shape={shape!r} is not allowed: give the shape of one sample, such as (28, 28)."
        )


def check_names(name: str, values: Range, allowed: Sequence[str]) -> None:
    """Checks a choice of names.

    Args:
        name: The argument's name.
        values: A list of names, or one.
        allowed: The names there are.

    Raises:
        ValueError: If one is not allowed; the nearest is suggested.
    """
    for value in values if isinstance(values, list) else [values]:
        if not isinstance(value, str) or value not in allowed:
            close = difflib.get_close_matches(str(value), allowed, n=1, cutoff=0.4)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ValueError(
                f"{name}={value!r} is not one of {', '.join(allowed)}.{hint} "
                "Give one of them, or a list to search."
            )


def _is_within(number: Any, low: float, high: float) -> bool:
    return (
        isinstance(number, int | float) and not isinstance(number, bool) and low <= number <= high
    )
