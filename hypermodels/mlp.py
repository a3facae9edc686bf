"""Multilayer perceptrons."""

from __future__ import annotations

from typing import Any

import keras
import keras_tuner

from hypermodels import blocks
from hypermodels.ranges import Range, check_names, check_numbers, check_shape, pick
from hypermodels.trained import TrainedHyperModel


class MLPHyperModel(TrainedHyperModel):
    """Dense layers for classification or regression of anything that has a fixed shape.

    Every range is `(low, high)`, a list of choices, or one value, which is not searched then.

    Args:
        input_shape: Shape of a sample; inputs with several axes are flattened.
        num_classes: Number of classes; None for regression.
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
        ValueError: If a range or name is not allowed.

    Example:
        >>> hypermodel = MLPHyperModel((8, 8), num_classes=10, layers=(1, 2), optimizer="adam")
        >>> hypermodel.build(keras_tuner.HyperParameters()).output_shape
        (None, 10)
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_classes: int | None = None,
        *,
        layers: Range = (1, 4),
        units: Range = (16, 256),
        activation: Range = ["relu", "gelu", "tanh"],
        normalization: Range = ["none", "batch", "layer"],
        dropout: Range = (0.0, 0.5),
        l1: Range = 0.0,
        l2: Range = (1e-7, 1e-2),
        train_size: int = 10_000,
        epochs: Range = 20,
        batch_size: Range = [16, 32, 64, 128, 256],
        optimizer: Range = ["adam", "adamw", "sgd", "rmsprop"],
        learning_rate: Range = (3e-4, 3e-2),
        momentum: Range = (0.5, 0.99),
        weight_decay: Range = (1e-6, 1e-2),
        schedule: Range = ["none", "cosine", "exponential"],
        warm_up: Range = (0.0, 0.2),
        name: str | None = "mlp",
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
        check_numbers("layers", layers, 1)
        check_numbers("units", units, 1)
        check_names("activation", activation, blocks.ACTIVATIONS)
        check_names("normalization", normalization, blocks.NORMALIZATIONS)
        check_numbers("dropout", dropout, 0, 0.99)
        check_numbers("l1", l1, 0)
        check_numbers("l2", l2, 0)
        self.input_shape = tuple(input_shape)
        self.layers = layers
        self.units = units
        self.activation = activation
        self.normalization = normalization
        self.dropout = dropout
        self.l1 = l1
        self.l2 = l2

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
