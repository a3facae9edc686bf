"""Multilayer perceptrons."""

from __future__ import annotations

from typing import Any, Unpack

import keras
import keras_tuner

from hypermodels import blocks
from hypermodels.ranges import Names, Numbers, Range, WithDefault, check_shape, pick
from hypermodels.trained import TRAINING, Arguments, TrainedHyperModel, TrainingRanges

# Means of three seeds: diabetes (share of the variance explained), breast_cancer, digits. Figures
# with a sign are what another value gains over the default, in the mean of the tables diabetes, OJ,
# Carseats and Boston (`python -m benchmarks.ranges`).
ARGUMENTS: Arguments = {
    **TRAINING,
    # One: 0.447, 0.949, 0.970. Two: 0.387, 0.953, 0.979. Three: 0.375, 0.949, 0.978. +0.001, 0.000.
    "layers": Numbers((1, 3), (1, 4), 2, low=1),
    # 32: 0.000. 256: -0.003.
    "units": Numbers((32, 256), (16, 256), 128, low=1),
    # gelu was level on digits (0.978 and 0.981). +0.007.
    "activation": Names(["relu", "gelu"], ["relu", "gelu", "tanh"], "relu", blocks.ACTIVATIONS),
    # None: 0.387, 0.953, 0.979. Batch: 0.274, 0.957, 0.982. -0.022.
    "normalization": Names(
        ["none", "batch"], list(blocks.NORMALIZATIONS), "none", blocks.NORMALIZATIONS
    ),
    # 0.1: 0.387, 0.953, 0.979. 0.25: 0.420, 0.949, 0.978. 0: -0.003. 0.4: -0.001.
    "dropout": Numbers((0.0, 0.4), (0.0, 0.5), 0.2, high=0.99),
    "l1": Numbers(0.0, 0.0, 0.0),
    # 1e-2: -0.065.
    "l2": Numbers(0.0, (1e-7, 1e-2), 0.0),
}


class MLPHyperModel(TrainedHyperModel):
    """Dense layers for classification or regression of anything that has a fixed shape.

    Every range is `(low, high)`, a list of choices, or one value, which is not searched then.

    Args:
        input_shape: Shape of a sample; inputs with several axes are flattened.
        num_classes: Number of classes; None for regression.
        preset: `"small"`, the ranges in which a search of a few trials finds something good, or
            `"wide"`. What is given comes first.
        layers: Number of hidden layers.
        units: Units of a layer, each its own, searched on a log scale.
        activation: Names out of `hypermodels.blocks.ACTIVATIONS`.
        normalization: Names out of none, batch, layer.
        dropout: Dropout after a layer, each its own.
        l1: Penalty on the weights' absolute values; a range is searched on a log scale.
        l2: Penalty on the weights' squares, likewise.
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
        ValueError: If a range or name is not allowed.
        TypeError: If there is no such argument.

    Example:
        >>> hypermodel = MLPHyperModel((8, 8), num_classes=10, layers=(1, 2), optimizer="adam")
        >>> hypermodel.build(keras_tuner.HyperParameters()).output_shape
        (None, 10)
    """

    layers: WithDefault
    units: WithDefault
    activation: WithDefault
    normalization: WithDefault
    dropout: WithDefault
    l1: WithDefault
    l2: WithDefault

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_classes: int | None = None,
        *,
        preset: str = "small",
        layers: Range = None,
        units: Range = None,
        activation: Range = None,
        normalization: Range = None,
        dropout: Range = None,
        l1: Range = None,
        l2: Range = None,
        train_size: int = 10_000,
        epochs: Range = None,
        target_scale: tuple[float, float] | None = None,
        name: str | None = "mlp",
        tunable: bool = True,
        **training: Unpack[TrainingRanges],
    ) -> None:
        given = {
            "layers": layers,
            "units": units,
            "activation": activation,
            "normalization": normalization,
            "dropout": dropout,
            "l1": l1,
            "l2": l2,
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
        check_shape(input_shape)
        self.input_shape = tuple(input_shape)

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Builds a compiled model.

        Args:
            hp: Its hyperparameters.

        Returns:
            A model from `(batch, *input_shape)` to classes or values.
        """
        inputs = keras.Input(self.input_shape)
        x: Any = keras.layers.Flatten()(inputs) if len(self.input_shape) > 1 else inputs
        x = blocks.dense_stack(
            hp,
            x,
            layers=self.layers,
            units=self.units,
            activation=pick(hp, "activation", self.activation),
            normalization=pick(hp, "normalization", self.normalization),
            dropout=self.dropout,
            penalty=blocks.regularizer(hp, l1=self.l1, l2=self.l2),
        )
        return self.compiled(hp, inputs, x)
