"""Small searches whose trials train together, and what they find."""

import copy

import keras
import pytest
from keras import layers
from models import blobs

import kt_hpo

X, Y = blobs()
# The last batch is smaller.
FIT = {"validation_split": 0.25, "batch_size": 64, "epochs": 3, "verbose": 0}


def build(hp):
    """One architecture for all values."""
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-3)),
            layers.Dropout(hp.Float("dropout", 0.1, 0.5)),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), loss="binary_crossentropy", metrics=["accuracy"])
    return model


def without_dropout(hp):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(hp.Int("units", 2, 4))])
    model.add(layers.Dense(1, activation="sigmoid"))
    rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), loss="binary_crossentropy", metrics=["accuracy"])
    return model


def eagerly(hypermodel):
    """The same without graphs: a few steps of one trial are over before one would be traced."""
    build = getattr(hypermodel, "build", hypermodel)

    def built(hp):
        model = build(hp)
        model.run_eagerly = True
        return model

    if build is hypermodel:
        return built
    made = copy.copy(hypermodel)
    made.build = built
    return made


def one_size(hp):
    hp.Fixed("units", 3)
    return without_dropout(hp)


def made(tmp_path, kind=kt_hpo.RandomSearch, hypermodel=build, **kwargs):
    kwargs = {
        "objective": "val_loss",
        "seed": 0,
        "directory": tmp_path,
        "executor": kt_hpo.Vectorized(k=8),
    } | kwargs
    if kind not in (kt_hpo.Hyperband, kt_hpo.PopulationBasedTraining):
        kwargs.setdefault("max_trials", 4)
    return kind(hypermodel, **kwargs)


def searched(
    tmp_path, kind=kt_hpo.RandomSearch, hypermodel=build, *, fit=FIT, data=(X, Y), **kwargs
):
    tuner = made(tmp_path, kind, hypermodel, **kwargs)
    tuner.search(*data, **fit)
    return tuner


def histories(tuner):
    return [trial.user_attrs.get("history") for trial in tuner.study.trials]


def assert_same(ours, theirs, relative=1e-5):
    for trial in zip(histories(ours), histories(theirs), strict=True):
        for one, other in zip(*trial, strict=True):
            for name in other:
                assert one[name] == pytest.approx(other[name], rel=relative, abs=1e-6), name
