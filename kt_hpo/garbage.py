"""When garbage is collected."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collections() -> Iterator[None]:
    """Leaves garbage collections out while much is read that stays.

    Each would look at all that was read before: measured, half of the time of 10,000 trials.

    Yields:
        Nothing, while no garbage is collected.

    Example:
        >>> with without_collections():
        ...     gc.isenabled()
        False
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
