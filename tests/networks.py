"""Hypermodels of scikit-learn's data, and estimators made of them."""

import keras
import keras_tuner
from sklearn.datasets import load_iris

from kt_hpo import KerasHyperClassifier

X, Y = load_iris(return_X_y=True)
NAMES = load_iris().target_names[Y]
BINARY = Y < 2


def network(*layers, loss, rate=0.03):
    model = keras.Sequential(layers)
    # Eager training of so few samples takes less time than tracing it.
    model.compile(keras.optimizers.Adam(rate), loss=loss, run_eagerly=True)
    return model


def build(hp):
    units = hp.Int("units", 1, 32)
    return network(
        keras.layers.Dense(units, activation="relu"),
        keras.layers.Dense(3, activation="softmax"),
        loss="sparse_categorical_crossentropy",
        rate=hp.Float("rate", 1e-5, 1e-1, sampling="log", default=0.03),
    )


def build_line(hp):
    return network(
        keras.layers.Dense(hp.Int("units", 4, 32, default=32), activation="relu"),
        keras.layers.Dense(1),
        loss="mse",
        rate=hp.Float("rate", 1e-4, 1e-1, sampling="log", default=0.03),
    )


def scoped(hp):
    hp.Choice("kind", ["linear", "deep", "wide"])
    with hp.conditional_scope("kind", ["deep"]):
        hp.Int("units", 2, 4)
        hp.Boolean("norm")
    with hp.conditional_scope("kind", ["wide"]):
        hp.Float("units", 0.5, 1.0, step=0.25)
    hp.Float("a/b", 0, 1)


class Head(keras_tuner.HyperModel):
    def __init__(self, units, activation, loss):
        super().__init__()
        self.units, self.activation, self.loss = units, activation, loss

    def build(self, hp):
        return network(keras.layers.Dense(self.units, self.activation), loss=self.loss)


def fitted(kind=KerasHyperClassifier, hypermodel=build, x=X, y=Y, **kwargs):
    kwargs = {"epochs": 10, "batch_size": 50, "random_state": 0} | kwargs
    return kind(hypermodel, **kwargs).fit(x, y)
