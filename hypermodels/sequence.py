"""Models for sequences: texts, series, signals."""

from __future__ import annotations

import math
from typing import Any, Unpack

import keras
import keras_tuner

from hypermodels import blocks
from hypermodels.ranges import (
    Names,
    Numbers,
    Range,
    WithDefault,
    check_numbers,
    check_shape,
    pick,
    possible,
)
from hypermodels.trained import TRAINING, Arguments, TrainedHyperModel, TrainingRanges

BODIES = ("none", "conv", "lstm", "gru", "transformer")
RECURRENT = ("lstm", "gru")
DIRECTIONS = ("forward", "both")
# Digits after 8 epochs, validation accuracy: as series of eight rows, and as texts of dark pixels.
ARGUMENTS: Arguments = {
    **TRAINING,
    # conv 0.843 and 0.883, gru 0.821 and 0.869, lstm 0.817 and 0.811, transformer 0.878 and 0.866,
    # none 0.749 of the texts. conv takes the least time.
    "body": Names(["conv", "gru", "transformer"], list(BODIES), "conv", BODIES),
    "layers": Numbers((1, 2), (1, 3), 1, low=1),
    "units": Numbers((32, 128), (16, 256), 64, low=1),
    "kernel_size": Numbers([3, 5], [3, 5, 7], 3, low=1),
    "heads": Numbers([2, 4], [1, 2, 4, 8], 4, low=1),
    "direction": Names(list(DIRECTIONS), list(DIRECTIONS), "both", DIRECTIONS),
    # conv with the maximum 0.843 and 0.883, with the mean 0.755 and 0.853.
    "pooling": Names(["max", "average"], list(blocks.STEP_POOLINGS), "max", blocks.STEP_POOLINGS),
    "embedding": Numbers([32, 64], [16, 32, 64, 128], 32, low=1),
    "dense_layers": Numbers((0, 1), (0, 2), 0),
    "activation": Names(["relu", "gelu"], ["relu", "gelu", "tanh"], "relu", blocks.ACTIVATIONS),
    "dropout": Numbers((0.0, 0.4), (0.0, 0.5), 0.1, high=0.99),
}
# Two years of the Canadian lynx (logarithms), mean error: 0.52 with gru and last, 0.56 with gru and
# flatten, 0.68 with transformer, 0.76 with conv and flatten; 0.87 is the last value's.
FORECAST: Arguments = {
    "body": Names(["conv", "gru", "transformer"], list(BODIES), "gru", BODIES),
    "pooling": Names(["last", "flatten"], list(blocks.STEP_POOLINGS), "last", blocks.STEP_POOLINGS),
}


