"""Batches of a size that is a hyperparameter, of arrays and of pipelines."""

from __future__ import annotations

from typing import Any

import keras
from keras_tuner.errors import FatalValueError


def batched(
    model: keras.Model, size: int, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Has `fit` train and validate in batches of a size.

    Args:
        model: The model.
        size: Samples in a batch.
        args: Positional arguments of `fit`.
        kwargs: Its keyword arguments.

    Returns:
        The same, with `batch_size` where x is an array, with batches where it is a
        `tf.data.Dataset`; validation data likewise.

    Raises:
        FatalValueError: If the data come in batches already.
    """
    x = kwargs.get("x", next(iter(args), None))
    kwargs = dict(kwargs)
    if _is_dataset(x):
        made = _batched_dataset(model, x, size)
        if "x" in kwargs:
            kwargs["x"] = made
        else:
            args = (made, *args[1:])
    elif all(hasattr(leaf, "__array__") for leaf in keras.tree.flatten(x)):
        kwargs["batch_size"] = size
    else:
        raise FatalValueError(
            f"Training(batch_size=...) makes batches of arrays and of a tf.data.Dataset, and x is "
            f"a {type(x).__name__}, which makes its own. Leave batch_size out."
        )
    validation = kwargs.get("validation_data")
    if _is_dataset(validation):
        of_validation = kwargs.pop("validation_batch_size", None) or size
        kwargs["validation_data"] = _batched_dataset(model, validation, of_validation)
    return args, kwargs


def _is_dataset(data: Any) -> bool:
    return hasattr(data, "element_spec") and hasattr(data, "batch")


def _batched_dataset(model: keras.Model, data: Any, size: int) -> Any:
    shape = keras.tree.flatten(data.element_spec)[0].shape
    inputs = getattr(model, "inputs", None)
    if inputs and shape.rank is not None and shape.rank >= len(inputs[0].shape):
        raise FatalValueError(
            f"The pipeline gives batches already, of shape {tuple(shape)}, so that "
            "Training(batch_size=...) cannot choose their size. Leave batch_size out, or take "
            ".batch(...) off the pipeline."
        )
    import tensorflow as tf

    return data.batch(size).prefetch(tf.data.AUTOTUNE)
