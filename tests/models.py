"""Small models and data that searches in the tests train."""

import keras
import keras_tuner
import numpy as np


def blobs(samples=200, seed=0):
    """Two overlapping classes of points in four dimensions."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(samples, 4)).astype("float32")
    return x, (x.sum(axis=1) + generator.normal(scale=0.3, size=samples) > 0).astype("int32")


def build(hp):
    layers = [
        keras.Input((4,)),
        keras.layers.Dense(hp.Int("units", 1, 32), activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
    model = keras.Sequential(layers)
    rate = hp.Float("rate", 1e-4, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), loss="binary_crossentropy", metrics=["accuracy"])
    return model


def eager(hp):
    """The same without a graph: a training of a few steps is over before one would be traced."""
    model = build(hp)
    model.run_eagerly = True
    return model


class Untrained(keras_tuner.HyperModel):
    """The same with values that no training has given, where nobody looks at the model."""

    def build(self, hp):
        return eager(hp)

    def fit(self, hp, model, *args, **kwargs):
        return {"val_accuracy": hp["units"] / 32, "val_loss": hp["rate"]}


class Drawn(keras_tuner.HyperModel):
    """Trains nothing: what is measured is drawn, and less where it learns."""

    def build(self, hp):
        model = eager(hp)
        hp.Boolean("learns")
        return model

    def fit(self, hp, model, *args, **kwargs):
        return {"val_loss": np.random.uniform() + (0 if hp.get("learns") else 2)}


def conditional(hp):
    """The same with a hyperparameter that is met only while a wide model is being built."""
    model = build(hp)
    if hp.values["units"] > 16:
        hp.Float("late", 0, 1)
    return model


def everything(hp):
    """Hyperparameters of every kind, without a model."""
    kind = hp.Choice("layer 1/kind", ["a", "b"])
    with hp.conditional_scope("layer 1/kind", ["a"]):
        if kind == "a":
            hp.Int("units", 1, 64)
    with hp.conditional_scope("layer 1/kind", ["b"]):
        if kind == "b":
            hp.Int("units", 32, 512, sampling="log")
    hp.Int("stepped", 10, 50, step=20)
    hp.Float("dropout", 0, 1)
    hp.Float("rate", 1e-4, 1e-1, sampling="log")
    hp.Float("tenths", 0, 0.3, step=0.1)
    hp.Float("reverse", 0.1, 1, sampling="reverse_log")
    hp.Boolean("flag")
    hp.Choice("sizes", [16, 32])
    hp.Fixed("fixed", 3)
    hp.Int("single", 4, 4)
