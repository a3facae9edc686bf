"""How TensorFlow makes its graphs while the engine trains."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
