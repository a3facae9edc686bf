"""How TensorFlow makes its graphs while the engine trains."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import tensorflow as tf


def each(function: Callable[[Any], Any], numbers: np.ndarray) -> np.ndarray:
    """Traces a function, as a training would, and applies it to numbers one by one.

    Args:
        function: The function.
        numbers: Numbers of steps.

    Returns:
        A float for each.
    """

    def one(number: Any) -> Any:
        return tf.cast(function(number), "float32")

    def all_of(numbers: Any) -> Any:
        return tf.map_fn(one, numbers, fn_output_signature="float32")

    traced = tf.function(all_of, autograph=False)
    return np.asarray(traced(tf.constant(numbers, "int64")))


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
