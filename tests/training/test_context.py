"""A tuner is what training asks for. Keras Tuner has no types, so mypy takes any tuner for it."""

import inspect

import pytest
from models import eager

import kt_hpo
from kt_hpo.training.context import SearchContext, TrainingOracle


def attributes(protocol):
    """Names of its attributes and properties, those of the protocols it extends included."""
    bases = protocol.__mro__[:-1]
    annotated = {name for base in bases for name in vars(base).get("__annotations__", {})}
    properties = inspect.getmembers(protocol, lambda member: isinstance(member, property))
    return annotated | {name for name, _ in properties}


def methods(protocol):
    """Its methods by their names."""
    functions = inspect.getmembers(protocol, inspect.isfunction)
    return {name: one for name, one in functions if not name.startswith("__")}


@pytest.fixture
def tuner(tmp_path):
    return kt_hpo.RandomSearch(eager, "val_loss", max_trials=1, directory=tmp_path)


@pytest.mark.parametrize("protocol", [TrainingOracle, SearchContext])
def test_a_tuner_and_its_oracle_have_what_training_asks_for(protocol, tuner):
    given = tuner if protocol is SearchContext else tuner.oracle
    assert {"oracle", "objective"} & attributes(protocol) and "report" in methods(protocol)
    for name in attributes(protocol):
        assert hasattr(given, name), name
    for name, method in methods(protocol).items():
        asked, found = inspect.signature(method), inspect.signature(getattr(type(given), name))
        assert list(asked.parameters) == list(found.parameters), name
