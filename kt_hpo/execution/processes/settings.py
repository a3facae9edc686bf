"""Settings of Keras that hold for a whole process, taken along to the workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras


def current() -> dict[str, Any]:
    """Reads the settings of this process.

    Returns:
        Settings by their names in `keras.config`.

    Example:
        >>> current()["floatx"]
        'float32'
    """
    return {
        "floatx": keras.config.floatx(),
        "epsilon": keras.config.epsilon(),
        "image_data_format": keras.config.image_data_format(),
        "dtype_policy": keras.config.dtype_policy().name,
    }


def adopt(settings: Mapping[str, Any]) -> None:
    """Makes the settings of another process this one's.

    Args:
        settings: What `current` gave there.
    """
    for name, value in settings.items():
        getattr(keras.config, f"set_{name}")(value)