class SequenceHyperModel(TrainedHyperModel):
    """Convolutions, recurrent layers or transformer blocks over the steps of a sequence.

    Sequences are of token ids, shape `(steps,)`, where 0 is padding, or of features, shape
    `(steps, features)`. Padding changes no prediction, wherever it stands and however long it is,
    but for the pooling "flatten", which has weights for every step.

    Every range is `(low, high)`, a list of choices, or one value, which is not searched then.

    Args:
        input_shape: `(steps,)` with `vocabulary_size`, or `(steps, features)`.
        num_classes: Number of classes; None for regression, or a forecast.
        vocabulary_size: How many token ids there are, 0 included; None for features.
        outputs: How many numbers a regression predicts: the horizon of a forecast.
        padding: Value that all features have in a step that is not there; None if all are.
        preset: `"small"`, the ranges in which a search of a few trials finds something good, or
            `"wide"`. What is given comes first.
        body: Names out of none (the mean of what tokens mean tells much of a text), conv, lstm,
            gru, transformer.
        layers: Number of layers of the body.
        units: Filters, units or features of a layer, searched on a log scale.
        kernel_size: Steps that a kernel sees, under conv.
        heads: Heads of the attention, under transformer.
        direction: Names out of forward, both: how lstm and gru read.
        pooling: Names out of `hypermodels.blocks.STEP_POOLINGS`: how steps become one vector.
        embedding: Size of the vector of a token; not used with features.
        dense_layers: Number of dense layers before the output, of as many units as the body.
        activation: Names out of `hypermodels.blocks.ACTIVATIONS`.
        dropout: Dropout after each layer.
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
        ValueError: If a range or name is not allowed, or samples of this shape are no sequences.
        TypeError: If there is no such argument.

    Example:
        >>> hypermodel = SequenceHyperModel((40,), num_classes=2, vocabulary_size=1000)
        >>> hypermodel.build(keras_tuner.HyperParameters()).output_shape
        (None, 1)
        >>> forecast = SequenceHyperModel((24, 3), outputs=12, body="gru")
        >>> forecast.build(keras_tuner.HyperParameters()).output_shape
        (None, 12)
    """

    body: WithDefault
    layers: WithDefault
    units: WithDefault
    kernel_size: WithDefault
    heads: WithDefault
    direction: WithDefault
    pooling: WithDefault
    embedding: WithDefault
    dense_layers: WithDefault
    activation: WithDefault
    dropout: WithDefault

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_classes: int | None = None,
        *,
        vocabulary_size: int | None = None,
        outputs: int = 1,
        padding: float | None = None,
        preset: str = "small",
        body: Range = None,
        layers: Range = None,
        units: Range = None,
        kernel_size: Range = None,
        heads: Range = None,
        direction: Range = None,
        pooling: Range = None,
        embedding: Range = None,
        dense_layers: Range = None,
        activation: Range = None,
        dropout: Range = None,
        train_size: int = 10_000,
        epochs: Range = None,
        target_scale: tuple[float, float] | None = None,
        name: str | None = "sequence",
        tunable: bool = True,
        **training: Unpack[TrainingRanges],
    ) -> None:
        given = {
            "body": body,
            "layers": layers,
            "units": units,
            "kernel_size": kernel_size,
            "heads": heads,
            "direction": direction,
            "pooling": pooling,
            "embedding": embedding,
            "dense_layers": dense_layers,
            "activation": activation,
            "dropout": dropout,
            "epochs": epochs,
            **training,
        }
        arguments = ARGUMENTS if num_classes is not None else {**ARGUMENTS, **FORECAST}
        super().__init__(
            num_classes,
            arguments,
            given,
            preset=preset,
            train_size=train_size,
            target_scale=target_scale,
            name=name,
            tunable=tunable,
        )
        _check_sequence(input_shape, vocabulary_size, padding)
        check_numbers("outputs", outputs, 1)
        if num_classes is not None and outputs != 1:
            raise ValueError(
                f"outputs={outputs} is the horizon of a forecast, but num_classes={num_classes}: "
                "give one of the two."
            )
        self.input_shape = tuple(input_shape)
        self.vocabulary_size = vocabulary_size
        self.outputs = outputs
        self.padding = padding

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Builds a compiled model.

        Args:
            hp: Its hyperparameters.

        Returns:
            A model from `(batch, *input_shape)` to classes or values.
        """
        inputs, x, mask = self._embedded(hp)
        activation = pick(hp, "activation", self.activation)
        dropout = pick(hp, "dropout", self.dropout)
        units = pick(hp, "units", self.units, sampling="log")
        x = self._body(hp, x, mask, units, {"activation": activation, "dropout": dropout})
        x = blocks.pooled_steps(x, pick(hp, "pooling", self.pooling), mask)
        x = blocks.dense_stack(
            hp,
            x,
            layers=self.dense_layers,
            units=self.units,
            activation=activation,
            dropout=self.dropout,
        )
        return self.compiled(hp, inputs, x, self.outputs)

    def _embedded(self, hp: keras_tuner.HyperParameters) -> tuple[Any, Any, Any]:
        """The input, the features of its steps, and which steps are there."""
        if self.vocabulary_size is None:
            inputs = keras.Input(self.input_shape)
            mask = None if self.padding is None else blocks.padding_mask(inputs, self.padding)
            return inputs, inputs, mask
        inputs = keras.Input(self.input_shape, dtype="int32")
        size = pick(hp, "embedding", self.embedding)
        x = keras.layers.Embedding(self.vocabulary_size, size, name="embedding")(inputs)
        return inputs, x, blocks.padding_mask(inputs)

    def _body(
        self,
        hp: keras_tuner.HyperParameters,
        x: Any,
        mask: Any,
        units: int,
        style: dict[str, Any],
    ) -> Any:
        """The layers over the steps; what only one kind has is asked for only beside it."""
        kinds = possible(self.body)
        kind = pick(hp, "body", self.body)
        layered = [one for one in kinds if one != "none"]
        if layered:
            with hp.conditional_scope("body", layered):
                count = pick(hp, "num_layers", self.layers)
        with hp.conditional_scope("body", ["conv"]):
            kernel_size = pick(hp, "kernel_size", self.kernel_size)
        with hp.conditional_scope("body", ["transformer"]):
            heads = pick(hp, "heads", self.heads)
        with hp.conditional_scope("body", list(RECURRENT)):
            direction = pick(hp, "direction", self.direction)
        if kind == "transformer":
            x = keras.layers.Dense(units, name="projected")(x)
            x = blocks.with_positions(x, mask)
        for index in range(0 if kind == "none" else count):
            name = f"{kind}_{index}"
            if kind == "conv":
                x = blocks.convolved_steps(
                    x, units, mask=mask, kernel_size=kernel_size, name=name, **style
                )
            elif kind == "transformer":
                x = blocks.transformer_block(x, heads, mask=mask, name=name, **style)
            else:
                both, dropout = direction == "both", style["dropout"]
                x = blocks.recurrent(
                    x, kind, units, mask=mask, bidirectional=both, dropout=dropout, name=name
                )
        return x


def _check_sequence(input_shape: Any, vocabulary_size: Any, padding: Any) -> None:
    check_shape(input_shape)
    if vocabulary_size is not None:
        check_numbers("vocabulary_size", vocabulary_size, 2)
    if padding is not None:
        check_numbers("padding", padding, -math.inf)
    if len(input_shape) == 1 and vocabulary_size is None:
        raise ValueError(
            f"input_shape={tuple(input_shape)!r} is one of token ids: say how many there are, "
            "vocabulary_size=..., 0 for padding included. For a series of numbers give "
            f"({input_shape[0]}, 1), for a table there is TabularHyperModel."
        )
    if len(input_shape) > 2 or (len(input_shape) == 2 and vocabulary_size is not None):
        raise ValueError(
            f"input_shape={tuple(input_shape)!r} is no sequence: give (steps,) with "
            "vocabulary_size=, or (steps, features) without. For images there is CNNHyperModel."
        )
    if padding is not None and vocabulary_size is not None:
        raise ValueError(f"padding={padding!r} is for features; of tokens it is 0. Leave it out.")
