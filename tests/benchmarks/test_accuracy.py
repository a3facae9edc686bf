"""The clock of each search stops when the goal is reached, or tells that it was not."""

import math

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
    monkeypatch.setattr(accuracy, "EPOCHS", 2)
    seconds = accuracy.seconds_until(accuracy.SEARCHES[name], 0.01, accuracy.far_apart())
    assert 0 < seconds < math.inf


def test_a_search_that_ends_before_has_no_time(monkeypatch):
    monkeypatch.setattr(accuracy, "EPOCHS", 1)
    monkeypatch.setattr(accuracy, "TRIALS", 1)
    search = accuracy.SEARCHES["kt_hpo, OptunaSearch (TPE)"]
    assert accuracy.seconds_until(search, 1.01, accuracy.far_apart()) == math.inf
