"""What is said of arguments that are not allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


def check_whole(lowest: int = 1, **numbers: Any) -> None:
    """Refuses arguments that are no whole numbers from some number on.

    Args:
        lowest: The lowest number allowed.
        **numbers: The arguments by name.

    Raises:
        ValueError: If one is something else.

    Example:
        >>> check_whole(max_epochs=3)
    """
    for name, number in numbers.items():
        if not isinstance(number, int) or number < lowest:
            raise ValueError(
                f"{name}={number!r} is not allowed; give a whole number from {lowest} on."
            )


def did_you_mean(name: str, allowed: Iterable[str], cutoff: float = 0.6) -> str:
    """Suggests the name that was meant.

    Args:
        name: What was given.
        allowed: What may be.
        cutoff: How alike two names must be, from 0 to 1.

    Returns:
        A sentence with a space before it; nothing if no name is near.

    Example:
        >>> did_you_mean("medain", ["median", "asha"])
        " Did you mean 'median'?"
    """
    close = difflib.get_close_matches(name, list(allowed), n=1, cutoff=cutoff)
    return f" Did you mean {close[0]!r}?" if close else ""
