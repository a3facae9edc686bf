"""The clock of each search stops when the goal is reached, or tells that it was not."""

import math
from functools import partial

import keras
import optuna
import pytest

import kt_hpo
from benchmarks import accuracy
from kt_hpo.space import domain


@pytest.fixture
def few_data(monkeypatch):
    (x, y), _ = accuracy.data()
    few = x[:200], y[:200]
    fit = {"validation_data": few, "epochs": 2, "batch_size": 200, "verbose": 0}
    monkeypatch.setattr(accuracy, "data", lambda: (few, fit))


def build(hp):
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    model = keras.Sequential([*layers, keras.layers.Softmax()])
    rate = hp.Float("learning_rate", 1e-5, 1e-1, sampling="log")
    optimizer = keras.optimizers.SGD(rate)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def draw(trial):
    return {"learning_rate": trial.suggest_float("learning_rate", 1e-5, 1e-1, log=True)}


TASK = accuracy.Task("one layer", build, draw, lambda: 0.01)


@pytest.mark.slow
@pytest.mark.usefixtures("few_data")
@pytest.mark.parametrize("name", accuracy.SEARCHES)
def test_the_clock_stops_at_the_goal(name):
    seconds = accuracy.seconds_until(accuracy.SEARCHES[name], TASK, 0.01, accuracy.far_apart())
    assert 0 < seconds < math.inf


@pytest.mark.slow
@pytest.mark.usefixtures("few_data")
def test_a_search_that_ends_before_has_no_time():
    search = partial(accuracy.with_ours, kt_hpo.OptunaSearch, {"max_trials": 1})
    assert accuracy.seconds_until(search, TASK, 1.01, accuracy.far_apart()) == math.inf


@pytest.mark.parametrize("name", accuracy.TASKS)
def test_optuna_draws_what_the_hypermodel_asks_for(name):
    task, hp = accuracy.TASKS[name], kt_hpo.HyperParameters()
    task.build(hp)
    drawn = task.draw(optuna.trial.FixedTrial(dict(hp.values)))
    assert drawn == hp.values
    declared = {one.name: domain.to_distribution(one) for one in hp.space}
    study = optuna.create_study()
    trial = study.ask()
    task.draw(trial)
    assert trial.distributions == declared
