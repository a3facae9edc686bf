"""Sequences of tokens or features, with or without padding.

A mask of shape `(batch, steps)` says which steps are there; None says that all are. Every block
here takes it, and gives the same for a sequence however much it is padded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from hypermodels.blocks.dense import activated

STEP_POOLINGS = ("max", "average", "last", "flatten")
_LOWEST = -1e4  # float16 has it, too.
_SHORTEST = 1e-4


def padding_mask(x: Any, padding: float = 0) -> Any:
    """Tells which steps of sequences are there.

    Args:
        x: Tokens of shape `(batch, steps)`, or features of shape `(batch, steps, features)`.
        padding: The token that stands for no step, or the value of all features where there is no
            step.

    Returns:
        Tensor of bools of shape `(batch, steps)`.

    Example:
        >>> ops.convert_to_numpy(padding_mask(ops.array([[5, 2, 0], [7, 0, 0]]))).tolist()
        [[True, True, False], [True, False, False]]
    """
    is_there = ops.not_equal(x, padding)
    return is_there if len(x.shape) == 2 else ops.any(is_there, axis=-1)


def masked(x: Any, mask: Any) -> Any:
    """Sets the features of steps that are not there to 0.

    Args:
        x: Tensor of shape `(batch, steps, features)`.
        mask: Which steps are there; None for all.

    Returns:
        Tensor of the same shape.

    Example:
        >>> x = ops.ones((1, 3, 2))
        >>> float(ops.sum(masked(x, ops.array([[True, False, False]]))))
        2.0
    """
    if mask is None:
        return x
    return ops.multiply(x, ops.expand_dims(ops.cast(mask, x.dtype), axis=-1))


def with_positions(x: Any, mask: Any = None, name: str = "positions") -> Any:
    """Adds to each step a learned vector of its place, counted over the steps that are there.

    Args:
        x: Tensor of shape `(batch, steps, features)`, the number of steps known.
        mask: Which steps are there; None for all.
        name: Name of the layer.

    Returns:
        Tensor of the same shape.

    Example:
        >>> with_positions(keras.Input((5, 8))).shape
        (None, 5, 8)
    """
    is_there = ops.ones_like(ops.take(x, 0, axis=-1)) if mask is None else mask
    places = ops.maximum(ops.cumsum(ops.cast(is_there, "int32"), axis=1) - 1, 0)
    vectors = keras.layers.Embedding(x.shape[1], x.shape[2], name=name)(places)
    return keras.layers.Add(name=f"{name}_added")([x, vectors])


def convolved_steps(
    x: Any,
    filters: int,
    *,
    mask: Any = None,
    kernel_size: int = 3,
    activation: str = "relu",
    normalization: str = "layer",
    dropout: float = 0.0,
    name: str = "conv",
) -> Any:
    """Convolves over the steps, normalizes, activates and drops out.

    Args:
        x: Tensor of shape `(batch, steps, features)`.
        filters: Number of filters.
        mask: Which steps are there; None for all.
        kernel_size: Steps that the kernel sees.
        activation: Name of the activation.
        normalization: One of `hypermodels.blocks.NORMALIZATIONS`; "batch" looks at padding, too.
        dropout: Dropout.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, steps, filters)`.

    Example:
        >>> convolved_steps(keras.Input((5, 8)), 16).shape
        (None, 5, 16)
    """
    x = keras.layers.Conv1D(filters, kernel_size, padding="same", name=name)(masked(x, mask))
    x = activated(x, activation, normalization, name)
    return keras.layers.Dropout(dropout, name=f"{name}_dropout")(x)


def recurrent(
    x: Any,
    kind: str,
    units: int,
    *,
    mask: Any = None,
    bidirectional: bool = False,
    dropout: float = 0.0,
    name: str = "recurrent",
) -> Any:
    """Reads the steps one after the other; those that are not there change nothing.

    Args:
        x: Tensor of shape `(batch, steps, features)`.
        kind: `"lstm"` or `"gru"`.
        units: Size of the state.
        mask: Which steps are there; None for all.
        bidirectional: Whether a second one of as many units reads from the end.
        dropout: Dropout after it.
        name: Name of the layer.

    Returns:
        Tensor of shape `(batch, steps, units)`, of twice the units if it is bidirectional.

    Example:
        >>> recurrent(keras.Input((5, 8)), "gru", 16, bidirectional=True).shape
        (None, 5, 32)
    """
    kinds = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}
    if bidirectional:
        inner = kinds[kind](units, return_sequences=True)
        layer: Any = keras.layers.Bidirectional(inner, name=name)
    else:
        layer = kinds[kind](units, return_sequences=True, name=name)
    x = layer(x, mask=mask)
    return keras.layers.Dropout(dropout, name=f"{name}_dropout")(x)


def transformer_block(
    x: Any,
    heads: int,
    *,
    mask: Any = None,
    width: int = 2,
    activation: str = "gelu",
    dropout: float = 0.0,
    name: str = "transformer",
) -> Any:
    """Lets each step attend to all that are there, then passes each through two dense layers.

    After Vaswani et al. 2017, "Attention Is All You Need", with the normalization before each part
    (Xiong et al. 2020, "On Layer Normalization in the Transformer Architecture").

    Args:
        x: Tensor of shape `(batch, steps, features)`.
        heads: Number of heads; each has a share of the features.
        mask: Which steps are there; None for all.
        width: How many times the features the first of the dense layers has.
        activation: Name of its activation.
        dropout: Dropout of each part.
        name: Prefix of the layers' names.

    Returns:
        Tensor of the same shape.

    Example:
        >>> transformer_block(keras.Input((5, 8)), heads=2).shape
        (None, 5, 8)
    """
    size = x.shape[-1]
    inner = keras.layers.LayerNormalization(name=f"{name}_attention_normalization")(x)
    attention = keras.layers.MultiHeadAttention(
        heads, max(1, size // heads), name=f"{name}_attention"
    )
    seen = None if mask is None else ops.expand_dims(mask, axis=1)
    inner = attention(inner, inner, attention_mask=seen)
    inner = keras.layers.Dropout(dropout, name=f"{name}_attention_dropout")(inner)
    x = keras.layers.Add(name=f"{name}_attended")([x, inner])
    inner = keras.layers.LayerNormalization(name=f"{name}_normalization")(x)
    inner = keras.layers.Dense(width * size, activation=activation, name=f"{name}_wide")(inner)
    inner = keras.layers.Dense(size, name=f"{name}_narrow")(inner)
    inner = keras.layers.Dropout(dropout, name=f"{name}_dropout")(inner)
    return keras.layers.Add(name=f"{name}_sum")([x, inner])


def pooled_steps(x: Any, pooling: str, mask: Any = None) -> Any:
    """Makes one vector of the steps that are there.

    Args:
        x: Tensor of shape `(batch, steps, features)`.
        pooling: One of `STEP_POOLINGS`; "last" is the last step that is there.
        mask: Which steps are there; None for all. Of a sequence without any the vector is 0.

    Returns:
        Tensor of shape `(batch, features)`, of `(batch, steps * features)` for "flatten".

    Example:
        >>> x = ops.array([[[1.0], [4.0], [9.0]]])
        >>> mask = ops.array([[True, True, False]])
        >>> [float(pooled_steps(x, how, mask)[0, 0]) for how in ("max", "average", "last")]
        [4.0, 2.5, 4.0]
    """
    if pooling == "flatten":
        return keras.layers.Flatten(name="features")(masked(x, mask))
    if mask is None and pooling == "last":
        return ops.take(x, x.shape[1] - 1, axis=1)
    if mask is None:
        mean, highest = keras.layers.GlobalAveragePooling1D, keras.layers.GlobalMaxPooling1D
        return (highest if pooling == "max" else mean)(name="features")(x)
    mask = ops.expand_dims(mask, axis=-1)
    there = ops.cast(mask, x.dtype)
    if pooling == "average":
        return ops.sum(x * there, axis=1) / ops.maximum(ops.sum(there, axis=1), 1)
    if pooling == "last":
        counted = ops.cumsum(there, axis=1)
        is_last = ops.logical_and(mask, ops.equal(counted, ops.max(counted, axis=1, keepdims=True)))
        return ops.sum(x * ops.cast(is_last, x.dtype), axis=1)
    highest = ops.max(ops.where(mask, x, _LOWEST), axis=1)
    return ops.where(ops.any(mask, axis=1), highest, 0)


def bag_of_words(
    tokens: Any,
    vocabulary_size: int,
    size: int,
    *,
    weights: Sequence[float] | None = None,
    dropout: float = 0.0,
    name: str = "bag",
) -> Any:
    """Applies a linear layer to how often each word is there, weighed, and scaled to length 1.

    With inverse document frequencies as weights that is TF-IDF. Instead of a vector as long as the
    vocabulary, the rows of the layer's kernel that belong to the words of a text are added up, as
    in fastText (Joulin et al. 2017, "Bag of Tricks for Efficient Text Classification").

    Args:
        tokens: Tensor of ids of shape `(batch, steps)`; 0 is padding.
        vocabulary_size: How many ids there are, 0 included.
        size: Features of the result.
        weights: What each word counts, by its id; None for all alike.
        dropout: Share of the words that are left out of a text in training.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, size)`, 0 before any training.

    Example:
        >>> bag_of_words(keras.Input((40,), dtype="int32"), vocabulary_size=1000, size=2).shape
        (None, 2)
    """
    counts = ops.cast(ops.expand_dims(padding_mask(tokens), axis=-1), keras.config.floatx())
    if weights is not None:
        layer = keras.layers.Embedding(vocabulary_size, 1, trainable=False, name=f"{name}_weights")
        counts = counts * ops.cast(layer(tokens), counts.dtype)
        layer.set_weights([ops.convert_to_numpy(ops.reshape(weights, (vocabulary_size, 1)))])
    counts = keras.layers.Dropout(dropout, name=f"{name}_dropout")(counts)
    rows = keras.layers.Embedding(vocabulary_size, size, embeddings_initializer="zeros", name=name)(
        tokens
    )
    length = ops.sqrt(ops.maximum(ops.sum(ops.square(counts), axis=1), _SHORTEST))
    return ops.sum(rows * ops.cast(counts, rows.dtype), axis=1) / ops.cast(length, rows.dtype)


def weighed_steps(x: Any, size: int, name: str = "weighed") -> Any:
    """Applies a linear layer to all steps that no training changes; its weights are to be set.

    Args:
        x: Tensor of shape `(batch, steps, features)`.
        size: Features of the result.
        name: Name of the layer.

    Returns:
        Tensor of shape `(batch, size)`, 0 before the weights are set.

    Example:
        >>> weighed_steps(keras.Input((40, 2)), size=3).shape
        (None, 3)
    """
    layer = keras.layers.Dense(size, kernel_initializer="zeros", trainable=False, name=name)
    return layer(keras.layers.Flatten(name=f"{name}_steps")(x))


def length(tokens: Any) -> Any:
    """Tells how long sequences are, as the logarithm of one more than their steps.

    Args:
        tokens: Tensor of ids of shape `(batch, steps)`; 0 is padding.

    Returns:
        Tensor of shape `(batch, 1)`.

    Example:
        >>> length(keras.Input((40,), dtype="int32")).shape
        (None, 1)
    """
    there = ops.cast(padding_mask(tokens), keras.config.floatx())
    return ops.log1p(ops.sum(there, axis=1, keepdims=True))


def window_features(x: Any) -> Any:
    """Gives all steps as one vector, for a linear layer to learn from quickly.

    What the steps share, their mean, is apart from how they differ from it, and the last step is
    there once more: steps that are alike are hard to tell apart by gradients (compare NLinear,
    Zeng et al. 2023, "Are Transformers Effective for Time Series Forecasting?").

    Args:
        x: Tensor of shape `(batch, steps, features)`.

    Returns:
        Tensor of shape `(batch, (steps + 2) * features)`.

    Example:
        >>> ops.convert_to_numpy(window_features(ops.array([[[1.0], [2.0], [6.0]]]))).tolist()
        [[-2.0, -1.0, 3.0, 3.0, 6.0]]
    """
    mean = ops.mean(x, axis=1, keepdims=True)
    last = ops.take(x, [x.shape[1] - 1], axis=1)
    parts = keras.layers.Concatenate(axis=1, name="window_parts")([x - mean, mean, last])
    return keras.layers.Flatten(name="window")(parts)
