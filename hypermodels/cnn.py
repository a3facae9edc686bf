"""Convolutional networks for images."""

from __future__ import annotations

from typing import Any

import keras
import keras_tuner

from hypermodels import blocks
from hypermodels.ranges import Range, check_names, check_numbers, check_shape, pick, possible
from hypermodels.trained import TrainedHyperModel


class CNNHyperModel(TrainedHyperModel):
    """Blocks of convolution and pooling, then dense layers, for images.

    Every range is `(low, high)`, a list of choices, or one value, which is not searched then.

    Args:
        input_shape: Height, width and channels of an image; without channels it has one.
        num_classes: Number of classes; None for regression.
        blocks: Number of convolution blocks.
        filters: Filters of a block, each its own, searched on a log scale.
        kernel_size: Side of a block's kernel in pixels, each its own.
        activation: Names out of `hypermodels.blocks.ACTIVATIONS`.
        normalization: Names out of none, batch, layer.
        pooling: Names out of max, average: how a block halves its sides.
        head: Names out of flatten, global: how images become features.
        dense_layers: Number of dense layers after the blocks.
        units: Units of a dense layer, each its own, searched on a log scale.
        dropout: Dropout after a block or a dense layer, each its own.
        l1: Penalty on the weights' absolute values; a range is searched on a log scale.
        l2: Penalty on the weights' squares, likewise.
        augmentation: Strength of random shifts, turns and zooms as a part of the image's size;
            0 for none.
        train_size: Number of training samples; only of use where the data do not tell how many
            they are (generators): schedules are as long as the training otherwise.
        epochs: Epochs of a training; what `search` is told comes first.
        batch_size: Batch size; not used with pipelines, which are batched already.
        optimizer: Names out of adam, adamw, sgd, rmsprop.
        learning_rate: Learning rate, searched on a log scale.
        momentum: Momentum, under sgd.
        weight_decay: Weight decay, under adamw.
        schedule: Names out of none, cosine, exponential.
        warm_up: Part of a training in which the learning rate rises from 0, with a schedule.
        name: Name of the hypermodel and its models.
        tunable: Whether its hyperparameters are searched.

    Raises:
        ValueError: If a range or name is not allowed, or samples of this shape are no images.

    Example:
        >>> hypermodel = CNNHyperModel((28, 28), num_classes=10, blocks=2, optimizer="adam")
        >>> hypermodel.build(keras_tuner.HyperParameters()).output_shape
        (None, 10)
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_classes: int | None = None,
        *,
        blocks: Range = (2, 3),
        filters: Range = (8, 48),
        kernel_size: Range = [3, 5],
        activation: Range = ["relu", "gelu"],
        normalization: Range = ["batch", "none"],
        pooling: Range = ["max", "average"],
        head: Range = ["flatten", "global"],
        dense_layers: Range = (0, 1),
        units: Range = (32, 128),
        dropout: Range = (0.0, 0.3),
        l1: Range = 0.0,
        l2: Range = (1e-7, 1e-3),
        augmentation: Range = [0.0, 0.05],
        train_size: int = 10_000,
        epochs: Range = 20,
        batch_size: Range = [16, 32, 64],
        optimizer: Range = ["adam", "adamw", "sgd", "rmsprop"],
        learning_rate: Range = (5e-4, 2e-2),
        momentum: Range = (0.5, 0.99),
        weight_decay: Range = (1e-6, 1e-2),
        schedule: Range = ["none", "cosine", "exponential"],
        warm_up: Range = (0.0, 0.2),
        name: str | None = "cnn",
        tunable: bool = True,
    ) -> None:
        super().__init__(
            num_classes,
            train_size=train_size,
            epochs=epochs,
            batch_size=batch_size,
            optimizer=optimizer,
            learning_rate=learning_rate,
            momentum=momentum,
            weight_decay=weight_decay,
            schedule=schedule,
            warm_up=warm_up,
            name=name,
            tunable=tunable,
        )
        check_shape(input_shape)
        _check_image(input_shape)
        check_numbers("blocks", blocks, 1)
        check_numbers("filters", filters, 1)
        check_numbers("kernel_size", kernel_size, 1)
        _check_names(activation, normalization, pooling, head)
        check_numbers("dense_layers", dense_layers, 0)
        check_numbers("units", units, 1)
        check_numbers("dropout", dropout, 0, 0.99)
        check_numbers("l1", l1, 0)
        check_numbers("l2", l2, 0)
        check_numbers("augmentation", augmentation, 0, 1)
        self.input_shape = tuple(input_shape)
        self.blocks = blocks
        self.filters = filters
        self.kernel_size = kernel_size
        self.activation = activation
        self.normalization = normalization
        self.pooling = pooling
        self.head = head
        self.dense_layers = dense_layers
        self.units = units
        self.dropout = dropout
        self.l1 = l1
        self.l2 = l2
        self.augmentation = augmentation

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Builds a compiled model.

        Args:
            hp: Its hyperparameters.

        Returns:
            A model from `(batch, *input_shape)` to classes or values.
        """
        inputs = keras.Input(self.input_shape)
        height, width, channels = (*self.input_shape, 1)[:3]
        x: Any = keras.layers.Reshape((height, width, channels))(inputs)
        x = augmented(x, pick(hp, "augmentation", self.augmentation))
        activation = pick(hp, "activation", self.activation)
        penalty = blocks.regularizer(hp, l1=self.l1, l2=self.l2)
        x = self._convolved(hp, x, activation, penalty)
        global_pooling = pick(hp, "head", self.head) == "global"
        layer = keras.layers.GlobalAveragePooling2D if global_pooling else keras.layers.Flatten
        x = blocks.dense_stack(
            hp,
            layer(name="features")(x),
            layers=self.dense_layers,
            units=self.units,
            activation=activation,
            dropout=self.dropout,
            penalty=penalty,
        )
        return self.compiled(hp, inputs, x)

    def _convolved(
        self,
        hp: keras_tuner.HyperParameters,
        x: Any,
        activation: str,
        penalty: keras.regularizers.Regularizer,
    ) -> Any:
        """The convolution blocks; the hyperparameters of a block exist only where it does."""
        counts = possible(self.blocks)
        count = pick(hp, "num_blocks", self.blocks)
        normalization = pick(hp, "normalization", self.normalization)
        pooling = pick(hp, "pooling", self.pooling)
        for index in range(max(counts)):
            with hp.conditional_scope("num_blocks", [one for one in counts if one > index]):
                ranges = {
                    "filters": self.filters,
                    "kernel_size": self.kernel_size,
                    "dropout": self.dropout,
                }
                if index >= count:
                    blocks.declare_conv_block(hp, index, **ranges)
                    continue
                x = blocks.conv_block(
                    hp,
                    x,
                    index,
                    activation=activation,
                    normalization=normalization,
                    pooling=pooling,
                    penalty=penalty,
                    **ranges,
                )
        return x


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


def _check_image(input_shape: tuple[int, ...]) -> None:
    if len(input_shape) not in (2, 3):
        raise ValueError(
            f"input_shape={input_shape!r} is no image: give (height, width) or (height, width, "
            "channels). For tables and other vectors there is MLPHyperModel."
        )


def _check_names(activation: Range, normalization: Range, pooling: Range, head: Range) -> None:
    check_names("activation", activation, blocks.ACTIVATIONS)
    check_names("normalization", normalization, blocks.NORMALIZATIONS)
    check_names("pooling", pooling, blocks.POOLINGS)
    check_names("head", head, ("flatten", "global"))
