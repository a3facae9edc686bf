"""A range of values, written as a constructor argument.

A tuple `(low, high)` is a range of numbers, a list is a choice, and anything else is one value that
is not searched. `WithDefault` adds the value that is tried first.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import keras_tuner

Range = Any

PRESETS = ("small", "wide")


@dataclass(frozen=True)
class WithDefault:
    """A range, and the value that a search tries first.

    Args:
        values: `(low, high)`, a list of choices, or one value.
        default: The value; where the range has it not, the nearest end of the range, or the first
            choice, takes its place.

    Example:
        >>> pick(keras_tuner.HyperParameters(), "units", WithDefault((16, 256), 64))
        64
    """

    values: Range
    default: Any


@dataclass(frozen=True)
class Numbers:
    """What a hypermodel's argument is unless it is given: a range of numbers.

    Args:
        small: The range of a small search.
        wide: The range of a wide one.
        default: The value to try first.
        low: The lowest number that may be given.
        high: The highest one.
    """

    small: Range
    wide: Range
    default: Any
    low: float = 0
    high: float = math.inf

    def range_of(self, name: str, given: Range, preset: str) -> WithDefault:
        """Checks what an argument is given, and fills in what it is not.

        Args:
            name: The argument's name.
            given: A range; None for that of the preset.
            preset: One of `PRESETS`.

        Returns:
            The range with its default.

        Raises:
            ValueError: If it is not allowed.

        Example:
            >>> Numbers((1, 2), (1, 4), default=1, low=1).range_of("layers", None, "wide")
            WithDefault(values=(1, 4), default=1)
        """
        chosen = _filled_in(self, given, preset)
        check_numbers(name, chosen, self.low, self.high)
        return chosen


@dataclass(frozen=True)
class Names:
    """What a hypermodel's argument is unless it is given: a choice of names.

    Args:
        small: The choice of a small search.
        wide: The choice of a wide one.
        default: The name to try first.
        allowed: The names that may be given.
    """

    small: Range
    wide: Range
    default: str
    allowed: Sequence[str]

    def range_of(self, name: str, given: Range, preset: str) -> WithDefault:
        """Checks what an argument is given, and fills in what it is not.

        Args:
            name: The argument's name.
            given: A name, or several to choose from; None for those of the preset.
            preset: One of `PRESETS`.

        Returns:
            The names with their default.

        Raises:
            ValueError: If one is not allowed.

        Example:
            >>> poolings = Names("max", ["max", "average"], "max", ("max", "average"))
            >>> poolings.range_of("pooling", "average", "small")
            WithDefault(values='average', default='max')
        """
        chosen = _filled_in(self, given, preset)
        check_names(name, chosen, self.allowed)
        return chosen


def _filled_in(argument: Numbers | Names, given: Range, preset: str) -> WithDefault:
    if isinstance(given, WithDefault):
        return given
    ours = argument.wide if preset == "wide" else argument.small
    return WithDefault(ours if given is None else given, argument.default)


def pick(
    hp: keras_tuner.HyperParameters,
    name: str,
    values: Range,
    sampling: str = "linear",
    default: Any = None,
) -> Any:
    """Asks for a hyperparameter with a range that was written as an argument.

    Args:
        hp: The hyperparameters of a build.
        name: Name of the hyperparameter.
        values: `(low, high)`, two ints or floats; a list of choices; one value; or a
            `WithDefault`.
        sampling: Of a range: `"linear"`, `"log"` or `"reverse_log"`.
        default: The value to try first, unless `values` says; None for the lowest or first one.

    Returns:
        The value; None in a conditional scope that is not active.

    Example:
        >>> hp = keras_tuner.HyperParameters()
        >>> pick(hp, "units", (16, 64)), pick(hp, "activation", ["relu", "gelu"], default="gelu")
        (16, 'gelu')
    """
    if isinstance(values, WithDefault):
        values, default = values.values, values.default
    if isinstance(values, list):
        return hp.Choice(name, values, default=default if default in values else values[0])
    if isinstance(values, tuple):
        low, high = values
        first = low if default is None else min(max(default, low), high)
        if isinstance(low, int) and isinstance(high, int):
            return hp.Int(name, low, high, sampling=sampling, default=round(first))
        return hp.Float(name, low, high, sampling=sampling, default=float(first))
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
    values = _plain(values)
    if isinstance(values, tuple):
        return list(range(values[0], values[1] + 1))
    return values if isinstance(values, list) else [values]


def searched(values: Range) -> bool:
    """Tells whether a range leaves anything to search.

    Args:
        values: As for `pick`.

    Returns:
        False for one value.

    Example:
        >>> searched((1, 3)), searched(["a"]), searched(0.5)
        (True, False, False)
    """
    values = _plain(values)
    if isinstance(values, tuple):
        return values[0] != values[1]
    return isinstance(values, list) and len(values) > 1


def check_numbers(name: str, values: Range, low: float, high: float = math.inf) -> None:
    """Checks a range of numbers.

    Args:
        name: The argument's name.
        values: As for `pick`.
        low: Lowest number allowed.
        high: Highest number allowed.

    Raises:
        ValueError: If it is no range, a choice or a number within the bounds.
    """
    first = [values.default] if isinstance(values, WithDefault) else []
    values = _plain(values)
    numbers = list(values) if isinstance(values, tuple | list) else [values]
    allowed = bool(numbers) and all(_is_within(number, low, high) for number in numbers + first)
    if isinstance(values, tuple):
        allowed = allowed and len(values) == 2 and values[0] <= values[1]
    if not allowed:
        upper = "" if high == math.inf else f" to {high}"
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
    if not sides or not all(isinstance(side, Integral) and _is_within(side, 1) for side in sides):
        raise ValueError(
            f"input_shape={shape!r} is not allowed: give the shape of one sample, such as (28, 28)."
        )


def check_image(input_shape: Any) -> None:
    """Checks the shape of an image.

    Args:
        input_shape: Height and width, or height, width and channels.

    Raises:
        ValueError: If it is something else.
    """
    check_shape(input_shape)
    if len(input_shape) not in (2, 3):
        raise ValueError(
            f"input_shape={input_shape!r} is no image: give (height, width) or (height, width, "
            "channels). For tables there is TabularHyperModel, for sequences SequenceHyperModel, "
            "for anything else MLPHyperModel."
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
    values = _plain(values)
    for value in values if isinstance(values, list) and values else [values]:
        if not isinstance(value, str) or value not in allowed:
            close = difflib.get_close_matches(str(value), allowed, n=1, cutoff=0.4)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ValueError(
                f"{name}={value!r} is not one of {', '.join(allowed)}.{hint} "
                "Give one of them, or a list to search."
            )


def check_scale(target_scale: Any) -> None:
    """Checks the mean and standard deviation of targets.

    Args:
        target_scale: `(mean, standard deviation)`, or None.

    Raises:
        ValueError: If it is something else, or the deviation is not above 0.
    """
    if target_scale is None:
        return
    pair = list(target_scale) if isinstance(target_scale, tuple | list) else []
    finite = [number for number in pair if _is_within(number, -math.inf) and abs(number) < math.inf]
    if len(pair) != 2 or len(finite) != 2 or pair[1] <= 0:
        raise ValueError(
            f"target_scale={target_scale!r} is not allowed: give the mean and the standard "
            "deviation of the training targets, (float(y.mean()), float(y.std())), or None. "
            "Targets that are all alike, with a deviation of 0, leave nothing to learn."
        )


def _plain(values: Range) -> Range:
    return values.values if isinstance(values, WithDefault) else values


def _is_within(number: Any, low: float, high: float = math.inf) -> bool:
    is_number = isinstance(number, Real) and not isinstance(number, bool)
    return is_number and low <= number <= high
