"""Seconds of eight searches as people write them: ours as it is by default, and Keras Tuner's.

    python -m benchmarks.searches [--searches NAME ...] [--repeats 5]

The same hypermodel, values, data, epochs and seeds for both, in turns, in one process for each
search, as one that has searched before is slower: Keras Tuner takes up to twice as long. Medians.
Hyperband draws its own values, of which it trains equally many for equally many epochs.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_tuner
import numpy as np
import scipy.stats
from keras import layers

import hypermodels
import kt_hpo
from benchmarks import measuring
from benchmarks.listed import Listed
from kt_hpo.space import domain

Data = tuple[tuple[Any, Any], tuple[Any, Any]]


def getting_started(hp: keras_tuner.HyperParameters) -> keras.Model:
    """The model of Keras Tuner's guide "Getting started with KerasTuner"."""
    model = keras.Sequential([layers.Flatten()])
    for i in range(hp.Int("num_layers", 1, 3)):
        units = hp.Int(f"units_{i}", min_value=32, max_value=512, step=32)
        model.add(layers.Dense(units, activation=hp.Choice("activation", ["relu", "tanh"])))
    if hp.Boolean("dropout"):
        model.add(layers.Dropout(rate=0.25))
    model.add(layers.Dense(10, activation="softmax"))
    rate = hp.Float("lr", min_value=1e-4, max_value=1e-2, sampling="log")
    return classifier(model, rate)


def tutorial(hp: keras_tuner.HyperParameters) -> keras.Model:
    """The model of TensorFlow's tutorial "Introduction to the Keras Tuner"."""
    units = hp.Int("units", min_value=32, max_value=512, step=32)
    model = keras.Sequential(
        [layers.Flatten(), layers.Dense(units, activation="relu"), layers.Dense(10)]
    )
    rate = hp.Choice("learning_rate", values=[1e-2, 1e-3, 1e-4])
    return classifier(model, rate, from_logits=True)


