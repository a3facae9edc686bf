"""Models that are trained alike, averaged into one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras


def average(models: Sequence[keras.Model]) -> keras.Model:
    """Makes a model that predicts the mean of what others predict.

    Args:
        models: Models for which `can_be_averaged`, with inputs and outputs of the same shapes.
            Their weights are shared, not copied.

    Returns:
        A functional model, compiled with the loss and metrics of the first. It is to predict: its
        optimizer is a new one.

    Example:
        >>> import numpy as np
        >>> models = [keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]) for _ in "ab"]
        >>> for model, weight in zip(models, (1.0, 3.0)):
        ...     model.set_weights([np.array([[weight]]), np.zeros(1)])
        >>> average(models).predict(np.ones((1, 1)), verbose=0).tolist()
        [[2.0]]
    """
    first = models[0]
    functional = [
        keras.Model(*_ends(model), name=f"{first.name}_{number}")
        for number, model in enumerate(models)
    ]
    inputs = keras.tree.map_structure(_like, functional[0].input)
    each, names = [model(inputs) for model in functional], iter(functional[0].output_names)
    outputs = keras.tree.map_structure(
        lambda *same: keras.layers.Average(name=next(names))(list(same)), *each
    )
    averaged = keras.Model(inputs, outputs, name=first.name)
    if compiled := first.get_compile_config():
        averaged.compile_from_config({**compiled, "optimizer": "sgd"})
    return averaged


def can_be_averaged(model: keras.Model) -> bool:
    """Tells whether a model is Sequential or functional, without a `call` of its own.

    Example:
        >>> can_be_averaged(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]))
        True
    """
    return hasattr(model, "inputs") and type(model).call.__module__.startswith("keras.")


def _ends(model: keras.Model) -> tuple[Any, Any]:
    """The inputs and outputs of a model, in the structure it was made with."""
    if isinstance(model, keras.Sequential):
        return model.inputs[0], model.outputs[0]
    return model.input, model.output


def _like(tensor: Any) -> Any:
    return keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)
