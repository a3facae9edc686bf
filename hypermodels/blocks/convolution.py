"""Convolutions over images."""

from __future__ import annotations

from typing import Any

import keras
import keras_tuner

from hypermodels.blocks.dense import activated
from hypermodels.ranges import Range, WithDefault, pick

POOLINGS = ("max", "average")


def with_channels(x: Any) -> Any:
    """Gives images their axis of channels, if they have none.

    Args:
        x: Tensor of shape `(batch, height, width)` or `(batch, height, width, channels)`.

    Returns:
        Tensor of shape `(batch, height, width, channels)`.

    Example:
        >>> with_channels(keras.Input((8, 8))).shape
        (None, 8, 8, 1)
    """
    return keras.layers.Reshape((*x.shape[1:], 1))(x) if len(x.shape) == 3 else x


def conv_block(
    hp: keras_tuner.HyperParameters,
    x: Any,
    index: int,
    *,
    filters: Range = WithDefault((8, 64), 32),
    kernel_size: Range = 3,
    activation: str = "relu",
    normalization: str = "batch",
    pooling: str = "max",
    dropout: Range = WithDefault((0.0, 0.5), 0.1),
    penalty: keras.regularizers.Regularizer | None = None,
) -> Any:
    """Convolves, normalizes, activates, pools and drops out.

    Args:
        hp: The hyperparameters of a build.
        x: Tensor of shape `(batch, height, width, channels)`.
        index: Which block this is, counted from 0; part of the names.
        filters: Range of the number of filters, searched on a log scale; a default is that of the
            first block, and doubles with each.
        kernel_size: Range or choice of the kernel's side in pixels.
        activation: Name of the activation.
        normalization: One of `NORMALIZATIONS`.
        pooling: One of `POOLINGS`, over 2 x 2 pixels; left out where a side has no two.
        dropout: Range of the dropout.
        penalty: Regularizer of the weights.

    Returns:
        Tensor of shape `(batch, height // 2, width // 2, filters)`.

    Example:
        >>> conv_block(keras_tuner.HyperParameters(), keras.Input((8, 8, 1)), 0, filters=4).shape
        (None, 4, 4, 4)
    """
    name = f"block_{index}"
    width, side, rate = declare_conv_block(
        hp, index, filters=filters, kernel_size=kernel_size, dropout=dropout
    )
    x = keras.layers.Conv2D(
        width, side, padding="same", kernel_regularizer=penalty, name=f"{name}_conv"
    )(x)
    x = activated(x, activation, normalization, name)
    if min(x.shape[1:3]) >= 2:
        layer = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}
        x = layer[pooling](2, name=f"{name}_pooling")(x)
    return keras.layers.Dropout(rate, name=f"{name}_dropout")(x)


def declare_conv_block(
    hp: keras_tuner.HyperParameters,
    index: int,
    *,
    filters: Range,
    kernel_size: Range,
    dropout: Range,
) -> tuple[int, int, float]:
    """Asks for the hyperparameters of a block without building it.

    Args:
        hp: The hyperparameters of a build.
        index: Which block, counted from 0.
        filters: As in `conv_block`.
        kernel_size: As in `conv_block`.
        dropout: As in `conv_block`.

    Returns:
        Filters, side of the kernel and dropout; each None in a scope that is not active.
    """
    return (
        pick(hp, f"block_{index}_filters", doubled(filters, index), sampling="log"),
        pick(hp, f"block_{index}_kernel_size", kernel_size),
        pick(hp, f"block_{index}_dropout", dropout),
    )


def doubled(values: Range, times: int) -> Range:
    """Doubles the default of a range, as filters do where pooling has halved the sides.

    Args:
        values: A range.
        times: How often.

    Returns:
        The same range; its default, if it has one, is doubled so often.

    Example:
        >>> doubled(WithDefault((8, 128), 16), times=2)
        WithDefault(values=(8, 128), default=64)
    """
    if isinstance(values, WithDefault):
        return WithDefault(values.values, values.default * 2**times)
    return values


def augmented(x: Any, strength: float) -> Any:
    """Shifts, turns and zooms images at random while a model is trained.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        strength: Largest change as a part of the image's size, of a turn as a part of half a
            circle; 0 for none.

    Returns:
        Tensor of the same shape.
    """
    if not strength:
        return x
    x = keras.layers.RandomTranslation(strength, strength, name="translation")(x)
    x = keras.layers.RandomRotation(strength / 2, name="rotation")(x)
    return keras.layers.RandomZoom(strength, name="zoom")(x)
