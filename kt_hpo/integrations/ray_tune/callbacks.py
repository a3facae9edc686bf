"""Callbacks of a user's, to which the epochs that Ray asks for one by one are one training."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras


def as_one_training(callbacks: Sequence[keras.callbacks.Callback]) -> Callable[[], None]:
    """Keeps callbacks from noticing that each epoch is a `fit` of its own.

    Patience would be counted anew each time, and a log begun anew. So `on_train_begin` is for the
    first `fit` only, and `on_train_end` for nobody but the function that is returned.

    Args:
        callbacks: The callbacks; they are changed.

    Returns:
        Calls `on_train_end` of all, when the training is over.

    Example:
        >>> stopping = keras.callbacks.EarlyStopping(patience=3)
        >>> end = as_one_training([stopping])
        >>> stopping.on_train_begin()
        >>> stopping.wait = 2
        >>> stopping.on_train_begin()
        >>> stopping.wait
        2
    """
    ends = [callback.on_train_end for callback in callbacks]
    for callback in callbacks:
        callback.on_train_begin = _once(callback.on_train_begin)
        callback.on_train_end = _nothing

    def end() -> None:
        for on_train_end in ends:
            on_train_end()

    return end


def _once(function: Callable[..., None]) -> Callable[..., None]:
    has_been_called = False

    def once(logs: dict[str, float] | None = None) -> None:
        nonlocal has_been_called
        if not has_been_called:
            has_been_called = True
            function(logs)

    return once


def _nothing(logs: dict[str, float] | None = None) -> None:
    """Does nothing."""
