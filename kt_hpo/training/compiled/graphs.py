"""How TensorFlow makes the graphs of trainings."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import keras
import tensorflow as tf
from keras import layers

from kt_hpo._private_apis.keras import layers_of

# A matrix of more products is worth several threads: measured, of 200 units in batches of 32.
_MOST_PRODUCTS = 2**20
# Convolutions, pooling and attention are, too; of a user's own layers nobody knows.
_SMALL = {
    layers.InputLayer, layers.Dense, layers.Embedding, layers.EinsumDense, layers.SimpleRNN,
    layers.SimpleRNNCell, layers.LSTM, layers.LSTMCell, layers.GRU, layers.GRUCell, layers.RNN,
    layers.StackedRNNCells, layers.Bidirectional, layers.Masking, layers.Activation, layers.ReLU,
    layers.LeakyReLU, layers.PReLU, layers.ELU, layers.Softmax, layers.Dropout,
    layers.SpatialDropout1D, layers.AlphaDropout, layers.GaussianNoise, layers.GaussianDropout,
    layers.BatchNormalization, layers.LayerNormalization, layers.UnitNormalization,
    layers.Normalization, layers.Rescaling, layers.CategoryEncoding, layers.Flatten,
    layers.Reshape, layers.Permute, layers.RepeatVector, layers.Identity, layers.Add,
    layers.Average, layers.Concatenate, layers.Dot, layers.Maximum, layers.Minimum,
    layers.Multiply, layers.Subtract, layers.GlobalAveragePooling1D, layers.GlobalMaxPooling1D,
}  # fmt: skip
_OFF = "disable_meta_optimizer"
_ALWAYS_THERE = {_OFF, "disable_model_pruning"}
_changing = threading.Lock()
# What the user has set, once for each thread that keeps TensorFlow from it now.
_set_before: list[bool] = []


@contextmanager
def as_traced() -> Iterator[None]:
    """Keeps TensorFlow from optimizing graphs: that takes as long as an epoch, and gains less.

    Several threads may at the same time. A user's own choice of optimizations holds.
    """
    optimizer = tf.config.optimizer
    if optimizer.get_experimental_options().keys() - _ALWAYS_THERE:
        yield
        return
    with _changing:
        options = optimizer.get_experimental_options()
        _set_before.append(_set_before[0] if _set_before else options.get(_OFF, False))
        optimizer.set_experimental_options({_OFF: True})
    try:
        yield
    finally:
        with _changing:
            before = _set_before.pop()
            optimizer.set_experimental_options({_OFF: bool(_set_before) or before})


def is_small(model: keras.Model, batch_size: int) -> bool:
    """Tells whether the kernels of a model's step are too small for several threads.

    Args:
        model: A model.
        batch_size: Samples in a batch.

    Returns:
        Whether it is on a CPU and has small layers only, of Keras' own.
    """
    parts = [part for part in [model, *layers_of(model)] if type(part) not in _models()]
    if tf.config.list_physical_devices("GPU") or any(type(part) not in _SMALL for part in parts):
        return False
    return max((_products(part, batch_size) for part in parts), default=0) <= _MOST_PRODUCTS


@cache
def _models() -> set[type]:
    """List Keras' own kinds of models; that of a functional one has no public name.

    A model that is made when this module is imported would start a thread of TensorFlow's, and the
    process could not be forked.
    """
    return {keras.Sequential, keras.Model, type(keras.Model(*[keras.Input((1,))] * 2))}


def _products(layer: keras.layers.Layer, batch_size: int) -> int:
    """Return how many products the largest matrix of a layer takes; an embedding only picks."""
    numbers = max((math.prod(weight.shape) for weight in layer.weights), default=0)
    return numbers * (1 if isinstance(layer, layers.Embedding) else batch_size)
