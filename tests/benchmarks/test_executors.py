"""One search by each executor."""

from dataclasses import replace

import pytest

from benchmarks import executors, searches


def test_the_section_names_the_best():
    seconds = {who: {"median": s} for who, s in zip(executors.EXECUTORS, (4, 5, 9, 8), strict=True)}
    row = {"about": "a search", "trials": 6, "seconds": seconds}
    told = executors.section({"rows": [row]})
    assert "| a search | 6 | **4.0** | 5.0 | 9.0 | 8.0 | 1.00 | 1.25 |" in told


@pytest.mark.slow
def test_each_executor_trains_the_trials(monkeypatch):
    short = replace(searches.SEARCHES["several-inputs"], trials=1, epochs=1)
    monkeypatch.setitem(searches.SEARCHES, "several-inputs", short)
    found = executors.measure("several-inputs", times=2, repeats=1)
    assert found["trials"] == 2 and set(found["seconds"]) == set(executors.EXECUTORS)
