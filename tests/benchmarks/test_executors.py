"""One search by each executor."""

from dataclasses import replace

import pytest

from benchmarks import executors, searches


def test_the_section_names_the_best():
    seconds = {
        who: {"median": s} for who, s in zip(executors.EXECUTORS, (4, 6, 5, 9, 8), strict=True)
    }
    row = {"about": "a search", "trials": 6, "alike": True, "repeats": 3, "seconds": seconds}
    told = executors.section({"rows": [row]})
    assert (
        "| a search; of one architecture | 6 | **4.0** | 6.0 | 5.0 | 9.0 | 8.0 | 1.00 | 1.25 | 3 |"
        in told
    )


@pytest.mark.slow
def test_each_executor_trains_the_trials(monkeypatch):
    short = replace(searches.SEARCHES["several-inputs"], trials=1, epochs=1)
    monkeypatch.setitem(searches.SEARCHES, "several-inputs", short)
    found = executors.measure("several-inputs", times=2, alike=True, repeats=1)
    assert found["trials"] == 2 and set(found["seconds"]) == set(executors.EXECUTORS)


def test_values_of_one_architecture_differ_in_floats():
    search = replace(searches.SEARCHES["several-inputs"], trials=3)
    found = executors.of_one_architecture(search)
    assert len({one["lr"] for one in found}) == 3
    assert len({tuple(v for n, v in one.items() if n != "lr") for one in found}) == 1
