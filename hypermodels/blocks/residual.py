"""Residual blocks over images."""

from __future__ import annotations

from typing import Any

import keras

from hypermodels.blocks.dense import activated

CONVOLUTIONS = ("plain", "separable")


def residual_block(
    x: Any,
    filters: int,
    *,
    halves: bool = False,
    convolution: str = "plain",
    activation: str = "relu",
    normalization: str = "batch",
    dropout: float = 0.0,
    penalty: keras.regularizers.Regularizer | None = None,
    name: str = "residual",
) -> Any:
    """Adds two convolutions of 3 x 3 pixels to what they were given.

    After He et al. 2016, "Identity Mappings in Deep Residual Networks": normalization and
    activation come before each convolution, so that the sum passes through unchanged. Separable
    convolutions are those of Chollet 2017, "Xception".

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Number of filters.
        halves: Whether the sides are halved, by a stride of 2; not where a side is of 1 pixel.
        convolution: One of `CONVOLUTIONS`.
        activation: Name of the activation.
        normalization: One of `hypermodels.blocks.NORMALIZATIONS`.
        dropout: Dropout between the two convolutions.
        penalty: Regularizer of the weights.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, height, width, filters)`, or of half the sides, rounded up.

    Example:
        >>> residual_block(keras.Input((8, 8, 4)), 16, halves=True).shape
        (None, 4, 4, 16)
    """
    stride = 2 if halves and min(x.shape[1:3]) > 1 else 1
    inner = activated(x, activation, normalization, f"{name}_in")
    shortcut = x
    if stride > 1 or x.shape[-1] != filters:
        shortcut = keras.layers.Conv2D(
            filters, 1, stride, padding="same", kernel_regularizer=penalty, name=f"{name}_shortcut"
        )(inner)
    inner = convolved(inner, filters, stride, convolution, penalty, f"{name}_conv_0")
    inner = activated(inner, activation, normalization, f"{name}_between")
    inner = keras.layers.Dropout(dropout, name=f"{name}_dropout")(inner)
    inner = convolved(inner, filters, 1, convolution, penalty, f"{name}_conv_1")
    return keras.layers.Add(name=f"{name}_sum")([shortcut, inner])


def convolved(
    x: Any,
    filters: int,
    stride: int = 1,
    convolution: str = "plain",
    penalty: keras.regularizers.Regularizer | None = None,
    name: str = "conv",
) -> Any:
    """Convolves 3 x 3 pixels, without a bias: a normalization follows.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        filters: Number of filters.
        stride: Step from one place to the next.
        convolution: One of `CONVOLUTIONS`.
        penalty: Regularizer of the weights.
        name: Name of the layer.

    Returns:
        Tensor of shape `(batch, height / stride, width / stride, filters)`, rounded up.

    Example:
        >>> convolved(keras.Input((8, 8, 4)), 16, convolution="separable").shape
        (None, 8, 8, 16)
    """
    given = {"strides": stride, "padding": "same", "use_bias": False, "name": name}
    if convolution == "separable":
        return keras.layers.SeparableConv2D(
            filters, 3, depthwise_regularizer=penalty, pointwise_regularizer=penalty, **given
        )(x)
    return keras.layers.Conv2D(filters, 3, kernel_regularizer=penalty, **given)(x)
