"""Ranges of numbers: what is allowed of them, and which values their steps reach."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, TypeAlias

from keras_tuner.engine.hyperparameters import Float, Int

from kt_hpo.space.plain_values import number

Numerical: TypeAlias = Int | Float
_SAMPLINGS = ("linear", "log", "reverse_log")

# Steps that are fewer can be counted exactly.
_MOST_VALUES = 2**53


def sampling_of(where: str, sampling: Any) -> str:
    """Checks the sampling.

    Args:
        where: The call it was given to.
        sampling: What was given; None is Keras Tuner's old word for linear.

    Returns:
        One of linear, log and reverse_log.

    Raises:
        ValueError: If it is something else.
    """
    if sampling is None:
        return "linear"
    if not isinstance(sampling, str) or sampling.lower() not in _SAMPLINGS:
        raise ValueError(
            f"{where}: sampling={sampling!r} is not allowed; give one of {', '.join(_SAMPLINGS)}."
        )
    return sampling.lower()


def check_range(
    where: str, low: float, high: float, step: float | None = None, sampling: str = "linear"
) -> None:
    """Checks a range and its step.

    Args:
        where: The call they were given to.
        low: The lowest value.
        high: The highest value.
        step: Distance or ratio of two values.
        sampling: What `sampling_of` returned.

    Raises:
        ValueError: If there are no values between the ends, none for the sampling, or the step
            leads nowhere.
    """
    if low > high:
        raise ValueError(
            f"{where}: min_value={low!r} is greater than the max_value={high!r}; give the lower "
            "one first."
        )
    if not math.isfinite(float(high) - float(low)):
        raise ValueError(f"{where}: {low!r} to {high!r} is too wide a range; narrow it.")
    if sampling != "linear" and low <= 0:
        raise ValueError(
            f"{where}: sampling={sampling!r} needs a min_value above 0, not {low!r}; give "
            'one, or sampling="linear".'
        )
    if step is None:
        return
    lowest = 0 if sampling == "linear" else 1
    if step <= lowest:
        role = "distance of" if sampling == "linear" else "factor between"
        raise ValueError(
            f"{where}: step={step!r} is not allowed; it is the {role} two values, so give one "
            f"above {lowest}, or leave it out."
        )
    if sampling == "linear" and (high - low) / step > _MOST_VALUES:
        raise ValueError(
            f"{where}: step={step!r} is too small for {low!r} to {high!r}; leave it out."
        )


def default_of(where: str, asked: Numerical, default: Any, whole: bool = False) -> Any:
    """Checks that the default is one of the values.

    Args:
        where: The call it was given to.
        asked: A hyperparameter.
        default: What was given.
        whole: Whether it has to be a whole number.

    Returns:
        The default; None where none was given.

    Raises:
        ValueError: If it is none of the values.
    """
    if default is None:
        return None
    default = number(where, "default", default, whole=whole)
    low, high = asked.min_value, asked.max_value
    if not low <= default <= high:
        raise ValueError(
            f"{where}: default={default!r} is outside of the range; give a number from {low!r} to "
            f"{high!r}, or leave it out for {lowest(asked):g}."
        )
    if asked.step is not None and not is_on_step(asked, default):
        near = value_at(asked, nearest(asked, default))
        raise ValueError(
            f"{where}: default={default!r} is not on a step of {asked.step!r} from {low!r}; give "
            f"one of the values, such as {near:g}, or leave it out for {lowest(asked):g}."
        )
    return default


def count(asked: Numerical) -> int:
    """Counts the values of a stepped hyperparameter.

    Args:
        asked: A hyperparameter with a step.

    Returns:
        Their number.

    Example:
        >>> count(Int("units", 32, 512, step=32)), count(Int("units", 8, 64, 2, sampling="log"))
        (16, 4)
    """
    low, high, step = asked.min_value, asked.max_value, asked.step
    if asked.sampling != "linear":
        return int(math.log(high / low, step) + 1e-8) + 1
    if isinstance(low, int) and isinstance(step, int):
        return (high - low) // step + 1
    return math.floor((high - low) / step + 1e-8) + 1


def value_at(asked: Numerical, index: int) -> float:
    """Gives a value of a stepped hyperparameter, never one outside of its range.

    Args:
        asked: A hyperparameter with a step.
        index: Which one, from 0 on.

    Returns:
        The value; linear steps are exact decimals.

    Example:
        >>> value_at(Float("rate", 0.0, 0.5, step=0.1), 3)
        0.3
    """
    low, high, step = asked.min_value, asked.max_value, asked.step
    if asked.sampling != "linear":
        power = low * math.pow(step, index)
        value = power if asked.sampling == "log" else high + low - power
    elif isinstance(low, int) and isinstance(step, int):
        return low + index * step
    else:
        value = float(Decimal(str(low)) + index * Decimal(str(step)))
    return min(max(value, low), high)


def lowest(asked: Numerical) -> float:
    """Finds the lowest value that a hyperparameter has.

    Args:
        asked: A hyperparameter.

    Returns:
        Its minimum; what is next to it, where steps are counted down from the maximum.
    """
    if asked.step is None or asked.sampling != "reverse_log":
        return asked.min_value
    return value_at(asked, count(asked) - 1)


def is_on_step(asked: Numerical, value: float) -> bool:
    """Tells whether a number is one of the values of a stepped hyperparameter.

    Args:
        asked: A hyperparameter with a step.
        value: A number within its range.

    Returns:
        Whether it is, but for rounding.

    Example:
        >>> from keras_tuner.engine.hyperparameters import Int
        >>> is_on_step(Int("units", 32, 512, step=32), 64), is_on_step(Int("x", 0, 9, step=3), 5)
        (True, False)
    """
    reached = float(value_at(asked, nearest(asked, value)))
    if isinstance(asked.min_value, int):
        return int(reached) == value
    return math.isclose(reached, value, rel_tol=1e-6, abs_tol=1e-9 * (asked.step or 1.0))


def nearest(asked: Numerical, value: float) -> int:
    """Finds the value of a stepped hyperparameter that is nearest to a number.

    Args:
        asked: A hyperparameter with a step.
        value: A number within its range.

    Returns:
        The index of the value.
    """
    low, high, step = asked.min_value, asked.max_value, asked.step
    assert step is not None
    if asked.sampling == "linear":
        place = (value - low) / step
    else:
        # The reverse one counts its steps down from the maximum.
        rising = value if asked.sampling == "log" else high + low - value
        place = math.log(max(rising, low) / low, step)
    last = count(asked) - 1
    guess = min(max(round(place), 0), last)
    return min(
        (guess + by for by in _steps_beside(asked, guess)),
        key=lambda index: abs(value_at(asked, index) - value),
    )


def value_of(asked: Numerical, prob: float) -> float:
    """Turns a number into a value of a stepped hyperparameter.

    Args:
        asked: A hyperparameter with a step.
        prob: A number from 0 to 1.

    Returns:
        The value; each has an equal part of these numbers.

    Example:
        >>> value_of(Float("rate", 0.0, 0.5, step=0.1), 0.99)
        0.5
    """
    values = count(asked)
    return value_at(asked, min(math.floor(prob / (1 / values)), values - 1))


def prob_of(asked: Numerical, value: float) -> float:
    """Turns a value of a stepped hyperparameter into a number.

    Args:
        asked: A hyperparameter with a step.
        value: A number within its range.

    Returns:
        The middle of the numbers from 0 to 1 that `value_of` turns into the nearest value.

    Example:
        >>> prob_of(Float("rate", 0.0, 0.5, step=0.1), 0.5)
        0.9166666666666666
    """
    return (nearest(asked, value) + 0.5) / count(asked)


def _steps_beside(asked: Numerical, index: int) -> list[int]:
    """Which of a step back, none and a step on stay within the values."""
    return [by for by in (0, -1, 1) if 0 <= index + by < count(asked)]
