"""A tuner and its oracle are what training asks for."""

import ast
from pathlib import Path
from typing import Protocol

import pytest
from models import eager
from protocols import attributes, broken, methods

import kt_hpo
from kt_hpo import training
from kt_hpo.training.context import SearchContext, TrainingOracle


@pytest.fixture
def tuner(tmp_path):
    return kt_hpo.RandomSearch(eager, "val_loss", max_trials=1, directory=tmp_path)


def test_a_tuner_has_what_training_asks_for(tuner):
    assert {"oracle", "hypermodel", "runs_its_own_way"} <= attributes(SearchContext)
    assert {"report", "annotate", "run_trial"} <= methods(SearchContext).keys()
    assert broken(SearchContext, tuner) == []


def test_an_oracle_has_what_a_training_asks_for(tuner):
    assert broken(TrainingOracle, tuner.oracle) == []


def test_what_a_tuner_lacks_is_found(tuner):
    class Other(Protocol):
        color: str

        def report(self, trial): ...
        def paint(self): ...

    assert sorted(broken(Other, tuner)) == ["color", "paint", "report"]


def test_training_knows_no_tuner():
    for path in Path(training.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            assert "Tuner" not in (getattr(node, "attr", None), getattr(node, "id", None)), path
