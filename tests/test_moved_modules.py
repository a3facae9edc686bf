"""Modules are imported from where the documentation of version 0.1 had them, each with a name."""

from importlib import import_module

import pytest

from kt_hpo.moved_modules import MOVED

DOCUMENTED = {
    "kt_hpo.dashboard": "make_dashboard",
    "kt_hpo.exports": "export",
    "kt_hpo.hyperparameters": "HyperParameters",
    "kt_hpo.imports.search": "import_search",
    "kt_hpo.journal": "RecordError",
    "kt_hpo.oracles.adoption": "recorded",
    "kt_hpo.oracles.bayesian_optimization": "BayesianOptimizationOracle",
    "kt_hpo.oracles.bayesopt_search": "BayesOptSearchOracle",
    "kt_hpo.oracles.evolutionary_search": "EvolutionarySearchOracle",
    "kt_hpo.oracles.grid_search": "GridSearchOracle",
    "kt_hpo.oracles.hyperband": "HyperbandOracle",
    "kt_hpo.oracles.hyperopt_search": "HyperoptSearchOracle",
    "kt_hpo.oracles.locking": "synchronized",
    "kt_hpo.oracles.optuna_search": "OptunaSearchOracle",
    "kt_hpo.oracles.population_based_training": "PopulationBasedTrainingOracle",
    "kt_hpo.oracles.random_search": "RandomSearchOracle",
    "kt_hpo.oracles.samplers": "make_sampler",
    "kt_hpo.oracles.state": "SearchState",
    "kt_hpo.provenance": "environment",
    "kt_hpo.ray.models": "load_model",
    "kt_hpo.ray.recorder": "Recorder",
    "kt_hpo.ray.space": "param_space",
    "kt_hpo.ray.trainables": "trainable",
    "kt_hpo.scopes": "is_active",
    "kt_hpo.sklearn.estimators": "KerasHyperClassifier",
    "kt_hpo.sklearn.grids": "param_grid",
    "kt_hpo.studies": "open_study",
    "kt_hpo.tables": "to_dataframe",
    "kt_hpo.tuners.bayesian_optimization": "BayesianOptimization",
    "kt_hpo.tuners.bayesopt_search": "BayesOptSearch",
    "kt_hpo.tuners.evolutionary_search": "EvolutionarySearch",
    "kt_hpo.tuners.grid_search": "GridSearch",
    "kt_hpo.tuners.hyperband": "Hyperband",
    "kt_hpo.tuners.hyperopt_search": "HyperoptSearch",
    "kt_hpo.tuners.optuna_search": "OptunaSearch",
    "kt_hpo.tuners.population_based_training": "PopulationBasedTraining",
    "kt_hpo.tuners.random_search": "RandomSearch",
    "kt_hpo.tuners.sklearn_tuner": "SklearnTuner",
    "kt_hpo.wandb.imported": "import_sweep",
    "kt_hpo.wandb.sweeps": "sweep_config",
}


@pytest.mark.parametrize("path", DOCUMENTED)
def test_a_documented_module_is_where_it_was(path):
    name, old, new = DOCUMENTED[path], import_module(path), import_module(MOVED[path])
    assert getattr(old, name) is getattr(new, name)
    with pytest.raises(AttributeError):
        old.no_such_name  # noqa: B018
