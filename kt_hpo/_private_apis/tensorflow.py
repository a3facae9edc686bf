"""What TensorFlow keeps to itself."""

from __future__ import annotations

from typing import Any


def gradient_registry() -> dict[str, Any]:
    """Gives the table in which TensorFlow keeps the gradients of all graphs.

    Returns:
        The table; an empty one without the name of today: graphs stay in memory then.

    Example:
        >>> isinstance(gradient_registry(), dict)
        True
    """
    try:
        from tensorflow.python.framework import ops

        return ops.gradient_registry._registry
    except (ImportError, AttributeError):
        return {}
