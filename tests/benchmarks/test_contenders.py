"""Everyone who is timed really trains the values that are given."""

from dataclasses import replace

import keras
import pytest

from benchmarks import contenders, measuring, throughput
from benchmarks.cases import CASES

CASE = replace(
    CASES["digits MLP, one architecture"], epochs=3, batch_size=64, trials=2, peer_trials=2
)
SLOWLY, WELL = ({"dropout": 0.1, "rate": rate} for rate in (1e-4, 1e-2))


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
@pytest.mark.parametrize("name", contenders.TWO_AT_ONCE)
def test_processes_train_the_values_given(name, request):
    if not throughput.there(name):
        pytest.skip(f"{throughput.PACKAGES[name]} is not installed")
    if "Ray(2)" in name:  # Ray Tune has started one for itself.
        request.getfixturevalue("local_ray")
    keras.utils.set_random_seed(0)
    slowly, well = contenders.TWO_AT_ONCE[name](CASE, [SLOWLY, WELL])
    assert slowly < 0.75 < well


def linear(hp):
    """A model that is traced and trained sooner than those of the cases."""
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])
    optimizer = keras.optimizers.SGD(hp.Float("rate", 1e-4, 1.0, sampling="log"))
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.slow
def test_a_row_compares_all_who_train_the_values_given_with_keras_tuner(monkeypatch):
    case = replace(CASE, build=linear)
    everyone, agreement = {}, throughput.agreement

    def watched(scores, trials):
        everyone.update(scores)
        return agreement(scores, trials)

    monkeypatch.setattr(throughput, "agreement", watched)
    values = [{"rate": 1e-4}, {"rate": 1.0}]
    monkeypatch.setattr(type(case), "values", lambda case, trials: values)
    keras.utils.set_random_seed(0)
    row = throughput.measure("digits", case, repeats=1, processes=False)
    assert {"Keras Tuner", "kt_hpo, inline", "kt_hpo, Vectorized"} < set(row["seconds a trial"])
    assert row["trials"] == dict.fromkeys([*everyone, "the graph alone"], 2)
    for name, (slowly, well) in everyone.items():
        assert slowly < 0.75 < well, name
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
