"""What TensorFlow Datasets keeps to itself."""

from __future__ import annotations

from typing import Any


def shows_progress(tfds: Any) -> bool:
    """Tells whether TensorFlow Datasets shows progress bars.

    Args:
        tfds: The package.

    Returns:
        Whether it does; True, as it does by itself, without the name of today.
    """
    return bool(getattr(tfds.core.utils.tqdm_utils, "_active", True))
