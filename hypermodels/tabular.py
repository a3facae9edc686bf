"""Models for the rows of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple, Unpack

import keras
import keras_tuner
from keras import ops

from hypermodels import blocks
from hypermodels.ranges import (
    Names,
    Numbers,
    Range,
    WithDefault,
    check_names,
    check_numbers,
    check_shape,
    pick,
)
from hypermodels.trained import TRAINING, Arguments, TrainedHyperModel, TrainingRanges

KINDS = ("number", "quantile", "missing", "boolean", "date", "category", "text")
# What is spread like a normal distribution, or can be taken for it.
ENCODED = ("number", "quantile")
BODIES = ("mlp", "residual")
ENCODINGS = ("none", "piecewise", "periodic")
# Of so many columns a group needs no embedding: its layer would have as many weights without.
FEW = 4

# Figures with a sign are what another value gains over the default, in the mean of the tables
# diabetes, OJ, Carseats and Boston (`python -m benchmarks.ranges`).
ARGUMENTS: Arguments = {
    **TRAINING,
    # Diabetes, share of the variance explained: 0.27 and 0.21 residual; breast_cancer level.
    # residual: -0.003.
    "body": Names(list(BODIES), list(BODIES), "mlp", BODIES),
    # One split, tested after 20 epochs, 1 and 8. Share of the variance: diabetes 0.33, 0.37;
    # Carseats 0.80, 0.79 (0.80, 0.82 after 100); Boston 0.83, 0.73. AUC: stackoverflow 0.71, 0.73.
    # Accuracy: OJ 0.806, 0.810; hpc_data 0.82, 0.80. Noise wants 8, smooth targets 1.
    # 8: +0.008, in more time.
    "members": Numbers([1, 8], [1, 4, 8, 16, 32], 1, low=1),
    # 1: +0.001. 3: 0.000.
    "layers": Numbers((1, 3), (1, 4), 2, low=1),
    # 32: 0.000. 256: -0.003.
    "units": Numbers((32, 256), (16, 512), 128, low=1),
    # Breast_cancer: 0.957, 0.957 piecewise, 0.969 periodic; diabetes: 0.27, 0.29, 0.24: a toss-up.
    # piecewise: -0.002. periodic: +0.011.
    "encoding": Names(list(ENCODINGS), list(ENCODINGS), "none", ENCODINGS),
    "bins": Numbers([4, 8, 16], [4, 8, 16, 32], 8, low=2),
    "frequencies": Numbers([8, 16], [4, 8, 16, 32], 8, low=1),
    "frequency_scale": Numbers((0.02, 0.5), (0.01, 2.0), 0.1, low=1e-12),
    "embedding": Numbers([4, 8], [2, 4, 8, 16, 32], 8, low=1),
    # gelu: +0.007. silu: +0.009.
    "activation": Names("relu", ["relu", "gelu", "silu"], "relu", blocks.ACTIVATIONS),
    # As in MLPHyperModel: none is far ahead on diabetes, batch a little on breast_cancer.
    # batch: -0.022.
    "normalization": Names(
        ["none", "batch"], list(blocks.NORMALIZATIONS), "none", blocks.NORMALIZATIONS
    ),
    # 0: -0.003. 0.4: -0.001.
    "dropout": Numbers((0.0, 0.4), (0.0, 0.6), 0.2, high=0.99),
    "l1": Numbers(0.0, 0.0, 0.0),
    # 1e-2: -0.065.
    "l2": Numbers(0.0, (1e-7, 1e-2), 0.0),
}


class Column(NamedTuple):
    """What a group of neighboring inputs is.

    Attributes:
        name: Name of the column of the table.
        kind: One of number (standardized), quantile (a number's normal quantile), missing (1 where
            there is no number), boolean, date, category (one-hot), text (its words).
        start: Place of its first input.
        size: How many inputs it has.

    Example:
        >>> Column("color", "category", start=3, size=7).kind
        'category'
    """

    name: str
    kind: str
    start: int
    size: int


class TabularHyperModel(TrainedHyperModel):
    """Dense layers, plain or residual, over a table whose columns are known.

    A category of more than a few inputs becomes a small vector (a dense layer without a bias, which
    is an embedding of one-hot inputs), a text likewise. Numbers may be encoded. Without `columns`
    all inputs go to the dense layers as they are. A model may be the mean of several networks that
    share their weights, which helps where targets are noisy.

    Every range is `(low, high)`, a list of choices, or one value, which is not searched then.

    Args:
        input_shape: `(inputs,)`.
        num_classes: Number of classes; None for regression.
        columns: What the inputs are: a `Column`, a tuple `(name, kind, start, size)` or an object
            with these attributes for each column of the table; each input in one of them. None,
            or nothing, if that is not known.
        preset: `"small"`, the ranges in which a search of a few trials finds something good, or
            `"wide"`. What is given comes first.
        body: Names out of mlp, residual.
        members: How many networks share the weights of the layers, each with scales of its inputs
            and an output of its own; their mean is the model's (see `hypermodels.blocks.repeated`).
        layers: Number of hidden layers, or of residual pairs of them.
        units: Units of a layer, each its own in an mlp, searched on a log scale.
        encoding: Names out of none, piecewise, periodic: what numbers become; not used without
            columns of numbers.
        bins: Bins of a piecewise linear encoding.
        frequencies: Frequencies of a periodic one.
        frequency_scale: Standard deviation that they begin with, searched on a log scale.
        embedding: Size of the vector of a category, a text, or a number under periodic; never
            more than half of a category's inputs.
        activation: Names out of `hypermodels.blocks.ACTIVATIONS`.
        normalization: Names out of none, batch, layer.
        dropout: Dropout after a layer, each its own in an mlp.
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
        ValueError: If a range or name is not allowed, or columns and inputs do not fit together.
        TypeError: If there is no such argument.

    Example:
        >>> columns = [("age", "number", 0, 1), ("color", "category", 1, 12)]
        >>> hypermodel = TabularHyperModel((13,), num_classes=3, columns=columns)
        >>> hypermodel.build(keras_tuner.HyperParameters()).output_shape
        (None, 3)
    """

    body: WithDefault
    members: WithDefault
    layers: WithDefault
    units: WithDefault
    encoding: WithDefault
    bins: WithDefault
    frequencies: WithDefault
    frequency_scale: WithDefault
    embedding: WithDefault
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
        columns: Sequence[Any] | None = None,
        preset: str = "small",
        body: Range = None,
        members: Range = None,
        layers: Range = None,
        units: Range = None,
        encoding: Range = None,
        bins: Range = None,
        frequencies: Range = None,
        frequency_scale: Range = None,
        embedding: Range = None,
        activation: Range = None,
        normalization: Range = None,
        dropout: Range = None,
        l1: Range = None,
        l2: Range = None,
        train_size: int = 10_000,
        epochs: Range = None,
        target_scale: tuple[float, float] | None = None,
        name: str | None = "tabular",
        tunable: bool = True,
        **training: Unpack[TrainingRanges],
    ) -> None:
        given = {
            "body": body,
            "members": members,
            "layers": layers,
            "units": units,
            "encoding": encoding,
            "bins": bins,
            "frequencies": frequencies,
            "frequency_scale": frequency_scale,
            "embedding": embedding,
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
        if len(input_shape) != 1:
            raise ValueError(
                f"input_shape={tuple(input_shape)!r} is no row of a table: give (inputs,). For "
                "images there is CNNHyperModel, for sequences SequenceHyperModel."
            )
        self.input_shape = tuple(input_shape)
        is_unknown = columns is None or (isinstance(columns, list | tuple) and not columns)
        self.columns = None if is_unknown else read_columns(columns, input_shape[0])

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Builds a compiled model.

        Args:
            hp: Its hyperparameters.

        Returns:
            A model from `(batch, inputs)` to classes or values.
        """
        inputs = keras.Input(self.input_shape)
        x = inputs if self.columns is None else self._features(hp, inputs, self.columns)
        members = pick(hp, "members", self.members)
        if members > 1:
            x = blocks.repeated(x, members)
        kind = pick(hp, "body", self.body)
        style = {
            "layers": self.layers,
            "units": self.units,
            "activation": pick(hp, "activation", self.activation),
            "normalization": pick(hp, "normalization", self.normalization),
            "dropout": self.dropout,
            "penalty": blocks.regularizer(hp, l1=self.l1, l2=self.l2),
        }
        with hp.conditional_scope("body", ["mlp"]):
            if kind == "mlp":
                x = blocks.dense_stack(hp, x, **style)
        with hp.conditional_scope("body", ["residual"]):
            if kind == "residual":
                x = blocks.residual_stack(hp, x, **style)
        return self.compiled(hp, inputs, x)

    def _features(
        self, hp: keras_tuner.HyperParameters, inputs: Any, columns: Sequence[Column]
    ) -> Any:
        """What the dense layers get: encoded numbers, embedded groups, and all else as it is."""
        embedded = [one for one in columns if one.kind in ("category", "text") and one.size > FEW]
        numbers = [one for one in columns if one.kind in ENCODED]
        plain = [one for one in columns if one not in [*embedded, *numbers]]
        parts = []
        if numbers:
            parts.append(self._encoded(hp, _taken(inputs, numbers)))
        if plain:
            parts.append(_taken(inputs, plain))
        size: Any = pick(hp, "embedding", self.embedding) if embedded else None
        for number, column in enumerate(embedded):
            most = column.size if column.kind == "text" else (column.size + 1) // 2
            layer = keras.layers.Dense(min(size, most), use_bias=False, name=f"embedded_{number}")
            parts.append(layer(_taken(inputs, [column])))
        return parts[0] if len(parts) == 1 else keras.layers.Concatenate(name="row")(parts)

    def _encoded(self, hp: keras_tuner.HyperParameters, x: Any) -> Any:
        """Numbers, encoded as is searched."""
        kind = pick(hp, "encoding", self.encoding)
        with hp.conditional_scope("encoding", ["piecewise"]):
            bins = pick(hp, "bins", self.bins)
        with hp.conditional_scope("encoding", ["periodic"]):
            frequencies = pick(hp, "frequencies", self.frequencies)
            scale = pick(hp, "frequency_scale", self.frequency_scale, sampling="log")
            size = pick(hp, "number_embedding", self.embedding)
        if kind == "piecewise":
            return blocks.piecewise_linear(x, bins)
        return blocks.periodic(x, frequencies, scale, size) if kind == "periodic" else x


