"""Everyone who is timed really trains the values that are given."""

from dataclasses import replace

import keras
import pytest

from benchmarks import contenders, measuring, throughput
from benchmarks.cases import CASES

CASE = replace(CASES["digits MLP, one architecture"], epochs=3, trials=4, peer_trials=1)
SLOWLY, WELL = ({"dropout": 0.1, "rate": rate} for rate in (1e-4, 1e-2))
EVERYONE = contenders.ONE_BY_ONE | contenders.TWO_AT_ONCE | contenders.ALL_AT_ONCE


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERYONE)
def test_everyone_trains_the_values_given(name):
    if not throughput.there(name):
        pytest.skip(f"{throughput.PACKAGES[name]} is not installed")
    keras.utils.set_random_seed(0)
    slowly, well = EVERYONE[name](CASE, [SLOWLY, WELL])
    assert slowly < 0.75 < well


@pytest.mark.slow
def test_a_row_compares_all_and_holds_the_scores_against_keras_tuner():
    row = throughput.measure("digits", CASE, repeats=1, processes=False)
    assert {"Keras Tuner", "kt_hpo, inline", "kt_hpo, Vectorized"} < set(row["seconds a trial"])
    assert row["trials"]["loop by hand"] == 1 and row["trials"]["kt_hpo, Vectorized"] == 4
    alone = row["seconds a trial"]["the graph alone"]["median"]
    assert 0 < alone < row["seconds a trial"]["kt_hpo, Vectorized"]["median"]
    assert abs(row["mean difference of paired scores"]) < 0.5


def test_the_page_has_ratios_to_keras_tuner():
    seconds = {
        "Keras Tuner": measuring.spread([2.0, 3.0, 4.0]),
        "loop by hand": measuring.spread([2.0]),
        "kt_hpo, inline": measuring.spread([1.0, 1.5, 2.0]),
    }
    row = {"case": "digits", "command": "bench", "epochs": 3, "seconds a trial": seconds,
           "trials": dict.fromkeys(seconds, 4), "not installed": []}  # fmt: skip
    page = throughput.section({"rows": [row]})
    assert "| kt_hpo, inline | **2.0** | 1.500 (1.000 to 2.000) | 4 | 3 |" in page
