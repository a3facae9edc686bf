"""`import kt_hpo as keras_tuner`: every public name is there and takes the same arguments."""

import importlib
import inspect
import pkgutil
from types import ModuleType

import keras_tuner
import pytest

import kt_hpo

# Ours add arguments behind `**kwargs`, which the base class lists.
PASSED_ON = inspect.Parameter.VAR_KEYWORD


def public_names(module=keras_tuner, path=""):
    """All names that Keras Tuner documents, with the modules they are in."""
    for name, value in sorted(vars(module).items()):
        if name.startswith("_") or name == "src":
            continue
        if isinstance(value, ModuleType):
            yield from public_names(value, f"{path}{name}.")
        else:
            yield f"{path}{name}"


def modules():
    found = pkgutil.walk_packages(keras_tuner.__path__, "keras_tuner.")
    return [one.name for one in found if not one.name.startswith("keras_tuner.src")]


def both(name):
    *path, last = name.split(".")
    ours, theirs = kt_hpo, keras_tuner
    for part in path:
        ours, theirs = getattr(ours, part), getattr(theirs, part)
    return getattr(ours, last), getattr(theirs, last)


def assert_takes_the_same(ours, theirs, name):
    own = inspect.signature(ours).parameters
    passes_on = any(one.kind == PASSED_ON for one in own.values())
    positional = [one for one in own if own[one].kind != inspect.Parameter.KEYWORD_ONLY]
    for place, (argument, expected) in enumerate(inspect.signature(theirs).parameters.items()):
        if expected.kind in (PASSED_ON, inspect.Parameter.VAR_POSITIONAL):
            continue
        assert argument in own or passes_on, f"{name} does not take {argument}"
        if argument in own:
            assert positional.index(argument) == place, f"{name} takes {argument} elsewhere"
            required = inspect.Parameter.empty
            assert expected.default is required or own[argument].default is not required


def test_the_modules_are_there():
    for name in modules():
        importlib.import_module(name.replace("keras_tuner", "kt_hpo", 1))


@pytest.mark.parametrize("name", public_names())
def test_a_public_name_is_there_and_takes_the_same_arguments(name):
    ours, theirs = both(name)
    if not inspect.isclass(theirs):
        assert_takes_the_same(ours, theirs, name)
        return
    assert inspect.isclass(ours)
    assert_takes_the_same(ours.__init__, theirs.__init__, name)
    for method, expected in inspect.getmembers(theirs, inspect.isfunction):
        if not method.startswith("_"):
            assert_takes_the_same(getattr(ours, method), expected, f"{name}.{method}")


def test_what_is_caught_and_compared_is_keras_tuners_own():
    assert kt_hpo.errors.FailedTrialError is keras_tuner.errors.FailedTrialError
    assert issubclass(kt_hpo.RandomSearch, keras_tuner.Tuner)
    assert issubclass(kt_hpo.HyperParameters, keras_tuner.HyperParameters)
    assert issubclass(kt_hpo.oracles.HyperbandOracle, keras_tuner.Oracle)
