"""One hyperparameter of a ready space at a time."""

import numpy as np
import pytest

from benchmarks import ranges
from kt_hpo.datasets import from_arrays


def test_every_other_value_of_every_hyperparameter_is_tried():
    data = ranges.TABLES["diabetes"]()
    found = list(ranges.alternatives("MLP", data))
    assert ("batch_size", 64) in found
    assert ("layers", 1) in found
    assert ("layers", 3) in found
    assert ("normalization", "batch") in found
    assert ("l2", 1e-2) in found  # It has but one value in the small space.
    assert len(set(found)) == len(found)
    made = vars(ranges.hypermodel_of("MLP", data))
    assert all(value != made[argument].default for argument, value in found)


def test_what_belongs_to_another_choice_is_not_tried():
    series = from_arrays(np.zeros((20, 8, 2), "float32"), np.arange(20) % 2, test=0)
    tried = {argument for argument, _ in ranges.alternatives("Sequence", series)}
    assert {"body", "units", "kernel_size"} <= tried
    assert not {"heads", "direction", "embedding"} & tried


@pytest.mark.parametrize("model", ranges.DATA)
def test_there_are_three_data_sets_for_each_model(model):
    assert len(ranges.DATA[model][1]) >= 3


def test_letters_differ_and_are_always_the_same():
    train, validation, _ = ranges.letters()
    assert train.input_shape == (20, 20, 1)
    assert train.num_classes == 26
    again = ranges.letters().train
    assert (np.asarray(again.arrays[0]) == np.asarray(train.arrays[0])).all()
    assert len(validation) == 390


@pytest.mark.slow
def test_a_change_is_trained_as_the_default_is(monkeypatch):
    monkeypatch.setattr(ranges, "STEPS", 5)
    monkeypatch.setattr(ranges, "epochs_of", lambda model, data: 1)
    data = ranges.TABLES["diabetes"]()
    base = ranges.score("MLP", data, 0)
    assert ranges.score("MLP", data, 0) == base
    assert ranges.score("MLP", data, 0, learning_rate=1e-6) < base


def test_what_a_change_is_worth_is_the_mean_over_data_sets():
    rows = {
        "default": {"mnist5k": {"0": 0.9, "1": 0.8}, "digits": {"0": 0.5}},
        "blocks=2": {"mnist5k": {"0": 0.9, "1": 0.9}, "digits": {"0": 0.4}},
    }
    told = ranges.section({"rows": {"CNN": rows}})
    assert "| blocks=2 | 0.900 | 0.400 |  | -0.025 |" in told
