"""Dense layers, one on the other."""

from __future__ import annotations

from typing import Any

import keras
import keras_tuner

from hypermodels.ranges import Range, WithDefault, pick, possible

ACTIVATIONS = ("relu", "gelu", "silu", "elu", "selu", "tanh", "leaky_relu")
NORMALIZATIONS = ("none", "batch", "layer")


def dense_stack(
    hp: keras_tuner.HyperParameters,
    x: Any,
    *,
    layers: Range = WithDefault((1, 3), 2),
    units: Range = WithDefault((16, 256), 128),
    activation: str = "relu",
    normalization: str = "none",
    dropout: Range = WithDefault((0.0, 0.5), 0.1),
    penalty: keras.regularizers.Regularizer | None = None,
    name: str = "dense",
) -> Any:
    """Stacks dense layers; the units of a layer exist only where the layer does.

    Args:
        hp: The hyperparameters of a build.
        x: Tensor of shape `(batch, features)`.
        layers: Range of the number of layers, `num_<name>_layers`.
        units: Range of each layer's units, searched on a log scale.
        activation: Name of the activation.
        normalization: One of `NORMALIZATIONS`, between the weights and the activation.
        dropout: Range of the dropout after each layer.
        penalty: Regularizer of the weights.
        name: Prefix of the names of layers and hyperparameters.

    Returns:
        Tensor of shape `(batch, units of the last layer)`.

    Example:
        >>> x = dense_stack(keras_tuner.HyperParameters(), keras.Input((4,)), units=8)
        >>> x.shape
        (None, 8)
    """
    parent = f"num_{name}_layers"
    counts = possible(layers)
    count = pick(hp, parent, layers)
    for index in range(max(counts)):
        with hp.conditional_scope(parent, [one for one in counts if one > index]):
            width = pick(hp, f"{name}_{index}_units", units, sampling="log")
            rate = pick(hp, f"{name}_{index}_dropout", dropout)
        if index < count:
            x = keras.layers.Dense(width, kernel_regularizer=penalty, name=f"{name}_{index}")(x)
            x = activated(x, activation, normalization, f"{name}_{index}")
            x = keras.layers.Dropout(rate, name=f"{name}_{index}_dropout")(x)
    return x


def activated(x: Any, activation: str, normalization: str, name: str) -> Any:
    """Normalizes a layer's outputs, if asked to, and applies the activation.

    Args:
        x: Tensor of shape `(batch, ..., channels)`.
        activation: Name of the activation.
        normalization: One of `NORMALIZATIONS`.
        name: Prefix of the layers' names.

    Returns:
        Tensor of the same shape.
    """
    x = normalized(x, normalization, name)
    return keras.layers.Activation(activation, name=f"{name}_{activation}")(x)


def normalized(x: Any, normalization: str, name: str) -> Any:
    """Normalizes a layer's outputs, if asked to.

    Args:
        x: Tensor of shape `(batch, ..., channels)`.
        normalization: One of `NORMALIZATIONS`.
        name: Prefix of the layer's name.

    Returns:
        Tensor of the same shape.
    """
    if normalization == "batch":
        # Keras' momentum of 0.99 needs hundreds of steps, which small data do not give.
        return keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_normalization")(x)
    if normalization == "layer":
        return keras.layers.LayerNormalization(name=f"{name}_normalization")(x)
    return x
