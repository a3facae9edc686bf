"""Random layers whose strength and random numbers are a trial's own.

Every random layer of a model reads its numbers from a Keras seed generator. Before each step the
engine sets the state of each: a trial is trained with the same numbers whatever group it is in,
today or in a search that was resumed.

TensorFlow does not vectorize random numbers whose seed differs by trial. There the trials share a
draw and each turns it by an angle of its own, fresh at each step (Cranley & Patterson 1976,
"Randomization of number theoretic methods for multiple integration"): uniform for every trial, and
independent between any two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras import layers, ops

from kt_hpo._private_apis.keras import layers_of, seed_generators_of

Draw = Callable[[int, Any], Any]
"""Gives uniform numbers for the seed generator of a number, in the shape of a tensor."""


def generators(model: keras.Model) -> list[Any]:
    """Lists the seed generators of a model's random layers, in the order of the layers.

    Args:
        model: A built model.

    Returns:
        The generators.
    """
    found = {id(one): one for layer in layers_of(model) for one in seed_generators_of(layer)}
    return list(found.values())


@contextmanager
def drawn(model: keras.Model, draw: Draw) -> Iterator[None]:
    """Lets dropout and noise layers take their random numbers from elsewhere.

    Args:
        model: A built model.
        draw: Where from.

    Yields:
        Nothing, while they do.
    """
    changed = _drawing(model)
    try:
        for layer, number in changed:
            layer.call = _bound(layer, draw, number)
        yield
    finally:
        for layer, _ in changed:
            del layer.call


def drawn_generators(model: keras.Model) -> set[int]:
    """Numbers the seed generators of the layers that `drawn` is about."""
    return {number for _, number in _drawing(model)}


def _drawing(model: keras.Model) -> list[tuple[keras.layers.Layer, int]]:
    numbers = {id(generator): number for number, generator in enumerate(generators(model))}
    drawing = [layer for layer in layers_of(model) if type(layer) in _CALLS and _strength(layer)]
    return [(layer, numbers[id(layer.seed_generator)]) for layer in drawing]


def _bound(layer: keras.layers.Layer, draw: Draw, number: int) -> Callable[..., Any]:
    apply = _CALLS[type(layer)]

    def call(inputs: Any, training: bool = False) -> Any:
        return apply(layer, inputs, lambda like: draw(number, like)) if training else inputs

    return call


def _strength(layer: Any) -> Any:
    """What a layer without a seed generator has as 0."""
    return layer.stddev if isinstance(layer, layers.GaussianNoise) else layer.rate


def _dropout(layer: Any, inputs: Any, uniform: Callable[[Any], Any]) -> Any:
    rate = ops.convert_to_tensor(layer.rate, inputs.dtype)
    kept = uniform(_mask_like(layer, inputs)) >= rate
    return ops.where(kept, inputs / (1 - rate), ops.zeros_like(inputs))


def _mask_like(layer: Any, inputs: Any) -> Any:
    """A tensor of the mask's shape, which has 1 where whole channels are dropped."""
    if isinstance(layer, layers.SpatialDropout1D):
        return inputs[:, :1]
    if isinstance(layer, layers.SpatialDropout2D | layers.SpatialDropout3D):
        spatial = len(inputs.shape) - 2
        if layer.data_format == "channels_first":
            return inputs[(slice(None), slice(None), *[slice(1)] * spatial)]
        return inputs[(slice(None), *[slice(1)] * spatial)]
    shape = layer.noise_shape or [None] * len(inputs.shape)
    return inputs[tuple(slice(1 if side == 1 else None) for side in shape)]


def _gaussian_noise(layer: Any, inputs: Any, uniform: Callable[[Any], Any]) -> Any:
    return inputs + _normal(uniform(inputs)) * ops.convert_to_tensor(layer.stddev, inputs.dtype)


def _gaussian_dropout(layer: Any, inputs: Any, uniform: Callable[[Any], Any]) -> Any:
    rate = ops.convert_to_tensor(layer.rate, inputs.dtype)
    return inputs * (1 + _normal(uniform(inputs)) * ops.sqrt(rate / (1 - rate)))


def _normal(uniform: Any) -> Any:
    """Turns uniform numbers into normally distributed ones, through the inverse of their CDF."""
    least = keras.config.epsilon()
    return math.sqrt(2) * ops.erfinv(2 * ops.clip(uniform, least, 1 - least) - 1)


_CALLS: dict[type, Callable[..., Any]] = {
    layers.Dropout: _dropout,
    layers.SpatialDropout1D: _dropout,
    layers.SpatialDropout2D: _dropout,
    layers.SpatialDropout3D: _dropout,
    layers.GaussianNoise: _gaussian_noise,
    layers.GaussianDropout: _gaussian_dropout,
}
