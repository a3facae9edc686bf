"""The tuners of all engines."""

from __future__ import annotations

from kt_hpo.engines.bayesian_optimization import BayesianOptimization
from kt_hpo.engines.bayesopt_search import BayesOptSearch
from kt_hpo.engines.evolutionary_search import EvolutionarySearch
from kt_hpo.engines.grid_search import GridSearch
from kt_hpo.engines.hyperband import Hyperband
from kt_hpo.engines.hyperopt_search import HyperoptSearch
from kt_hpo.engines.optuna_search import OptunaSearch
from kt_hpo.engines.population_based_training import PopulationBasedTraining
from kt_hpo.engines.random_search import RandomSearch
from kt_hpo.engines.sklearn_tuner import SklearnTuner
from kt_hpo.tuner import Tuner

__all__ = [
    "BayesOptSearch",
    "BayesianOptimization",
    "EvolutionarySearch",
    "GridSearch",
    "Hyperband",
    "HyperoptSearch",
    "OptunaSearch",
    "PopulationBasedTraining",
    "RandomSearch",
    "SklearnTuner",
    "Tuner",
]
