"""How TensorFlow makes the graphs of trainings."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

_OFF = "disable_meta_optimizer"
_ALWAYS_THERE = {_OFF, "disable_model_pruning"}
_changing = threading.Lock()
# What the user has set, once for each thread that keeps TensorFlow from it now.
_set_before: list[bool] = []


@contextmanager
def as_traced() -> Iterator[None]:
    """Keeps TensorFlow from optimizing graphs: that takes as long as an epoch, and gains less.

    Several threads may at the same time. A user's own choice of optimizations holds.
    """
    optimizer = tf.config.optimizer
    if optimizer.get_experimental_options().keys() - _ALWAYS_THERE:
        yield
        return
    with _changing:
        options = optimizer.get_experimental_options()
        _set_before.append(_set_before[0] if _set_before else options.get(_OFF, False))
        optimizer.set_experimental_options({_OFF: True})
    try:
        yield
    finally:
        with _changing:
            before = _set_before.pop()
            optimizer.set_experimental_options({_OFF: bool(_set_before) or before})
