"""Searches of a small model that tests of a tuner begin with."""

import keras_tuner
from models import blobs, build

import kt_hpo

X, Y = blobs()
FIT = {"validation_split": 0.25, "epochs": 2, "verbose": 0}


def searched(tmp_path, kind=kt_hpo.RandomSearch, hypermodel=build, fit=FIT, **kwargs):
    kwargs = {"objective": "val_accuracy", "seed": 0, "directory": tmp_path} | kwargs
    if kind is kt_hpo.RandomSearch:
        kwargs.setdefault("max_trials", 2)
    tuner = kind(hypermodel, **kwargs)
    tuner.search(X, Y, **fit)
    return tuner


class WithFit(keras_tuner.HyperModel):
    """A hypermodel with a `fit` of its own that returns what it is told to."""

    def __init__(self, result):
        super().__init__()
        self.result = result

    def build(self, hp):
        return build(hp)

    def fit(self, hp, model, *args, **kwargs):
        batch_size = hp.Choice("batch_size", [16, 64])
        history = model.fit(*args, batch_size=batch_size, **kwargs)
        return self.result(history)


def fails_when_wide(hp):
    if hp.Int("units", 1, 32) > 16:
        raise RuntimeError("too wide for this shop")
    return build(hp)
