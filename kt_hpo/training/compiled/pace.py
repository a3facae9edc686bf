"""How many steps one call of a program takes."""

from __future__ import annotations

import time
from collections.abc import Iterator

# Ctrl-C is heard between two calls of a program.
_SECONDS = 0.5
_FIRST_STEPS = 32


class Pace:
    """Divides steps into calls that take about half a second.

    Example:
        >>> list(Pace().parts(3, 20))
        [(3, 20)]
    """

    def __init__(self) -> None:
        self._steps = _FIRST_STEPS

    def parts(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """Divides steps.

        Args:
            begin: The first step.
            end: The step before which to stop.

        Yields:
            The first step of a call, and the one before which it stops; what is done until the
            next are asked for is timed.
        """
        while begin < end:
            last, since = min(begin + self._steps, end), time.perf_counter()
            yield begin, last
            speed = (last - begin) / max(time.perf_counter() - since, 1e-6)
            self._steps = max(1, int(speed * _SECONDS))
            begin = last
