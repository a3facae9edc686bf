"""WHO proposes the next values: one file an engine."""

from __future__ import annotations

from kt_hpo.oracles.adoption import recorded
from kt_hpo.oracles.bayesian_optimization import BayesianOptimizationOracle
from kt_hpo.oracles.bayesopt_search import BayesOptSearchOracle
from kt_hpo.oracles.evolutionary_search import EvolutionarySearchOracle
from kt_hpo.oracles.grid_search import GridSearchOracle
from kt_hpo.oracles.hyperband import HyperbandOracle
from kt_hpo.oracles.hyperopt_search import HyperoptSearchOracle
from kt_hpo.oracles.optuna_search import OptunaSearchOracle
from kt_hpo.oracles.population_based_training import PopulationBasedTrainingOracle
from kt_hpo.oracles.random_search import RandomSearchOracle
from kt_hpo.oracles.recorded import RecordedOracle

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
