"""Whether a class or a function is Keras' own, or of the ready spaces."""

from __future__ import annotations

import sys
from typing import Any

_LIBRARIES = ("keras", "tensorflow", "jax", "jaxlib", "hypermodels")


def is_library(value: Any) -> bool:
    """Says whether a class or a function is Keras' own, of its backend, or of the ready spaces.

    Their configurations tell all of them.

    Args:
        value: A class or a function.

    Returns:
        Whether one of these libraries has this very object under its name.

    Example:
        >>> import keras
        >>> class Dense(keras.layers.Dense):
        ...     __module__ = keras.layers.Dense.__module__
        >>> is_library(keras.layers.Dense), is_library(Dense)
        (True, False)
    """
    module = getattr(value, "__module__", None) or ""
    name = getattr(value, "__qualname__", "")
    if module.partition(".")[0] not in _LIBRARIES:
        return False
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    # A decorated function stands under the name of what it decorates.
    return found is not None and (found is value or getattr(found, "__wrapped__", None) is value)
