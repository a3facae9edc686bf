"""One thread at a time in an oracle."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from kt_hpo.oracle.trials import trial_to_end

P = ParamSpec("P")
R = TypeVar("R")

# The attribute of an oracle that holds its lock; no name that a user's oracle would have.
_LOCK = "_lock_of_synchronized"


def synchronized(
    func: Callable[Concatenate[Any, P], R],
) -> Callable[Concatenate[Any, P], R]:
    """Lets one thread at a time into an oracle's methods, also after one of them raised.

    Keras Tuner's decorator of this name keeps its lock when the method raises. As there, an
    `end_trial` may be called with the id of a trial and its status instead of the trial.

    Args:
        func: A method of any `keras_tuner.Oracle`.

    Returns:
        The method, holding the oracle's lock while it runs.

    Example:
        >>> import keras_tuner
        >>> class Counting(keras_tuner.Oracle):
        ...     count = 0
        ...
        ...     @synchronized
        ...     def next(self):
        ...         self.count += 1
        ...         return self.count
        >>> Counting(objective="val_loss").next()
        1
    """

    @wraps(func)
    def locked(self: Any, *args: P.args, **kwargs: P.kwargs) -> R:
        with lock_of(self):
            if func.__name__ == "end_trial":
                return func(self, trial_to_end(self, *args, **kwargs))  # type: ignore
            return func(self, *args, **kwargs)

    return locked


def lock_of(oracle: Any) -> threading.RLock:
    """Gives the lock that the `synchronized` methods of an oracle hold.

    Args:
        oracle: Any `keras_tuner.Oracle`.

    Returns:
        The lock, which a thread may hold more than once.
    """
    try:
        return oracle.__dict__[_LOCK]
    except KeyError:
        # One thread's lock wins, and all get that one.
        return oracle.__dict__.setdefault(_LOCK, threading.RLock())
