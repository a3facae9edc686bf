"""What a user holds: a tuner for each search algorithm, used exactly like Keras Tuner's."""

from kt_hpo.tuner import Tuner
from kt_hpo.tuners.bayesian_optimization import BayesianOptimization
from kt_hpo.tuners.bayesopt_search import BayesOptSearch
from kt_hpo.tuners.evolutionary_search import EvolutionarySearch
from kt_hpo.tuners.grid_search import GridSearch
from kt_hpo.tuners.hyperband import Hyperband
from kt_hpo.tuners.hyperopt_search import HyperoptSearch
from kt_hpo.tuners.optuna_search import OptunaSearch
from kt_hpo.tuners.population_based_training import PopulationBasedTraining
from kt_hpo.tuners.random_search import RandomSearch
from kt_hpo.tuners.sklearn_tuner import SklearnTuner

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
