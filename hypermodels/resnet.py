"""Residual networks."""

from __future__ import annotations

from typing import Any, Unpack

import keras
import keras_tuner

from hypermodels import blocks
from hypermodels.ranges import Names, Numbers, Range, WithDefault, check_image, pick, possible
from hypermodels.trained import TRAINING, Arguments, TrainedHyperModel, TrainingRanges

# Test accuracy of mnist5k after 8 epochs of train and validation: 0.988 with the defaults. Figures
# with a sign are what another value gains over the default after 6 epochs, in the mean of mnist5k,
# digits and letters (`python -m benchmarks.ranges`).
ARGUMENTS: Arguments = {
    **TRAINING,
    # 2: -0.112.
    "stages": Numbers(3, (1, 4), 3, low=1),
    # 2: +0.017, in nearly twice the time.
    "depth": Numbers((1, 2), (1, 3), 1, low=1),
    # 8 came to 0.979, in half the time. 32: +0.030, in more than twice the time.
    "filters": Numbers((16, 32), (8, 64), 16, low=1),
    # Separable ones came to 0.977, in as much time: they have fewer weights, not less to do. -0.126
    # after 6 epochs.
    "convolution": Names("plain", list(blocks.CONVOLUTIONS), "plain", blocks.CONVOLUTIONS),
    # gelu: +0.018. silu: +0.009.
    "activation": Names("relu", ["relu", "gelu", "silu"], "relu", blocks.ACTIVATIONS),
    # layer: -0.205.
    "normalization": Names("batch", ["batch", "layer"], "batch", blocks.NORMALIZATIONS),
    # 0.3: -0.104.
    "dropout": Numbers((0.0, 0.1), (0.0, 0.5), 0.0, high=0.99),
    "l1": Numbers(0.0, 0.0, 0.0),
    # 1e-7: +0.009. 1e-3: +0.004.
    "l2": Numbers(0.0, (1e-7, 1e-3), 0.0),
    # As in CNNHyperModel. 0: +0.022.
    "augmentation": Numbers([0.0, 0.05], [0.0, 0.05, 0.1], 0.05, high=1),
}


class ResNetHyperModel(TrainedHyperModel):
    """Stages of residual blocks for images, from 8 x 8 pixels on.

    The first convolution keeps the size of the image, each stage after the first halves its sides
    and has twice the filters, and the mean of the last features is what classes are told by.

    Every range is `(low, high)`, a list of choices, or one value, which is not searched then.

    Args:
        input_shape: Height, width and channels of an image; without channels it has one.
        num_classes: Number of classes; None for regression.
        preset: `"small"`, the ranges in which a search of a few trials finds something good, or
            `"wide"`. What is given comes first.
        stages: Number of stages.
        depth: Residual blocks in a stage, each its own.
        filters: Filters of the first stage, searched on a log scale.
        convolution: Names out of plain, separable.
        activation: Names out of `hypermodels.blocks.ACTIVATIONS`.
        normalization: Names out of none, batch, layer.
        dropout: Dropout in each block, and before the output.
        l1: Penalty on the weights' absolute values; a range is searched on a log scale.
        l2: Penalty on the weights' squares, likewise.
        augmentation: Strength of random shifts, turns and zooms as a part of the image's size;
            0 for none.
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
        >>> hypermodel = ResNetHyperModel((28, 28), num_classes=10, convolution="separable")
        >>> hypermodel.build(keras_tuner.HyperParameters()).output_shape
        (None, 10)
    """

    stages: WithDefault
    depth: WithDefault
    filters: WithDefault
    convolution: WithDefault
    activation: WithDefault
    normalization: WithDefault
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
        stages: Range = None,
        depth: Range = None,
        filters: Range = None,
        convolution: Range = None,
        activation: Range = None,
        normalization: Range = None,
        dropout: Range = None,
        l1: Range = None,
        l2: Range = None,
        augmentation: Range = None,
        train_size: int = 10_000,
        epochs: Range = None,
        target_scale: tuple[float, float] | None = None,
        name: str | None = "resnet",
        tunable: bool = True,
        **training: Unpack[TrainingRanges],
    ) -> None:
        given = {
            "stages": stages,
            "depth": depth,
            "filters": filters,
            "convolution": convolution,
            "activation": activation,
            "normalization": normalization,
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

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Builds a compiled model.

        Args:
            hp: Its hyperparameters.

        Returns:
            A model from `(batch, *input_shape)` to classes or values.
        """
        inputs = keras.Input(self.input_shape)
        x = blocks.with_channels(inputs)
        x = blocks.augmented(x, pick(hp, "augmentation", self.augmentation))
        filters = pick(hp, "filters", self.filters, sampling="log")
        dropout = pick(hp, "dropout", self.dropout)
        style = {
            "convolution": pick(hp, "convolution", self.convolution),
            "activation": pick(hp, "activation", self.activation),
            "normalization": pick(hp, "normalization", self.normalization),
            "penalty": blocks.regularizer(hp, l1=self.l1, l2=self.l2),
        }
        x = blocks.convolved(x, filters, penalty=style["penalty"], name="stem")
        x = self._stages(hp, x, filters, {**style, "dropout": dropout})
        x = blocks.activated(x, style["activation"], style["normalization"], "features")
        x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
        x = keras.layers.Dropout(dropout, name="dropout")(x)
        return self.compiled(hp, inputs, x)

    def _stages(
        self, hp: keras_tuner.HyperParameters, x: Any, filters: int, style: dict[str, Any]
    ) -> Any:
        """The residual blocks; the depth of a stage is asked for only where there is the stage."""
        counts = possible(self.stages)
        count = pick(hp, "num_stages", self.stages)
        for stage in range(max(counts)):
            with hp.conditional_scope("num_stages", [one for one in counts if one > stage]):
                depth = pick(hp, f"stage_{stage}_depth", self.depth)
            for index in range(depth if stage < count else 0):
                x = blocks.residual_block(
                    x,
                    filters * 2**stage,
                    halves=stage > 0 and index == 0,
                    name=f"stage_{stage}_{index}",
                    **style,
                )
        return x
