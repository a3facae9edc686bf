"""How TensorFlow makes its graphs while the engine trains."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import tensorflow as tf

_OFF = "disable_meta_optimizer"
_changing = threading.Lock()
# What the user has set, once for each thread that keeps TensorFlow from it now.
_set_before: list[bool] = []


@contextmanager
def as_traced() -> Iterator[None]:
    """Keeps TensorFlow from optimising a graph: that takes as long as epochs, and gains nothing.

    Several threads may at the same time.
    """
    optimizer = tf.config.optimizer
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


@contextmanager
def silence() -> Iterator[None]:
    """Keeps TensorFlow from describing an operation that does not convert, pages long."""
    logger = logging.getLogger("tensorflow")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def register_conversions() -> None:
    """Teaches `tf.vectorized_map` the bitcast in Keras' argmax, which accuracies are made of.

    Where TensorFlow has moved its private registry, such models train in a loop.
    """
    with suppress(Exception):
        from tensorflow.python.ops.parallel_for import pfor

        @pfor.RegisterPFor("Bitcast")
        def convert(op: Any) -> Any:
            return pfor.wrap(tf.bitcast(op.stacked_input(0), op.get_attr("type")), True)
