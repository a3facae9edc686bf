"""Small models and data that searches in the tests train."""

import keras
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
