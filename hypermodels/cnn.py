"""Convolutional networks for images."""

from __future__ import annotations

from typing import Any, Unpack

import keras
import keras_tuner

from hypermodels import blocks
from hypermodels.ranges import (
    Names,
    Numbers,
    Range,
    WithDefault,
    check_image,
    pick,
    possible,
    searched,
)
from hypermodels.trained import TRAINING, Arguments, TrainedHyperModel, TrainingRanges

HEADS = ("flatten", "global")
# In fewer epochs a model does not get over being shown another image each time.
FEW_EPOCHS = 5
# Figures with a sign are what another value gains over the default after 6 epochs, in the mean of
# mnist5k, digits and letters (`python -m benchmarks.ranges`).
ARGUMENTS: Arguments = {
    **TRAINING,
    "batch_size": Numbers([32, 64], [16, 32, 64], 32, low=1),
    "learning_rate": Numbers((3e-4, 5e-3), (5e-4, 2e-2), 3e-3, low=1e-12),
    # mnist5k, test accuracy after 10 epochs: 0.988 with three blocks, 0.977 with two.
    # 2: -0.033.
    "blocks": Numbers((2, 3), (2, 3), 3, low=1),
    # 16, 32, 64 are level with 32, 64, 64 (0.987 and 0.988) in half the time. 64: +0.048.
    "filters": Numbers((16, 64), (8, 48), 16, low=1),
    # 5 was level with 3 (0.980 and 0.978), and took 1.4 times as long. +0.052 after 6 epochs.
    "kernel_size": Numbers(3, [3, 5], 3, low=1),
    # gelu: +0.006.
    "activation": Names(["relu", "gelu"], ["relu", "gelu"], "relu", blocks.ACTIVATIONS),
    # Without it 8 epochs came to 0.932, with it to 0.961. none: -0.002 with the other defaults.
    "normalization": Names("batch", ["batch", "none"], "batch", blocks.NORMALIZATIONS),
    # The median of short trainings was 0.28 with averages, 0.94 with maxima. average: +0.018 with
    # the other defaults.
    "pooling": Names("max", ["max", "average"], "max", blocks.POOLINGS),
    # Of two blocks: 0.28 with the mean, 0.93 flattened. Of three: 0.984 and 0.988. global: -0.029.
    "head": Names(["flatten", "global"], ["flatten", "global"], "flatten", HEADS),
    "global_from": Numbers(3, 1, 3, low=1),
    # One made no difference (0.963 and 0.961), with twice the weights. 1: -0.007.
    "dense_layers": Numbers((0, 1), (0, 1), 0),
    "units": Numbers((64, 128), (32, 128), 128, low=1),
    # 0.1 came to 0.976 where 0.25 came to 0.969: trainings are short. 0: +0.019. 0.3: -0.112.
    "dropout": Numbers((0.0, 0.3), (0.0, 0.3), 0.1, high=0.99),
    "l1": Numbers(0.0, 0.0, 0.0),
    # 1e-3: -0.005.
    "l2": Numbers(0.0, (1e-7, 1e-3), 0.0),
    # 0.977 with it and 0.972 without after 10 epochs; 0.959 and 0.966 after 3. 0: +0.020.
    "augmentation": Numbers([0.0, 0.05], [0.0, 0.05], 0.05, high=1),
}


