"""Data that are made where they are used."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

_DATA = ("x", "y", "validation_data")


def made(
    fit_args: tuple[Any, ...], fit_kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Makes the data that were given as functions.

    A function travels to another process where a pipeline, a generator or a data base does not.

    Args:
        fit_args: Positional arguments of `search`.
        fit_kwargs: Keyword arguments of `search`.

    Returns:
        The same, with what the functions returned in their place.

    Example:
        >>> made((lambda: [1, 2],), {"epochs": 3})
        (([1, 2],), {'epochs': 3})
    """
    kwargs = {
        name: _called(value) if name in _DATA else value for name, value in fit_kwargs.items()
    }
    return tuple(map(_called, fit_args)), kwargs


def validates(epoch: int, validation_freq: int | Collection[int]) -> bool:
    """Tells whether an epoch ends with a validation.

    Args:
        epoch: The epoch, counted from 0.
        validation_freq: As in `model.fit`, where epochs are counted from 1.

    Returns:
        Whether it does, if there are validation data.

    Example:
        >>> validates(1, 2), validates(1, [1, 10])
        (True, False)
    """
    if isinstance(validation_freq, Collection):
        return epoch + 1 in validation_freq
    return (epoch + 1) % validation_freq == 0


def _called(value: Any) -> Any:
    return value() if callable(value) else value
