"""Models for sequences: texts, series, signals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Unpack

import keras
import keras_tuner
import numpy as np

from hypermodels import blocks
from hypermodels.linear_model import solve_linear_model
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

BODIES = ("linear", "none", "conv", "lstm", "gru", "transformer")
RECURRENT = ("lstm", "gru")
DIRECTIONS = ("forward", "both")
SHORTCUTS = ("none", "linear")
# Digits after 8 epochs, validation accuracy: as series of eight rows, and as texts of dark pixels.
# Figures with a sign are what another value gains over the default after 2,000 steps, in the mean
# of four sets of series: motions, gestures, demand, speech (`python -m benchmarks.ranges`).
ARGUMENTS: Arguments = {
    **TRAINING,
    # conv 0.843 and 0.883, gru 0.821 and 0.869, lstm 0.817 and 0.811, transformer 0.878 and 0.866,
    # none 0.749 of the texts. conv takes the least time. gru: +0.026, transformer: +0.011.
    "body": Names(["conv", "gru", "transformer"], list(BODIES), "conv", BODIES),
    # linear: -0.030.
    "shortcut": Names("none", list(SHORTCUTS), "none", SHORTCUTS),
    # 2: +0.021.
    "layers": Numbers((1, 2), (1, 3), 1, low=1),
    # 32: -0.002. 128: +0.011.
    "units": Numbers((32, 128), (16, 256), 64, low=1),
    # 5: +0.017, most of it on demand, where the time of day counts.
    "kernel_size": Numbers([3, 5], [3, 5, 7], 3, low=1),
    "heads": Numbers([2, 4], [1, 2, 4, 8], 4, low=1),
    "direction": Names(list(DIRECTIONS), list(DIRECTIONS), "both", DIRECTIONS),
    # conv with the maximum 0.843 and 0.883, with the mean 0.755 and 0.853. average: -0.055.
    "pooling": Names(["max", "average"], list(blocks.STEP_POOLINGS), "max", blocks.STEP_POOLINGS),
    "embedding": Numbers([32, 64], [16, 32, 64, 128], 32, low=1),
    # 1: +0.013.
    "dense_layers": Numbers((0, 1), (0, 2), 0),
    # gelu: +0.009.
    "activation": Names(["relu", "gelu"], ["relu", "gelu", "tanh"], "relu", blocks.ACTIVATIONS),
    # 0: +0.004. 0.4: +0.002.
    "dropout": Numbers((0.0, 0.4), (0.0, 0.5), 0.1, high=0.99),
}
# Fewer texts for each of their steps than these are few. Google's guide to text classification
# counts 1,500 for each word of the median text, which has about a third of the steps.
_FEW = 500
# Docstrings by library, tweets by telephone, activities by section (NACE), birds' strikes by phase
# of flight, 2,000 steps, accuracy: TF-IDF with logistic regression 0.748, 0.830, 0.832, 0.434.
FEW_TEXTS: Arguments = {
    # linear 0.766, 0.850, 0.911, 0.412; none with the linear model 0.745, 0.855, 0.884, 0.429, and
    # without 0.761, 0.853, 0.890, 0.426. Pairs of words beside the words (hashed) were behind.
    "body": Names(["linear", "none"], list(BODIES), "linear", BODIES),
    "shortcut": Names(list(SHORTCUTS), list(SHORTCUTS), "linear", SHORTCUTS),
    # 0.003: 0.763, 0.825, 0.895, 0.440. 0.01 as above.
    "learning_rate": Numbers((1e-3, 2e-2), (3e-4, 3e-2), 1e-2, low=1e-12),
    # 0.4: 0.767, 0.845, 0.905, 0.423. 0.1 as above.
    "dropout": Numbers((0.0, 0.5), (0.0, 0.7), 0.3, high=0.99),
}
# Half-hourly demand a day ahead, calls of a bank a day ahead, sunspots a year ahead, gasoline four
# weeks ahead, 2,000 steps, share of the variance explained in what came later: what was there a
# season before explains 0.134, 0.784, 0.456, 0.147. Recurrent bodies take time for every step.
FORECAST: Arguments = {
    # linear 0.336, 0.831, 0.730, 0.485; none with the linear model 0.083, 0.846, 0.721, 0.514, and
    # without 0.103, 0.843, 0.706, 0.514; after 5 epochs alone, conv with the maximum 0.348, 0.738,
    # -0.192, 0.081.
    "body": Names(["linear", "none"], list(BODIES), "linear", BODIES),
    "shortcut": Names("linear", list(SHORTCUTS), "linear", SHORTCUTS),
    "pooling": Names(
        ["flatten", "last"], list(blocks.STEP_POOLINGS), "flatten", blocks.STEP_POOLINGS
    ),
    "dense_layers": Numbers((1, 2), (0, 2), 1),
    # none, the latest windows to train on: demand 0.877, calls 0.913, sunspots by month 0.775, by
    # year 0.719, gasoline 0.381; 0.005: 0.896, 0.913, 0.734, 0.727, 0.338.
    "learning_rate": Numbers((5e-4, 5e-3), (1e-4, 1e-2), 1e-3, low=1e-12),
}
# A linear model of more features is learned by gradients alone: to solve it takes long.
_MOST_SOLVED, _SOLVED = 512, "solved"
# Two years of the Canadian lynx (logarithms), mean error: 0.52 with gru and last, 0.56 with gru and
# flatten, 0.68 with transformer, 0.76 with conv and flatten; 0.87 is the last value's.
DEEP_FORECAST: Arguments = {
    "body": Names(["conv", "gru", "transformer"], list(BODIES), "gru", BODIES),
    "pooling": Names(["last", "flatten"], list(blocks.STEP_POOLINGS), "last", blocks.STEP_POOLINGS),
}


class SequenceHyperModel(TrainedHyperModel):
    """A linear model, convolutions, recurrent layers or transformer blocks over a sequence's steps.

    Sequences are of token ids, shape `(steps,)`, where 0 is padding, or of features, shape
    `(steps, features)`. Padding changes no prediction, wherever it stands and however long it is,
    but for what has weights for every step: the pooling "flatten", and a linear model of features.

    What is tried first is what takes little time and is hard to beat: few texts (fewer than 500 for
    each of their steps) and forecasts begin with a linear model, of TF-IDF and of all steps. That
    of a forecast is solved in closed form, where its samples are arrays, and its weights stay: the
    training learns what it leaves.

    Every range is `(low, high)`, a list of choices, or one value, which is not searched then.

    Args:
        input_shape: `(steps,)` with `vocabulary_size`, or `(steps, features)`.
        num_classes: Number of classes; None for regression, or a forecast.
        vocabulary_size: How many token ids there are, 0 included; None for features.
        outputs: How many numbers a regression predicts: the horizon of a forecast.
        token_weights: What each token counts in a linear model of texts, by its id, such as its
            inverse document frequency; None for all alike.
        padding: Value that all features have in a step that is not there; None if all are.
        preset: `"small"`, the ranges in which a search of a few trials finds something good, or
            `"wide"`. What is given comes first.
        body: Names out of linear (nothing but a linear model: of which tokens are there, or of the
            features of all steps), none (the mean of what tokens mean tells much of a text), conv,
            lstm, gru, transformer.
        shortcut: Names out of none, linear: whether that linear model is beside another body, too.
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
    shortcut: WithDefault
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
        token_weights: Sequence[float] | None = None,
        outputs: int = 1,
        padding: float | None = None,
        preset: str = "small",
        body: Range = None,
        shortcut: Range = None,
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
            "shortcut": shortcut,
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
        _check_sequence(input_shape, vocabulary_size, token_weights, padding)
        may_be_linear = padding is None and (body is None or "linear" in possible(body))
        arguments = _arguments(
            input_shape[0],
            num_classes is None,
            vocabulary_size is not None,
            may_be_linear,
            train_size,
        )
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
        check_numbers("outputs", outputs, 1)
        if num_classes is not None and outputs != 1:
            raise ValueError(
                f"outputs={outputs} is the horizon of a forecast, but num_classes={num_classes}: "
                "give one of the two."
            )
        self.input_shape = tuple(input_shape)
        self.vocabulary_size = vocabulary_size
        self.token_weights = token_weights
        self.outputs = outputs
        self.padding = padding
        is_forecast = num_classes is None and vocabulary_size is None
        self._is_solved = is_forecast and may_be_linear and math.prod(input_shape) <= _MOST_SOLVED

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Builds a compiled model.

        Args:
            hp: Its hyperparameters.

        Returns:
            A model from `(batch, *input_shape)` to classes or values.
        """
        tokens = self.vocabulary_size is not None
        inputs = keras.Input(self.input_shape, dtype="int32" if tokens else None)
        kind, dropout = pick(hp, "body", self.body), pick(hp, "dropout", self.dropout)
        x, shortcut = None, "linear"
        with self._deep(hp):
            if kind != "linear":
                shortcut = pick(hp, "shortcut", self.shortcut)
        if kind != "linear":
            x = self._features(hp, inputs, kind, dropout)
        linear = self._linear(inputs, dropout) if shortcut == "linear" else None
        if self._is_solved:
            solved = blocks.weighed_steps(inputs, self.outputs, name=_SOLVED)
            if linear is None:
                linear = solved
            else:
                linear = keras.layers.Add(name="linear_sum")([solved, linear])
        if x is None and tokens:  # How long a text is, which a linear model of TF-IDF cannot tell.
            x = blocks.length(inputs)
        return self.compiled(hp, inputs, x, self.outputs, linear)

    def fit(
        self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: Any, **kwargs: Any
    ) -> keras.callbacks.History:
        """Trains a model; see `TrainedHyperModel.fit`.

        Of arrays, a forecast's linear model is solved before (see
        `hypermodels.linear_model.solve_linear_model`); training changes what is added to it.
        """
        x, y = (args[i] if len(args) > i else kwargs.get(name) for i, name in enumerate("xy"))
        begins = self._is_solved and not kwargs.get("initial_epoch")
        if begins and isinstance(x, np.ndarray) and isinstance(y, np.ndarray):
            mean, deviation = self.target_scale or (0.0, 1.0)
            solved = solve_linear_model(x, (y - mean) / deviation)
            if solved is not None:
                model.get_layer(_SOLVED).set_weights([solved[:-1], solved[-1]])
        return super().fit(hp, model, *args, **kwargs)

    def _linear(self, inputs: Any, dropout: float) -> Any:
        """A linear model of which tokens are there, or of all steps."""
        width = blocks.output_width(self.num_classes, self.outputs)
        if self.vocabulary_size is None:
            features = blocks.window_features(inputs)
            return keras.layers.Dense(width, kernel_initializer="zeros", name="linear")(features)
        return blocks.bag_of_words(
            inputs, self.vocabulary_size, width, weights=self.token_weights, dropout=dropout
        )

    def _features(
        self, hp: keras_tuner.HyperParameters, inputs: Any, kind: str, dropout: float
    ) -> Any:
        """What the output is made of, besides a linear model."""
        with self._deep(hp):
            x, mask = self._embedded(hp, inputs)
            activation = pick(hp, "activation", self.activation)
            units = pick(hp, "units", self.units, sampling="log")
        style = {"activation": activation, "dropout": dropout}
        x = self._body(hp, x, mask, kind, units, style)
        with self._deep(hp):
            x = blocks.pooled_steps(x, pick(hp, "pooling", self.pooling), mask)
            return blocks.dense_stack(
                hp,
                x,
                layers=self.dense_layers,
                units=self.units,
                activation=activation,
                dropout=self.dropout,
            )

    def _deep(self, hp: keras_tuner.HyperParameters) -> AbstractContextManager[None]:
        """Where what only the deep bodies have is asked for, if there is a linear one too."""
        deep = [one for one in possible(self.body) if one != "linear"]
        is_both = 0 < len(deep) < len(possible(self.body))
        return hp.conditional_scope("body", deep) if is_both else nullcontext()

    def _embedded(self, hp: keras_tuner.HyperParameters, inputs: Any) -> tuple[Any, Any]:
        """The features of the steps, and which steps are there."""
        if self.vocabulary_size is None:
            mask = None if self.padding is None else blocks.padding_mask(inputs, self.padding)
            return inputs, mask
        size = pick(hp, "embedding", self.embedding)
        x = keras.layers.Embedding(self.vocabulary_size, size, name="embedding")(inputs)
        return x, blocks.padding_mask(inputs)

    def _body(
        self,
        hp: keras_tuner.HyperParameters,
        x: Any,
        mask: Any,
        kind: str,
        units: int,
        style: dict[str, Any],
    ) -> Any:
        """The layers over the steps; what only one kind has is asked for only beside it."""
        layered = [one for one in possible(self.body) if one not in ("linear", "none")]
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


def _arguments(
    steps: int, is_regression: bool, has_tokens: bool, may_be_linear: bool, train_size: int
) -> Arguments:
    """What the ranges are that are not given, for data of a kind."""
    if has_tokens:
        is_linear = may_be_linear and train_size < _FEW * steps
        return {**ARGUMENTS, **(FEW_TEXTS if is_linear else {})}
    if not is_regression:
        return ARGUMENTS
    return {**ARGUMENTS, **(FORECAST if may_be_linear else DEEP_FORECAST)}


def _check_sequence(
    input_shape: Any, vocabulary_size: Any, token_weights: Any, padding: Any
) -> None:
    check_shape(input_shape)
    if token_weights is not None and len(token_weights) != vocabulary_size:
        raise ValueError(
            f"token_weights has {len(token_weights)} numbers and vocabulary_size is "
            f"{vocabulary_size}: give one for each id, 0 for padding included."
        )
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
