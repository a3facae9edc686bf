"""How TensorFlow makes its graphs while the engine trains."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import tensorflow as tf


@contextmanager
def as_traced() -> Iterator[None]:
    """Keeps TensorFlow from optimising a graph: that takes as long as epochs, and gains nothing."""
    name, optimizer = "disable_meta_optimizer", tf.config.optimizer
    before = optimizer.get_experimental_options().get(name, False)
    optimizer.set_experimental_options({name: True})
    try:
        yield
    finally:
        optimizer.set_experimental_options({name: before})


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
