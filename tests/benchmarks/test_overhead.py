"""Engines are asked and told with every storage, up to counts of trials."""

import tempfile

import pytest
from optuna.storages import InMemoryStorage

from benchmarks.engines import ENGINES, STORAGES, Engine, opened
from benchmarks.overhead import measure

TPE = ENGINES["OptunaSearch (TPE)"]


@pytest.mark.slow
@pytest.mark.parametrize("storage", STORAGES)
def test_a_trial_takes_time_and_place_in_each_storage(storage):
    # The path of a server's socket would be too long below pytest's folder.
    with tempfile.TemporaryDirectory() as folder, opened(storage, folder) as record:
        found = measure(Engine(ENGINES["RandomSearch"], record, folder), folder, [10, 20], 1)
    assert list(found["milliseconds"]) == ["10", "20"]
    assert all(amount > 0 for amount in found["milliseconds"].values())
    assert found["drawn at random"] == {"10": 0, "20": 0}
    assert (found["kilobytes on disk a trial"] > 0) == (storage != "memory")


def test_without_time_all_but_the_last_trials_are_drawn_at_random(tmp_path):
    engine = Engine(TPE, InMemoryStorage(), str(tmp_path))
    found = measure(engine, str(tmp_path), [30, 1000], minutes=0)
    assert found["drawn at random"] == {"30": 20}
    assert list(found["milliseconds"]) == ["30"]
    assert len(engine._oracle.trials) == 30
    assert isinstance(engine._oracle, type(TPE()))
