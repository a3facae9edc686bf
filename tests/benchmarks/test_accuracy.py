"""The clock of each search stops when the goal is reached, or tells that it was not."""

import math

import keras
import pytest

from benchmarks import accuracy


@pytest.fixture
def few_data(monkeypatch):
    (x, y), _ = accuracy.data()
    few = x[:200], y[:200]
    fit = {"validation_data": few, "epochs": 2, "batch_size": 200, "verbose": 0}
    monkeypatch.setattr(accuracy, "data", lambda: (few, fit))


@pytest.mark.slow
@pytest.mark.usefixtures("few_data")
@pytest.mark.parametrize("name", accuracy.SEARCHES)
def test_the_clock_stops_at_the_goal(name, monkeypatch):
    def build(hp):
        layers = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
        model = keras.Sequential([*layers, keras.layers.Softmax()])
        rate = hp.Float("learning_rate", 1e-5, 1e-1, sampling="log")
        model.compile(
            keras.optimizers.SGD(rate), "sparse_categorical_crossentropy", metrics=["accuracy"],
            run_eagerly="vectorized" not in name,
        )  # fmt: skip
        return model

    monkeypatch.setattr(accuracy, "build", build)
    monkeypatch.setattr(accuracy, "EPOCHS", 2)
    seconds = accuracy.seconds_until(accuracy.SEARCHES[name], 0.01, accuracy.far_apart())
    assert 0 < seconds < math.inf


@pytest.mark.slow
def test_a_search_that_ends_before_has_no_time(monkeypatch):
    monkeypatch.setattr(accuracy, "EPOCHS", 1)
    monkeypatch.setattr(accuracy, "TRIALS", 1)
    search = accuracy.SEARCHES["kt_hpo, OptunaSearch (TPE)"]
    assert accuracy.seconds_until(search, 1.01, accuracy.far_apart()) == math.inf
