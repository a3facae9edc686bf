"""Models of different widths beside one another."""

import pytest

from benchmarks import padding


def test_a_family_is_as_wide_as_its_widest():
    trials = [
        {"num_layers": 1, "units_0": 8, "lr": 0.1},
        {"num_layers": 1, "units_0": 16, "lr": 0.2},
        {"num_layers": 2, "units_0": 4, "units_1": 64, "lr": 0.3},
        {"num_layers": 2, "units_0": 32, "units_1": 8, "lr": 0.4},
    ]
    widths = [(one["units_0"], one.get("units_1")) for one in padding.padded(trials)]
    assert widths == [(16, None), (16, None), (32, 64), (32, 64)]
    assert [one["lr"] for one in padding.padded(trials)] == [0.1, 0.2, 0.3, 0.4]


def test_one_alone_keeps_its_widths():
    trials = [{"num_layers": 1, "units_0": 8}, {"num_layers": 2, "units_0": 4}]
    assert padding.padded(trials) == trials


def test_the_section_compares_with_programs_of_their_own():
    row = {
        "space": "widths",
        "backend": "tensorflow",
        "families": {"2": 1},
        "seconds a trial": {"one by one": {"median": 2.0}, "2": {"median": 3.0}},
    }
    assert "| 2 | 1 | 3.00 | **1.50** |" in padding.section({"rows": [row]})


@pytest.mark.slow
def test_both_train(monkeypatch):
    monkeypatch.setattr(padding, "ONE_BY_ONE", 2)
    monkeypatch.setattr(padding, "EPOCHS", 1)
    found = padding.measure("the same, 4 to 64 units", [2], 1)
    assert set(found["seconds a trial"]) == {"one by one", "2"}