def convolutional(hp: keras_tuner.HyperParameters) -> keras.Model:
    """One to three blocks of a convolution and a pooling."""
    model = keras.Sequential([keras.Input((28, 28, 1))])
    for i in range(hp.Int("blocks", 1, 3)):
        model.add(layers.Conv2D(hp.Int(f"filters_{i}", 8, 64, step=8), 3, activation="relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dense(10, activation="softmax"))
    return classifier(model, hp.Float("lr", 1e-4, 1e-2, sampling="log"))


def recurrent(hp: keras_tuner.HyperParameters) -> keras.Model:
    """A review's words, an LSTM or a GRU, and whether it is a good one."""
    kind = {"lstm": layers.LSTM, "gru": layers.GRU}[hp.Choice("kind", ["lstm", "gru"])]
    model = keras.Sequential(
        [
            layers.Embedding(1_000, hp.Int("embedding", 8, 32, step=8)),
            kind(hp.Int("units", 8, 32, step=8)),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    rate = hp.Float("lr", 1e-3, 1e-2, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


def several_inputs(hp: keras_tuner.HyperParameters) -> keras.Model:
    """A price from numbers, a category and a district."""
    numbers = keras.Input((12,), name="numbers")
    category = keras.Input((), dtype="int32", name="category")
    district = keras.Input((2,), name="district")
    both = [
        layers.Dense(hp.Int("units", 16, 128, step=16), activation="relu")(numbers),
        layers.Embedding(20, hp.Int("embedding", 2, 8))(category),
        layers.Dense(8, activation="relu")(district),
    ]
    x = layers.Concatenate()(both)
    for _ in range(hp.Int("layers", 1, 2)):
        x = layers.Dense(hp.Int("width", 16, 128, step=16), activation="relu")(x)
    inputs = {"numbers": numbers, "category": category, "district": district}
    model = keras.Model(inputs, layers.Dense(1)(x))
    rate = hp.Float("lr", 1e-4, 1e-2, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "mse", metrics=["mae"])
    return model


def transferred(hp: keras_tuner.HyperParameters) -> keras.Model:
    """A frozen base with batch normalization, and a head to be found."""
    keras.utils.set_random_seed(0)
    base = keras.Sequential([keras.Input((28, 28, 1))])
    for filters in (16, 32):
        base.add(layers.Conv2D(filters, 3, strides=2, activation="relu"))
        base.add(layers.BatchNormalization())
    base.trainable = False
    inputs = keras.Input((28, 28, 1))
    x = layers.GlobalAveragePooling2D()(base(inputs, training=False))
    x = layers.BatchNormalization()(x)
    x = layers.Dense(hp.Int("units", 16, 128, step=16), activation="relu")(x)
    x = layers.Dropout(hp.Float("dropout", 0, 0.5))(x)
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
    return classifier(model, hp.Float("lr", 1e-4, 1e-2, sampling="log"))


def classifier(model: keras.Model, rate: float, from_logits: bool = False) -> keras.Model:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    return model


def mlp(hp: keras_tuner.HyperParameters) -> keras.Model:
    return hypermodels.MLPHyperModel((30,), num_classes=2).build(hp)


def cnn(hp: keras_tuner.HyperParameters) -> keras.Model:
    return hypermodels.CNNHyperModel((28, 28, 1), num_classes=10).build(hp)


@cache
def digits() -> Data:
    """4,000 digits of MNIST to train with, 1,000 to validate with."""
    train, validation, _ = kt_hpo.datasets.load("mnist5k")
    return train.arrays, validation.arrays


@cache
def table() -> Data:
    """20,000 rows of 30 columns, and which of two classes each is of."""
    stream = np.random.default_rng(0)
    x = stream.normal(size=(20_000, 30)).astype("float32")
    hidden = np.tanh(x @ stream.normal(size=(30, 8)))
    return parted(x, (hidden.sum(axis=1) > 0).astype("int32"))


@cache
def sequences() -> Data:
    """5,000 sequences of 100 words, and whether there are more of the first 100 words."""
    stream = np.random.default_rng(0)
    x = stream.integers(0, 1_000, (5_000, 100))
    share = (x < 100).mean(axis=1)
    return parted(x, (share > np.median(share)).astype("int32"))


@cache
def prices() -> Data:
    """8,000 rows of three inputs, and a price each."""
    stream = np.random.default_rng(0)
    x = {
        "numbers": stream.normal(size=(8_000, 12)).astype("float32"),
        "category": stream.integers(0, 20, 8_000).astype("int32"),
        "district": stream.uniform(size=(8_000, 2)).astype("float32"),
    }
    price = x["numbers"][:, :3].sum(axis=1) + x["category"] / 10 + x["district"].prod(axis=1)
    return parted(x, price.astype("float32"))


def parted(x: Any, y: np.ndarray) -> Data:
    """The last fifth of the rows are to validate with."""
    at = len(y) * 4 // 5

    def rows(part: slice) -> tuple[Any, Any]:
        return keras.tree.map_structure(lambda column: column[part], (x, y))

    return rows(slice(None, at)), rows(slice(at, None))


@dataclass(frozen=True)
class Search:
    """A search.

    Attributes:
        about: What is searched, and on what.
        build: The hypermodel.
        data: Makes its data.
        goal: How many times faster than Keras Tuner it is to be.
        trials: How many trials there are, of listed values; with 0 Hyperband chooses.
        epochs: Of each trial.
        objective: What is searched for.
        options: Keywords of Hyperband.
    """

    about: str
    build: Callable[[keras_tuner.HyperParameters], keras.Model]
    data: Callable[[], Data]
    goal: float
    trials: int = 6
    epochs: int = 5
    objective: str = "val_accuracy"
    options: dict[str, Any] = field(default_factory=dict)


@cache
def values_of(build: Callable[[keras_tuner.HyperParameters], Any], trials: int) -> list[Any]:
    """The values of each trial, drawn at random from all that builds have met until then."""
    hp, stream = kt_hpo.HyperParameters(), np.random.default_rng(0)
    build(hp)
    found: list[Any] = []
    while len(found) < trials:
        one = kt_hpo.HyperParameters()
        one.values = domain.draw(hp, stream)
        build(one)
        if {known.name for known in one.space} <= {known.name for known in hp.space}:
            found.append(dict(one.values))
        hp.merge(one)
    keras.utils.clear_session()
    return found


SEARCHES = {
    "getting-started": Search(
        "Keras Tuner's guide: an MLP, its depth, widths and activation; digits",
        getting_started,
        digits,
        3.0,
    ),
    "tutorial-hyperband": Search(
        "TensorFlow's tutorial: one layer's width and a rate, Hyperband; digits",
        tutorial,
        digits,
        3.0,
        0,
        10,
        options={"max_epochs": 10, "factor": 3},
    ),
    "cnn": Search(
        "A CNN of 1 to 3 blocks, 8 to 64 filters; digits", convolutional, digits, 1.8, 4, 3
    ),
    "cnn-hypermodel": Search("Our `CNNHyperModel`; digits", cnn, digits, 1.5, 4, 3),
    "mlp-hypermodel": Search("Our `MLPHyperModel`; a table of 20,000 rows", mlp, table, 3.0, 4, 3),
    "recurrent": Search(
        "An embedding and an LSTM or a GRU; 5,000 sequences of 100", recurrent, sequences, 1.3, 3, 3
    ),
    "several-inputs": Search(
        "A regression with three inputs; 8,000 rows",
        several_inputs,
        prices,
        3.0,
        objective="val_loss",
    ),
    "transfer": Search("A frozen base and a new head; digits", transferred, digits, 1.3, 4, 3),
    "getting-started-hyperband": Search(
        "Keras Tuner's guide by Hyperband; digits",
        getting_started,
        digits,
        4.0,
        0,
        8,
        options={"max_epochs": 8, "factor": 3},
    ),
}


def ours(search: Search, scores: list[float]) -> float:
    """Searches with kt_hpo, as it is by default, for as many epochs as the other."""
    return run(kt_hpo, search, scores, early_stopping=None)


def theirs(search: Search, scores: list[float]) -> float:
    """Searches with Keras Tuner."""
    return run(keras_tuner, search, scores)


def run(
    package: Any,
    search: Search,
    scores: list[float],
    values: list[Any] | None = None,
    **options: Any,
) -> float:
    """Searches with a package, through given values if any, and returns the seconds it takes."""
    train, validation = search.data()
    direction = "min" if "loss" in search.objective else "max"
    objective = keras_tuner.Objective(search.objective, direction)
    with tempfile.TemporaryDirectory() as directory:
        if search.trials:
            listed = values or values_of(search.build, search.trials)
            oracle = Listed(listed, seed=0, objective=objective)
            tuner = package.Tuner(oracle, search.build, directory=directory, **options)
        else:
            tuner = package.Hyperband(
                search.build, objective, seed=0, directory=directory, **search.options, **options
            )
        with measuring.timed() as seconds:
            tuner.search(*train, validation_data=validation, epochs=search.epochs, verbose=0)
        scores += [trial.score for trial in tuner.oracle.trials.values() if trial.score is not None]
    return seconds()


def measure(name: str, repeats: int) -> dict[str, Any]:
    """Times both."""
    search = SEARCHES[name]
    scores: dict[str, list[float]] = {"Keras Tuner": [], "kt_hpo": []}
    seconds = measuring.in_turns(
        {
            "Keras Tuner": partial(theirs, search, scores["Keras Tuner"]),
            "kt_hpo": partial(ours, search, scores["kt_hpo"]),
        },
        repeats,
    )
    return {
        "search": name,
        "about": search.about,
        "goal": search.goal,
        "repeats": repeats,
        "seconds": seconds,
        "times faster": seconds["Keras Tuner"]["median"] / seconds["kt_hpo"]["median"],
        "median score": {who: float(np.median(found)) for who, found in scores.items()},
        "Kolmogorov-Smirnov p": float(scipy.stats.ks_2samp(*scores.values()).pvalue),
    }


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    lines = [
        [
            row["about"],
            f"**{row['times faster']:.2f}**",
            f"{row['goal']:g}",
            *(measuring.told(row["seconds"][who], 1) for who in ("kt_hpo", "Keras Tuner")),
            row["repeats"],
            *(f"{row['median score'][who]:.3f}" for who in ("kt_hpo", "Keras Tuner")),
            f"{row['Kolmogorov-Smirnov p']:.2f}",
        ]
        for row in results["rows"]
    ]
    columns = {
        "search": "l", "times faster": "r", "goal": "r", "s, kt_hpo": "r", "s, Keras Tuner": "r",
        "rounds": "r", "median score, kt_hpo": "r", "Keras Tuner's": "r", "p": "r",
    }  # fmt: skip
    mean = np.exp(np.mean([np.log(row["times faster"]) for row in results["rows"]]))
    return (
        "Whole searches as people write them, with the default executor, and Keras Tuner's: the "
        "median, and in brackets the least and the most. p, of Kolmogorov and Smirnov, is small "
        "where the scores of all trials are of different distributions. Rows may be of several "
        "runs, each of so many rounds.\n\n"
        f"{measuring.markdown(columns, lines)}\n\nGeometric mean: **{mean:.2f} times**."
    )


def main() -> None:
    parser = measuring.arguments(__doc__)
    parser.add_argument("--searches", nargs="+", choices=SEARCHES, default=list(SEARCHES))
    options = parser.parse_args()
    load, rows = measuring.load(), []
    for name in options.searches[:1] if options.quick else options.searches:
        print(name, flush=True)
        with measuring.fresh_process() as alone:
            row = alone(measure, name, measuring.repeats_of(options))
        rows = measuring.write_row("searches", options, load, row, "search", order=SEARCHES)
    print(section({"rows": rows}))


if __name__ == "__main__":
    main()