def read_columns(columns: Any, inputs: int) -> list[Column]:
    """Reads what the inputs of a model are.

    Args:
        columns: As in `TabularHyperModel`, in a list or a tuple.
        inputs: How many inputs there are.

    Returns:
        The columns.

    Raises:
        ValueError: If one is no column, or not every input is in one of them.

    Example:
        >>> read_columns([("age", "number", 0, 1)], inputs=1)
        [Column(name='age', kind='number', start=0, size=1)]
    """
    if not isinstance(columns, list | tuple):
        raise ValueError(
            f"columns={columns!r} is not allowed: give a list of (name, kind, start, size), or "
            "None."
        )
    read = [_column(one) for one in columns]
    taken = [place for one in read for place in range(one.start, one.start + one.size)]
    if sorted(taken) != list(range(inputs)):
        twice = sorted(place for place, times in Counter(taken).items() if times > 1)
        missing = sorted(set(range(inputs)) - set(taken))
        beyond = sorted(place for place in set(taken) if place >= inputs)
        raise ValueError(
            f"columns= and input_shape=({inputs},) do not fit together: inputs {missing} are in no "
            f"column, {twice} in several, and {beyond} do not exist. Each of the inputs 0 to "
            f"{inputs - 1} belongs into one column (name, kind, start, size)."
        )
    return read


def _column(given: Any) -> Column:
    try:
        if isinstance(given, tuple | list):
            column = Column(*given)
        else:
            column = Column(given.name, given.kind, given.start, given.size)
    except (TypeError, AttributeError):
        raise ValueError(
            f"columns= has {given!r}, which is no column: give (name, kind, start, size), such as "
            '("age", "number", 0, 1).'
        ) from None
    check_names(f"The kind of column {column.name!r}", column.kind, KINDS)
    check_numbers(f"The start of column {column.name!r}", column.start, 0)
    check_numbers(f"The size of column {column.name!r}", column.size, 1)
    return column._replace(start=int(column.start), size=int(column.size))


def _taken(inputs: Any, columns: Sequence[Column]) -> Any:
    """The inputs of some columns."""
    places = [place for one in columns for place in range(one.start, one.start + one.size)]
    return inputs if len(places) == inputs.shape[-1] else ops.take(inputs, places, axis=-1)
