"""Rows of a table: what numbers and categories become before dense layers."""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise
from statistics import NormalDist
from typing import Any

import keras
import keras_tuner
from keras import ops

from hypermodels.blocks.dense import activated, normalized
from hypermodels.ranges import Range, WithDefault, pick

# Standard deviations from the mean between which a number is encoded by its bins.
_FARTHEST = 3.0


def piecewise_linear(x: Any, bins: int, name: str = "piecewise") -> Any:
    """Encodes standardized numbers by how far each has come in each of several bins.

    After Gorishniy et al. 2022, "On Embeddings for Numerical Features in Tabular Deep Learning",
    equation 1, with the quantiles of a normal distribution as the ends of the bins. The numbers
    themselves stay beside it, for what lies outside of all bins.

    Args:
        x: Tensor of shape `(batch, numbers)`, each of about mean 0 and deviation 1.
        bins: Number of bins.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, numbers * (bins + 1))`.

    Example:
        >>> encoded = piecewise_linear(ops.array([[0.0, 9.0]]), bins=2)
        >>> ops.convert_to_numpy(encoded).tolist()
        [[0.0, 9.0, 1.0, 0.0, 1.0, 1.0]]
    """
    inner = [NormalDist().inv_cdf(index / bins) for index in range(1, bins)]
    ends = [-_FARTHEST, *inner, _FARTHEST]
    scales = [1 / (high - low) for low, high in pairwise(ends)]
    offsets = [-low * scale for low, scale in zip(ends[:-1], scales, strict=True)]
    spread = keras.layers.Permute((2, 1))(keras.layers.RepeatVector(bins)(x))
    spread = keras.layers.Rescaling(scales, offsets, name=f"{name}_scaled")(spread)
    spread = keras.layers.ReLU(max_value=1.0, name=name)(spread)
    return keras.layers.Concatenate(name=f"{name}_all")([x, keras.layers.Flatten()(spread)])


def periodic(
    x: Any, frequencies: int, scale: float = 0.1, size: int = 8, name: str = "periodic"
) -> Any:
    """Encodes standardized numbers by learned sines and cosines, and a dense layer for each number.

    After Gorishniy et al. 2022, "On Embeddings for Numerical Features in Tabular Deep Learning",
    equation 4, followed by a linear layer and ReLU ("PLR").

    Args:
        x: Tensor of shape `(batch, numbers)`, each of about mean 0 and deviation 1.
        frequencies: How many frequencies each number has.
        scale: Standard deviation that the frequencies begin with.
        size: How many features each number becomes.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, numbers * size)`.

    Example:
        >>> periodic(keras.Input((3,)), frequencies=4).shape
        (None, 24)
    """
    numbers = x.shape[-1]
    begin = keras.initializers.RandomNormal(stddev=scale)
    angles = keras.layers.EinsumDense(
        "bni,nik->bnk", (numbers, frequencies), kernel_initializer=begin, name=f"{name}_angles"
    )(keras.layers.Reshape((numbers, 1))(x))
    angles = 2 * math.pi * angles
    waves = keras.layers.Concatenate(name=f"{name}_waves")([ops.sin(angles), ops.cos(angles)])
    features = keras.layers.EinsumDense(
        "bnk,nkd->bnd", (numbers, size), bias_axes="nd", activation="relu", name=name
    )(waves)
    return keras.layers.Flatten()(features)


def residual_stack(
    hp: keras_tuner.HyperParameters,
    x: Any,
    *,
    layers: Range = WithDefault((1, 4), 2),
    units: Range = WithDefault((32, 256), 128),
    activation: str = "relu",
    normalization: str = "batch",
    dropout: Range = WithDefault((0.0, 0.5), 0.1),
    penalty: keras.regularizers.Regularizer | None = None,
    name: str = "residual",
) -> Any:
    """Stacks pairs of dense layers, each added to what it was given.

    After Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular Data", section 3.2.

    Args:
        hp: The hyperparameters of a build.
        x: Tensor of shape `(batch, features)`.
        layers: Range of the number of pairs, `num_<name>_layers`.
        units: Range of the features that are added up, searched on a log scale.
        activation: Name of the activation.
        normalization: One of `hypermodels.blocks.NORMALIZATIONS`, before each pair.
        dropout: Range of the dropout within a pair, one for all.
        penalty: Regularizer of the weights.
        name: Prefix of the names of layers and hyperparameters.

    Returns:
        Tensor of shape `(batch, units)`.

    Example:
        >>> residual_stack(keras_tuner.HyperParameters(), keras.Input((4,)), units=16).shape
        (None, 16)
    """
    count = pick(hp, f"num_{name}_layers", layers)
    width = pick(hp, f"{name}_units", units, sampling="log")
    rate = pick(hp, f"{name}_dropout", dropout)
    dense = partial(keras.layers.Dense, kernel_regularizer=penalty)
    x = dense(width, name=f"{name}_in")(x)
    for index in range(count):
        part = f"{name}_{index}"
        inner = normalized(x, normalization, f"{part}_in")
        inner = keras.layers.Dense(2 * width, kernel_regularizer=penalty, name=f"{part}_wide")(
            inner
        )
        inner = keras.layers.Activation(activation, name=f"{part}_{activation}")(inner)
        inner = keras.layers.Dropout(rate, name=f"{part}_dropout")(inner)
        inner = keras.layers.Dense(width, kernel_regularizer=penalty, name=f"{part}_narrow")(inner)
        x = keras.layers.Add(name=f"{part}_sum")([x, inner])
    return activated(x, activation, normalization, f"{name}_out")
