"""Searches to be timed: models, data, epochs, and the values to try, the same for everyone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import keras_tuner
import numpy as np
from keras import layers

import kt_hpo
from kt_hpo.space import domain


def compiled(hp: keras_tuner.HyperParameters, model: keras.Model) -> keras.Model:
    rate = hp.Float("rate", 1e-4, 1e-2, sampling="log")
    model.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def mlp(
    hp: keras_tuner.HyperParameters,
    shape: tuple[int, ...],
    depth: int,
    units: int,
    activation: str,
) -> keras.Model:
    model = keras.Sequential([keras.Input(shape), layers.Flatten()])
    for _ in range(depth):
        model.add(layers.Dense(units, activation=activation))
        model.add(layers.Dropout(hp.Float("dropout", 0.05, 0.5)))
    model.add(layers.Dense(10, activation="softmax"))
    return compiled(hp, model)


def digits_one(hp: keras_tuner.HyperParameters) -> keras.Model:
    return mlp(hp, (8, 8, 1), 1, 64, "relu")


def digits_twelve(hp: keras_tuner.HyperParameters) -> keras.Model:
    depth, units = hp.Int("depth", 1, 2), hp.Choice("units", [32, 64, 128])
    return mlp(hp, (8, 8, 1), depth, units, hp.Choice("activation", ["relu", "tanh"]))


def mnist_mlp(hp: keras_tuner.HyperParameters) -> keras.Model:
    return mlp(hp, (28, 28, 1), 1, 128, "relu")


def mnist_cnn(hp: keras_tuner.HyperParameters) -> keras.Model:
    model = keras.Sequential([keras.Input((28, 28, 1))])
    for filters in (8, 16):
        model.add(layers.Conv2D(filters, 3, activation="relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dropout(hp.Float("dropout", 0.05, 0.5)))
    model.add(layers.Dense(10, activation="softmax"))
    return compiled(hp, model)


@dataclass(frozen=True)
class Case:
    """A search.

    Attributes:
        build: The hypermodel.
        data: Name of a data set.
        trials: How many trials those run that train many at once.
        peer_trials: How many the others do: each takes them about as long as the next.
        epochs: Of each trial.
        batch_size: Of each trial.
        goal: How many times faster than Keras Tuner vectorized trials should be.
    """

    build: Callable[[keras_tuner.HyperParameters], keras.Model]
    data: str
    trials: int
    peer_trials: int
    epochs: int
    batch_size: int
    goal: float

    @property
    def space(self) -> keras_tuner.HyperParameters:
        """The hyperparameters of the model."""
        hp = kt_hpo.HyperParameters()
        self.build(hp)
        keras.utils.clear_session()
        return hp

    def values(self, trials: int) -> list[dict[str, Any]]:
        """The values of each trial."""
        hp, stream = self.space, np.random.default_rng(0)
        return [domain.draw(hp, stream) for _ in range(trials)]

    def model(self, values: dict[str, Any]) -> keras.Model:
        """The model of a trial."""
        hp = kt_hpo.HyperParameters()
        hp.values = dict(values)
        return self.build(hp)

    def fit(self) -> tuple[tuple[Any, Any], dict[str, Any]]:
        """What `model.fit` is given: its data, and keywords."""
        train, validation, _ = kt_hpo.datasets.load(self.data)
        options = {"epochs": self.epochs, "batch_size": self.batch_size, "verbose": 0}
        return train.arrays, {"validation_data": validation.arrays, **options}


CASES = {
    "digits MLP, one architecture": Case(digits_one, "digits", 64, 4, 10, 32, 50),
    "digits MLP, 12 architectures": Case(digits_twelve, "digits", 64, 4, 10, 32, 15),
    "mnist5k MLP": Case(mnist_mlp, "mnist5k", 32, 4, 10, 64, 4),
    "mnist5k CNN": Case(mnist_cnn, "mnist5k", 16, 3, 5, 64, 2),
}