class CNNHyperModel(TrainedHyperModel):
    """Blocks of convolution and pooling, then dense layers, for images.

    Every range is `(low, high)`, a list of choices, or one value, which is not searched then.

    Args:
        input_shape: Height, width and channels of an image; without channels it has one.
        num_classes: Number of classes; None for regression.
        preset: `"small"`, the ranges in which a search of a few trials finds something good, or
            `"wide"`. What is given comes first.
        blocks: Number of convolution blocks.
        filters: Filters of a block, each its own, searched on a log scale; the default doubles
            with each block.
        kernel_size: Side of a block's kernel in pixels, each its own.
        activation: Names out of `hypermodels.blocks.ACTIVATIONS`.
        normalization: Names out of none, batch, layer.
        pooling: Names out of max, average: how a block halves its sides.
        head: Names out of flatten, global: how images become features.
        global_from: From how many blocks on the head is searched, if several are given; with
            fewer it is flatten: the features of large maps say where, and their mean does not.
        dense_layers: Number of dense layers after the blocks.
        units: Units of a dense layer, each its own, searched on a log scale.
        dropout: Dropout after a block or a dense layer, each its own.
        l1: Penalty on the weights' absolute values; a range is searched on a log scale.
        l2: Penalty on the weights' squares, likewise.
        augmentation: Strength of random shifts, turns and zooms as a part of the image's size;
            0 for none, as it is in small searches of fewer than 5 epochs.
        train_size: Number of training samples; only of use where the data do not tell how many
            they are (generators): schedules are as long as the training otherwise.
        epochs: Epochs of a training; what `search` is told comes first.
        target_scale: Mean and standard deviation of a regression's targets, which the model then
            answers in, and learns on a scale of its own.
        name: Name of the hypermodel and its models.
        tunable: Whether its hyperparameters are searched.
        **training: Ranges of batch size, optimizer and learning rate, as in
            `hypermodels.trained.TrainingRanges`.

    Raises:
        ValueError: If a range or name is not allowed, or samples of this shape are no images.
        TypeError: If there is no such argument.

    Example:
        >>> hypermodel = CNNHyperModel((28, 28), num_classes=10, blocks=2, optimizer="adam")
        >>> hypermodel.build(keras_tuner.HyperParameters()).output_shape
        (None, 10)
    """

    blocks: WithDefault
    filters: WithDefault
    kernel_size: WithDefault
    activation: WithDefault
    normalization: WithDefault
    pooling: WithDefault
    head: WithDefault
    global_from: WithDefault
    dense_layers: WithDefault
    units: WithDefault
    dropout: WithDefault
    l1: WithDefault
    l2: WithDefault
    augmentation: WithDefault

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_classes: int | None = None,
        *,
        preset: str = "small",
        blocks: Range = None,
        filters: Range = None,
        kernel_size: Range = None,
        activation: Range = None,
        normalization: Range = None,
        pooling: Range = None,
        head: Range = None,
        global_from: Range = None,
        dense_layers: Range = None,
        units: Range = None,
        dropout: Range = None,
        l1: Range = None,
        l2: Range = None,
        augmentation: Range = None,
        train_size: int = 10_000,
        epochs: Range = None,
        target_scale: tuple[float, float] | None = None,
        name: str | None = "cnn",
        tunable: bool = True,
        **training: Unpack[TrainingRanges],
    ) -> None:
        given = {
            "blocks": blocks,
            "filters": filters,
            "kernel_size": kernel_size,
            "activation": activation,
            "normalization": normalization,
            "pooling": pooling,
            "head": head,
            "global_from": global_from,
            "dense_layers": dense_layers,
            "units": units,
            "dropout": dropout,
            "l1": l1,
            "l2": l2,
            "augmentation": augmentation,
            "epochs": epochs,
            **training,
        }
        super().__init__(
            num_classes,
            ARGUMENTS,
            given,
            preset=preset,
            train_size=train_size,
            target_scale=target_scale,
            name=name,
            tunable=tunable,
        )
        check_image(input_shape)
        self.input_shape = tuple(input_shape)
        if augmentation is None and preset == "small" and max(possible(self.epochs)) < FEW_EPOCHS:
            self.augmentation = WithDefault(0.0, 0.0)

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Builds a compiled model.

        Args:
            hp: Its hyperparameters.

        Returns:
            A model from `(batch, *input_shape)` to classes or values.
        """
        inputs = keras.Input(self.input_shape)
        x = blocks.augmented(
            blocks.with_channels(inputs), pick(hp, "augmentation", self.augmentation)
        )
        activation = pick(hp, "activation", self.activation)
        penalty = blocks.regularizer(hp, l1=self.l1, l2=self.l2)
        x = self._convolved(hp, x, activation, penalty)
        is_global = self._head(hp) == "global"
        layer = keras.layers.GlobalAveragePooling2D if is_global else keras.layers.Flatten
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
        penalty: keras.regularizers.Regularizer | None,
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

    def _head(self, hp: keras_tuner.HyperParameters) -> str:
        """How images become features; a choice only where there are blocks enough."""
        least, counts = min(possible(self.global_from)), possible(self.blocks)
        enough = [count for count in counts if count >= least]
        if not searched(self.head) or enough == counts:
            return pick(hp, "head", self.head)
        if not enough:
            return "flatten"
        with hp.conditional_scope("num_blocks", enough):
            head = pick(hp, "head", self.head)
        return head or "flatten"
