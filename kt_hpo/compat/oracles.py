"""The oracles of all engines."""

from __future__ import annotations

from kt_hpo.engines.bayesian_optimization import BayesianOptimizationOracle
from kt_hpo.engines.bayesopt_search import BayesOptSearchOracle
from kt_hpo.engines.evolutionary_search import EvolutionarySearchOracle
from kt_hpo.engines.grid_search import GridSearchOracle
from kt_hpo.engines.hyperband import HyperbandOracle
from kt_hpo.engines.hyperopt_search import HyperoptSearchOracle
from kt_hpo.engines.optuna_search import OptunaSearchOracle
from kt_hpo.engines.population_based_training import PopulationBasedTrainingOracle
from kt_hpo.engines.random_search import RandomSearchOracle
from kt_hpo.oracle.adoption import recorded
from kt_hpo.oracle.recorded import RecordedOracle

__all__ = [
    "BayesOptSearchOracle",
    "BayesianOptimizationOracle",
    "EvolutionarySearchOracle",
    "GridSearchOracle",
    "HyperbandOracle",
    "HyperoptSearchOracle",
    "OptunaSearchOracle",
    "PopulationBasedTrainingOracle",
    "RandomSearchOracle",
    "RecordedOracle",
    "recorded",
]
