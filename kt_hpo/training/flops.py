"""How many floating-point operations a model takes for one sample, counted layer by layer.

A multiplication and an addition count as one each, so a `Dense` layer from n to m costs 2nm, and m
more for its bias. Counted are the layers with weights, merging and pooling; activation functions,
and what only moves or regularizes values, count as nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import keras
from keras import layers

from kt_hpo._private_apis.keras import calls_of

Shape: TypeAlias = tuple[int | None, ...]
Formula: TypeAlias = Callable[[Any, Sequence[Shape], Shape], int]


def count_flops(model: keras.Model) -> int:
    """Counts the floating-point operations of a forward pass of one sample.

    Args:
        model: A functional or sequential model that is built.

    Returns:
        The count.

    Raises:
        ValueError: If it cannot be counted: the model is a subclass of `keras.Model` with a `call`
            of its own, has a layer nobody has counted yet, or takes inputs of any length.

    Example:
        >>> model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(3)])
        >>> count_flops(model)
        63
    """
    calls = calls_of(model)
    if calls is None:
        raise ValueError(
            f"The flops of {model.name!r} cannot be counted: it is no functional or sequential "
            "model, or not built. Optimize latency or parameters instead."
        )
    return sum(
        _count(called, [tuple(tensor.shape) for tensor in inputs], tuple(output.shape))
        for called, inputs, output in calls
    )


def _count(layer: Any, inputs: Sequence[Shape], output: Shape) -> int:
    if isinstance(layer, keras.Model):
        return count_flops(layer)
    for kinds, formula in _FORMULAS.items():
        if isinstance(layer, kinds):
            return formula(layer, inputs, output)
    if type(layer).__module__.startswith("keras.src.ops."):
        return _elements(output) * (len(inputs) - 1)
    raise ValueError(
        f"The flops of the layer {layer.name!r} ({type(layer).__name__}) cannot be counted. "
        "Optimize latency or parameters instead, or count them yourself: "
        "kt_hpo.Measure(your_function, name='flops')."
    )


def _elements(shape: Shape) -> int:
    """The numbers in a sample of a shape."""
    sizes = shape[1:]
    if None in sizes:
        raise ValueError(
            f"Flops cannot be counted for inputs of any length: a shape is {shape}. Give the "
            "model's keras.Input a fixed shape, or optimize latency or parameters instead."
        )
    return math.prod(size for size in sizes if size is not None)


def _nothing(layer: Any, inputs: Sequence[Shape], output: Shape) -> int:
    return 0


def _dense(layer: Any, inputs: Sequence[Shape], output: Shape) -> int:
    return _elements(output) * (2 * _size(inputs[0][-1]) + layer.use_bias)


def _convolution(layer: Any, inputs: Sequence[Shape], output: Shape) -> int:
    taps = math.prod(layer.kernel.shape[:-1])
    return _elements(output) * (2 * taps + layer.use_bias)


def _transposed_convolution(layer: Any, inputs: Sequence[Shape], output: Shape) -> int:
    taps = math.prod(layer.kernel.shape[:-1])
    return 2 * _elements(inputs[0]) * taps + _elements(output) * layer.use_bias


def _depthwise(layer: Any, inputs: Sequence[Shape], output: Shape) -> int:
    return _elements(output) * (2 * math.prod(layer.kernel.shape[:-2]) + layer.use_bias)


def _separable(layer: Any, inputs: Sequence[Shape], output: Shape) -> int:
    across, within = layer.pointwise_kernel.shape[-2], layer.depthwise_kernel.shape[:-2]
    between = _elements(output) // layer.filters * across
    return 2 * math.prod(within) * between + _elements(output) * (2 * across + layer.use_bias)


def _recurrent(gates: int) -> Formula:
    """The matrix products and biases of a recurrent layer, over all its steps."""

    def count(layer: Any, inputs: Sequence[Shape], output: Shape) -> int:
        _, steps, features = inputs[0]
        cost = 2 * (_size(features) + layer.units) + layer.use_bias
        return _size(steps) * gates * layer.units * cost

    return count


def _pooling(layer: Any, inputs: Sequence[Shape], output: Shape) -> int:
    return _elements(output) * math.prod(layer.pool_size)


def _each_input(layer: Any, inputs: Sequence[Shape], output: Shape) -> int:
    return _elements(inputs[0])


def _normalization(layer: Any, inputs: Sequence[Shape], output: Shape) -> int:
    """A scale and an offset for each value, as at inference."""
    return 2 * _elements(output)


def _merging(layer: Any, inputs: Sequence[Shape], output: Shape) -> int:
    return _elements(output) * (len(inputs) - 1)


def _every_step(layer: Any, inputs: Sequence[Shape], output: Shape) -> int:
    step = [(shape[0], *shape[2:]) for shape in inputs]
    return _size(inputs[0][1]) * _count(layer.layer, step, (output[0], *output[2:]))


def _both_directions(layer: Any, inputs: Sequence[Shape], output: Shape) -> int:
    return 2 * _count(layer.forward_layer, inputs, output)


def _size(size: int | None) -> int:
    return _elements((None, size))


_FORMULAS: dict[tuple[type, ...], Formula] = {
    (layers.Dense,): _dense,
    (layers.DepthwiseConv1D, layers.DepthwiseConv2D): _depthwise,
    (layers.SeparableConv1D, layers.SeparableConv2D): _separable,
    (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose): (
        _transposed_convolution
    ),
    (layers.Conv1D, layers.Conv2D, layers.Conv3D): _convolution,
    (layers.LSTM,): _recurrent(4),
    (layers.GRU,): _recurrent(3),
    (layers.SimpleRNN,): _recurrent(1),
    (layers.TimeDistributed,): _every_step,
    (layers.Bidirectional,): _both_directions,
    (
        layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D,
        layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D,
    ): _pooling,
    (
        layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D,
        layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D,
        layers.GlobalAveragePooling3D,
    ): _each_input,
    (
        layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization,
        layers.Normalization,
    ): _normalization,
    (layers.Rescaling,): _normalization,
    (layers.Concatenate,): _nothing,
    (
        layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum,
        layers.Minimum,
    ): _merging,
    (
        layers.Activation, layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU, layers.Softmax,
        layers.Dropout, layers.AlphaDropout, layers.GaussianDropout, layers.GaussianNoise,
        layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D,
        layers.ActivityRegularization, layers.Embedding, layers.Flatten, layers.Reshape,
        layers.Permute, layers.RepeatVector, layers.Masking, layers.Identity,
        layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D,
        layers.Cropping1D, layers.Cropping2D, layers.Cropping3D,
        layers.UpSampling1D, layers.UpSampling2D, layers.UpSampling3D,
        layers.RandomFlip, layers.RandomRotation, layers.RandomZoom, layers.RandomTranslation,
        layers.RandomContrast, layers.RandomBrightness, layers.RandomCrop,
    ): _nothing,
}  # fmt: skip
