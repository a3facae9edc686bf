"""Data that are made where they are used."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

import keras

_DATA = ("x", "y", "validation_data")


def make_data(
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
        >>> make_data((lambda: [1, 2],), {"epochs": 3})
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


def validation_samples(
    fit_args: tuple[Any, ...], fit_kwargs: Mapping[str, Any], on_folds: bool = False
) -> int | None:
    """Counts the samples that a model is validated on.

    Args:
        fit_args: Positional arguments of `search`.
        fit_kwargs: Keyword arguments of `search`.
        on_folds: Whether each sample is validated on in one of several folds.

    Returns:
        Their number; None where the data are not in memory, or only a part is used.

    Example:
        >>> import numpy as np
        >>> validation_samples((np.ones((10, 3)),), {"validation_split": 0.2})
        2
    """
    given = fit_kwargs.get("validation_data")
    if fit_kwargs.get("validation_steps") is not None:
        return None
    if given is not None:
        return _samples(given[0] if isinstance(given, list | tuple) and given else given)
    count = _samples(fit_kwargs.get("x", fit_args[0] if fit_args else None))
    if count is None or on_folds:
        return count
    # As Keras splits: the last samples.
    return count - math.floor(count * (1.0 - (fit_kwargs.get("validation_split") or 0.0))) or None


def _samples(values: Any) -> int | None:
    """How many samples arrays have; other data, a pipeline's batches, are not counted."""
    first: Any = next((leaf for leaf in keras.tree.flatten(values) if leaf is not None), None)
    return first.shape[0] if getattr(first, "ndim", 0) else None


def _called(value: Any) -> Any:
    return value() if callable(value) else value
