"""What a trial's values tell of its place in the search, under Keras Tuner's names."""

import ast
from pathlib import Path

import pytest

import kt_hpo
from kt_hpo.space import continuation
from kt_hpo.space.continuation import Continuation, own_values, reserved_values


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"tuner/parent": "0003"},
        {"tuner/epochs": 3, "tuner/initial_epoch": 0, "tuner/bracket": 2, "tuner/round": 0},
        {"tuner/member": 0, "tuner/generation": 1, "tuner/initial_epoch": 2, "tuner/epochs": 4,
         "tuner/trial_id": "0001"},
    ],
)  # fmt: skip
def test_what_is_read_from_values_is_written_as_it_was(values):
    everything = {"units": 8, **values}
    assert Continuation.of(everything).values() == values
    assert reserved_values(everything) == values and own_values(everything) == {"units": 8}


def test_no_other_file_knows_the_names():
    for path in Path(kt_hpo.__file__).parent.rglob("*.py"):
        if path != Path(continuation.__file__):
            texts = (getattr(node, "value", "") for node in ast.walk(ast.parse(path.read_text())))
            assert not any(str(text).startswith("tuner/") for text in texts), path
