"""Spaces, scores and searches without training, to hold engines to their contract."""

import tempfile
from pathlib import Path

import keras_tuner
import optuna
from keras_tuner.engine.trial import TrialStatus

from kt_hpo.hyperparameters import HyperParameters

OBJECTIVE = keras_tuner.Objective("score", "min")


def conditional_space():
    hp = HyperParameters()
    hp.Choice("model", ["mlp", "cnn"])
    with hp.conditional_scope("model", ["mlp"]):
        hp.Int("units", 8, 64, step=8)
    with hp.conditional_scope("model", ["cnn"]):
        hp.Float("dropout", 0, 0.5, step=0.1)
        hp.Boolean("pooling")
    hp.Float("rate", 1e-4, 1e-1, sampling="log")
    return hp


def finite_space():
    hp = HyperParameters()
    hp.Choice("model", ["mlp", "cnn"])
    with hp.conditional_scope("model", ["mlp"]):
        hp.Int("units", 1, 3)
    with hp.conditional_scope("model", ["cnn"]):
        hp.Boolean("pooling")
    hp.Choice("bias", [True, False])
    return hp


def space_of_all_kinds():
    hp = HyperParameters()
    hp.Int("plain", -3, 9)
    hp.Int("stepped", 2, 11, step=3)
    hp.Int("logarithmic", 1, 1000, sampling="log")
    hp.Int("doubling", 1, 64, step=2, sampling="log")
    hp.Float("linear", -0.5, 0.5)
    hp.Float("tenths", 0.0, 0.5, step=0.1)
    hp.Float("log", 1e-5, 1e-1, sampling="log")
    hp.Float("reverse", 0.5, 0.999, sampling="reverse_log")
    hp.Choice("word", ["a", "b", "c"])
    hp.Choice("number", [16, 32, 64])
    hp.Choice("flag", [True, False])
    hp.Boolean("switch")
    hp.Fixed("fixed", "adam")
    hp.Int("single", 3, 3)
    return hp


def score(values):
    numbers = (value for value in values.values() if isinstance(value, int | float))
    return sum(numbers) % 7


def opened(oracle, place=None):
    """An oracle as a tuner opens it, its record in a folder or a storage; else in memory."""
    folder = place if isinstance(place, Path) else Path(tempfile.gettempdir())
    if folder != place:
        oracle.storage = place or optuna.storages.InMemoryStorage()
    oracle._set_project_dir(folder, "search")
    oracle.reload()
    return oracle


def end(oracle, trial, value):
    oracle.update_trial(trial.trial_id, {"score": value})
    trial.status = TrialStatus.COMPLETED
    oracle.end_trial(trial)


def run(oracle, trials=None, fail=(), measure=score):
    """Runs trials as a tuner does, and returns the values of each."""
    count = 0
    while trials is None or count < trials:
        trial = oracle.create_trial("tuner0")
        if trial.status == TrialStatus.STOPPED:
            break
        if int(trial.trial_id) in fail:
            trial.status, trial.message = TrialStatus.FAILED, "Traceback\nRuntimeError: no"
            oracle.end_trial(trial)
        else:
            end(oracle, trial, measure(trial.hyperparameters.values))
        count += 1
    return proposed(oracle)


def proposed(oracle):
    return [dict(trial.hyperparameters.values) for trial in oracle.trials.values()]


def own(values):
    """The hyperparameters among a trial's values."""
    return {name: value for name, value in values.items() if not name.startswith("tuner/")}
