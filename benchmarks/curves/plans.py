"""Which configurations the tables hold: spaces of models, the data, the epochs, the seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.curves import models
from benchmarks.spaces import Dimension, Space, Values

TENTHS = tuple(round(10 ** (-4 + 0.4 * step), 10) for step in range(11))
RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
DECAYS = (1e-3, 1e-2, 1e-1, 1.0)
OPTIMIZERS = Dimension("optimizer", ("adam", "sgd"), ordered=False)
LEARNING_RATES = Dimension("learning_rate", RATES)


@dataclass(frozen=True)
class Plan:
    """A table to be made.

    Attributes:
        about: What is trained, in a few words.
        data: A data set, by its name in `benchmarks.curves.data`.
        space: The configurations.
        shapes: The names of the dimensions in which models cannot train in one group.
        build: Makes the model of a configuration, given its values.
        epochs: For how many epochs each is trained.
        seeds: With how many seeds.
        batch_size: Where it is none of the dimensions.
        metric: What `validation` shows: `"accuracy"`, or `"mae"` of a regression.
        kept_aside: Whether it is looked at once, at the end, for nobody to tune to it.
    """

    about: str
    data: str
    space: Space
    shapes: tuple[str, ...]
    build: Callable[[Values], Any]
    epochs: int
    seeds: int
    batch_size: int = 32
    metric: str = "accuracy"
    kept_aside: bool = False


def choices(name: str, *levels: str) -> Dimension:
    return Dimension(name, levels, ordered=False)


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
CARS_SPACE = Space(
    (
        OPTIMIZERS,
        choices("activation", "relu", "tanh", "gelu"),
        Dimension("units", (16, 64)),
        LEARNING_RATES,
        Dimension("dropout", (0.01, 0.2, 0.4)),
        Dimension("weight_decay", DECAYS[::2]),
    )
)
DIABETES_SPACE = Space(
    (
        Dimension("batch_size", (16, 64)),
        Dimension("units", (8, 32, 128)),
        LEARNING_RATES,
        Dimension("l2", (1e-4, 1e-3, 1e-2, 1e-1)),
        Dimension("dropout", (0.01, 0.2, 0.5)),
    )
)
SIGNALS_SPACE = Space(
    (
        choices("body", "conv", "gru", "lstm"),
        Dimension("batch_size", (32, 128)),
        Dimension("units", (8, 16)),
        Dimension("learning_rate", RATES[1:]),
        Dimension("dropout", (0.01, 0.2, 0.4)),
        Dimension("weight_decay", DECAYS[::2]),
    )
)
SCHEDULES_SPACE = Space(
    (
        choices("normalization", "none", "batch"),
        Dimension("batch_size", (32, 128)),
        Dimension("filters", (4, 8)),
        choices("schedule", "constant", "cosine", "warmup"),
        Dimension("learning_rate", RATES),
        Dimension("weight_decay", DECAYS[:3]),
    )
)
MISLABELED_SPACE = Space(
    (
        Dimension("batch_size", (32, 128)),
        Dimension("units", (32, 256)),
        Dimension("learning_rate", RATES[:6]),
        Dimension("dropout", (0.01, 0.2, 0.4, 0.6)),
        Dimension("label_smoothing", (0.01, 0.1, 0.3)),
        Dimension("weight_decay", DECAYS[::2]),
    )
)
ARM_SPACE = Space(
    (
        Dimension("layers", (1, 2, 3)),
        Dimension("units_1", (16, 64)),
        Dimension("units_2", (16, 64), when=("layers", (2, 3))),
        Dimension("units_3", (16, 64), when=("layers", (3,))),
        LEARNING_RATES,
        Dimension("dropout", (0.01, 0.1)),
        Dimension("weight_decay", DECAYS[:3]),
    )
)
PIXELS_SPACE = Space(
    (
        OPTIMIZERS,
        choices("activation", "relu", "tanh"),
        Dimension("units", (32, 128)),
        Dimension("code", (4, 8)),
        LEARNING_RATES,
        Dimension("noise", (0.01, 0.1, 0.2, 0.4)),
    )
)
WEATHER_SPACE = Space(
    (
        choices("pooling", "flatten", "max"),
        Dimension("kernel_size", (3, 5)),
        Dimension("filters", (8, 16)),
        LEARNING_RATES,
        Dimension("l2", (1e-5, 1e-3, 1e-1)),
        Dimension("dropout", (0.01, 0.2, 0.4)),
    )
)
MLP_SHAPES = ("optimizer", "batch_size", "units")

PLANS = {
    "digits_mlp": Plan(
        "a dense layer",
        "digits", mlp_space((16, 64, 256), (32, 128)), MLP_SHAPES, models.mlp((8, 8, 1)), 50, 3,
    ),
    "mnist5k_mlp": Plan(
        "a dense layer",
        "mnist5k", mlp_space((16, 32, 64), (64, 256)), MLP_SHAPES, models.mlp((28, 28, 1)), 50, 3,
    ),
    "mnist5k_cnn": Plan(
        "two convolutions",
        "mnist5k", CNN_SPACE, ("optimizer", "batch_size", "filters"), models.cnn, 20, 1,
    ),
    "mislabeled_digits": Plan(
        "a dense layer, labels of which many are wrong",
        "mislabeled_digits", MISLABELED_SPACE, ("batch_size", "units"), models.mislabeled, 25, 2,
    ),
    "diabetes": Plan(
        "a regression on few patients",
        "diabetes", DIABETES_SPACE, ("batch_size", "units"), models.diabetes, 30, 2, metric="mae",
    ),
    "signals": Plan(
        "convolutions or a recurrent layer on sequences",
        "signals", SIGNALS_SPACE, ("body", "batch_size", "units"), models.signals, 15, 1,
    ),
    "cars": Plan(
        "a regression on a table with categories",
        "cars", CARS_SPACE, ("optimizer", "activation", "units"), models.cars, 30, 2,
        batch_size=16, metric="mae",
    ),
    "arm": Plan(
        "one to three dense layers, each with units of its own",
        "arm", ARM_SPACE, ("layers", "units_1", "units_2", "units_3"),
        models.arm, 20, 2, metric="mae",
    ),
    "schedules": Plan(
        "convolutions with or without batch normalization, schedules of the learning rate",
        "small_digits", SCHEDULES_SPACE, ("normalization", "batch_size", "filters"),
        models.normalized_cnn(samples=1500, epochs=12), 12, 1,
    ),
    "pixels": Plan(
        "an autoencoder that is given noise",
        "pixels", PIXELS_SPACE, ("optimizer", "activation", "units", "code"), models.autoencoder,
        20, 2, metric="mae", kept_aside=True,
    ),
    "weather": Plan(
        "convolutions that foretell a series",
        "weather", WEATHER_SPACE, ("pooling", "kernel_size", "filters"), models.weather,
        20, 1, metric="mae", kept_aside=True,
    ),
}  # fmt: skip
