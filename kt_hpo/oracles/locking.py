"""One thread at a time in an oracle."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def synchronized(
    func: Callable[Concatenate[Any, P], R],
) -> Callable[Concatenate[Any, P], R]:
    """Lets one thread at a time into an oracle's methods, also after one of them raised.

    Keras Tuner's decorator of this name keeps its lock when the method raises.

    Args:
        func: A method of a `RecordedOracle`.

    Returns:
        The method, holding the oracle's lock while it runs.
    """

    @wraps(func)
    def locked(self: Any, *args: P.args, **kwargs: P.kwargs) -> R:
        with self._lock:
            return func(self, *args, **kwargs)

    return locked
