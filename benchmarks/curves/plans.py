"""Which configurations the tables hold: spaces of models, the data, the epochs, the seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.spaces import Dimension, Space, Values

TENTHS = tuple(round(10 ** (-4 + 0.4 * step), 10) for step in range(11))
DECAYS = (1e-3, 1e-2, 1e-1, 1.0)
OPTIMIZERS = Dimension("optimizer", ("adam", "sgd"), ordered=False)


@dataclass(frozen=True)
class Plan:
    """A table to be made.

    Attributes:
        data: A data set of `kt_hpo.datasets`.
        space: The configurations. `batch_size` is among its dimensions.
        shapes: The names of the dimensions in which models cannot train in one group.
        build: Makes the model of a configuration, given its levels.
        epochs: For how many epochs each is trained.
        seeds: With how many seeds.
    """

    data: str
    space: Space
    shapes: tuple[str, ...]
    build: Callable[[Values], Any]
    epochs: int
    seeds: int


def compiled(model: Any, levels: Values) -> Any:
    import keras

    rate, decay = levels["learning_rate"], levels["weight_decay"]
    if levels["optimizer"] == "adam":
        optimizer = keras.optimizers.Adam(rate, weight_decay=decay)
    else:
        optimizer = keras.optimizers.SGD(rate, 0.9, nesterov=True, weight_decay=decay)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def mlp(shape: tuple[int, ...]) -> Callable[[Values], Any]:
    def build(levels: Values) -> Any:
        from keras import Input, Sequential, layers

        model = Sequential([Input(shape), layers.Flatten()])
        model.add(layers.Dense(levels["units"], activation="relu"))
        model.add(layers.Dropout(levels["dropout"]))
        model.add(layers.Dense(10, activation="softmax"))
        return compiled(model, levels)

    return build


def cnn(levels: Values) -> Any:
    from keras import Input, Sequential, layers

    model = Sequential([Input((28, 28, 1))])
    for filters in (levels["filters"], 2 * levels["filters"]):
        model.add(layers.Conv2D(filters, 3, strides=2, activation="relu"))
    model.add(layers.Flatten())
    model.add(layers.Dropout(levels["dropout"]))
    model.add(layers.Dense(10, activation="softmax"))
    return compiled(model, levels)


def mlp_space(units: tuple[int, ...], batch_sizes: tuple[int, ...]) -> Space:
    return Space(
        (
            OPTIMIZERS,
            Dimension("batch_size", batch_sizes),
            Dimension("units", units),
            Dimension("learning_rate", TENTHS),
            Dimension("dropout", (0.01, 0.2, 0.4, 0.6)),
            Dimension("weight_decay", DECAYS),
        )
    )


CNN_SPACE = Space(
    (
        OPTIMIZERS,
        Dimension("batch_size", (32, 128)),
        Dimension("filters", (4, 8)),
        Dimension("learning_rate", TENTHS[1:10]),
        Dimension("dropout", (0.01, 0.2, 0.4)),
        Dimension("weight_decay", DECAYS[::2]),
    )
)
MLP_SHAPES = ("optimizer", "batch_size", "units")

PLANS = {
    "digits_mlp": Plan(
        "digits", mlp_space((16, 64, 256), (32, 128)), MLP_SHAPES, mlp((8, 8, 1)), 50, 3
    ),
    "mnist5k_mlp": Plan(
        "mnist5k", mlp_space((16, 32, 64), (64, 256)), MLP_SHAPES, mlp((28, 28, 1)), 50, 3
    ),
    "mnist5k_cnn": Plan("mnist5k", CNN_SPACE, ("optimizer", "batch_size", "filters"), cnn, 20, 1),
}
