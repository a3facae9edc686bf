"""Searches of a small model that tests of a tuner begin with."""

import keras_tuner
import pytest
from models import blobs, eager

import kt_hpo

X, Y = blobs()
# An epoch is one step, which costs less than to trace a graph of it.
FIT = {"validation_split": 0.25, "epochs": 2, "batch_size": 200, "verbose": 0}


def searched(tmp_path, kind=kt_hpo.RandomSearch, hypermodel=eager, fit=FIT, **kwargs):
    kwargs = {"objective": "val_accuracy", "seed": 0, "directory": tmp_path} | kwargs
    if kind is kt_hpo.RandomSearch:
        kwargs.setdefault("max_trials", 2)
    tuner = kind(hypermodel, **kwargs)
    tuner.search(X, Y, **fit)
    return tuner


class UntilPromoted(kt_hpo.Hyperband):
    """Is interrupted when a trial that goes on from another one has ended."""

    def on_trial_end(self, trial):
        super().on_trial_end(trial)
        if "tuner/trial_id" in trial.hyperparameters.values:
            raise KeyboardInterrupt

    def search(self, *args, **kwargs):
        with pytest.raises(KeyboardInterrupt):
            super().search(*args, **kwargs)


class WithFit(keras_tuner.HyperModel):
    """A hypermodel with a `fit` of its own that returns what it is told to."""

    def __init__(self, result):
        super().__init__()
        self.result = result

    def build(self, hp):
        return eager(hp)

    def fit(self, hp, model, *args, **kwargs):
        kwargs["batch_size"] = hp.Choice("batch_size", [16, 64])
        history = model.fit(*args, **kwargs)
        return self.result(history)


def fails_when_wide(hp):
    if hp.Int("units", 1, 32) > 16:
        raise RuntimeError("too wide for this shop")
    return eager(hp)
