"""What every executor promises: one search has the same trials wherever they run."""

import functools
import sys

import cloudpickle
import keras
import pytest
from models import blobs
from optuna.pruners import ThresholdPruner

import kt_hpo

# This module is none that a worker could import.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

X, Y = blobs()
# Trials that train together share the order of their samples: it is no trial's own.
FIT = {
    "validation_data": blobs(100, seed=1),
    "epochs": 3,
    "batch_size": 100,
    "shuffle": False,
    "verbose": 0,
}
EXECUTORS = {
    "inline": kt_hpo.Inline,
    "default": lambda: None,
    "vectorized": functools.partial(kt_hpo.Vectorized, 4),
    "workers": functools.partial(kt_hpo.Workers, 2),
    "ray": functools.partial(kt_hpo.Ray, 2),
}


def build(hp):
    units = hp.Choice("units", [4, 8, 64])
    if units == 64:
        raise RuntimeError("too wide for this shop")
    hidden = keras.layers.Dense(units, activation="relu")
    model = keras.Sequential([keras.Input((4,)), hidden, keras.layers.Dense(1)])
    with hp.conditional_scope("units", 8):
        if units == 8:
            hp.Boolean("late")  # Met only while such a model is being built.
    rate = hp.Float("rate", 1e-3, 1.0, sampling="log")
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(rate), loss, metrics=["accuracy"])
    return model


def made(directory, executor, max_trials=6):
    return kt_hpo.RandomSearch(
        build,
        "val_loss",
        max_trials=max_trials,
        seed=0,
        directory=directory,
        max_consecutive_failed_trials=9,
        pruner=ThresholdPruner(upper=0.71, n_warmup_steps=1),
        executor=EXECUTORS[executor](),
    )


def outcome(tuner):
    return [
        (trial.state.name, trial.params, sorted(trial.intermediate_values))
        for trial in tuner.study.trials
    ]


@pytest.fixture(scope="module")
def inline(tmp_path_factory):
    tuner = made(tmp_path_factory.mktemp("inline"), "inline")
    tuner.search(X, Y, **FIT)
    return tuner


def check_each(tuner, inline):
    """Values, ends, reports, scores, tracebacks and checkpoints are those of inline."""
    assert outcome(tuner) == outcome(inline)
    for trial, other in zip(tuner.study.trials, inline.study.trials, strict=True):
        assert trial.intermediate_values == pytest.approx(other.intermediate_values, rel=1e-4)
        if trial.state.name == "FAIL":
            assert "RuntimeError: too wide for this shop" in trial.user_attrs["traceback"]
            assert tuner.oracle.get_trial(f"{trial.number:04}").message
        else:
            assert trial.value == pytest.approx(other.value, rel=1e-4)
            assert trial.duration.total_seconds() > 0
            assert trial.user_attrs["parameters"] == other.user_attrs["parameters"] > 0
    best = min(trial.value for trial in tuner.study.trials if trial.state.name == "COMPLETE")
    [model] = tuner.get_best_models()
    assert model.evaluate(*FIT["validation_data"], verbose=0)[0] == pytest.approx(best, rel=1e-4)


def test_the_search_has_trials_of_every_end(inline):
    assert {state for state, _, _ in outcome(inline)} == {"COMPLETE", "PRUNED", "FAIL"}
    assert {"late" in params for _, params, _ in outcome(inline)} == {True, False}


def check_all(executor, inline, folder):
    """A search has the trials of inline, and goes on where it stopped."""
    tuner = made(folder, executor)
    tuner.search(X, Y, **FIT)
    check_each(tuner, inline)
    ended = outcome(tuner)
    again = made(folder, executor, max_trials=7)
    again.search(X, Y, **FIT)
    assert outcome(again)[:6] == ended
    assert len(outcome(again)) == 7 and again.study.trials[6].state.is_finished()


@pytest.mark.parametrize(
    "executor", ["default", "vectorized", pytest.param("workers", marks=pytest.mark.slow)]
)
def test_trials_are_those_of_inline_and_go_on_where_they_stopped(executor, inline, tmp_path):
    check_all(executor, inline, tmp_path)


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_trials_on_ray_are_those_of_inline_too(local_ray, inline, tmp_path):
    check_all("ray", inline, tmp_path)
