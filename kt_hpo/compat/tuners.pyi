# Made by `make stubs`.
from kt_hpo.engines.auto_search import AutoSearch as AutoSearch
from kt_hpo.engines.bayesian_optimization import BayesianOptimization as BayesianOptimization
from kt_hpo.engines.bayesopt_search import BayesOptSearch as BayesOptSearch
from kt_hpo.engines.evolutionary_search import EvolutionarySearch as EvolutionarySearch
from kt_hpo.engines.freeze_thaw_search import FreezeThawSearch as FreezeThawSearch
from kt_hpo.engines.gaussian_process_search import GaussianProcessSearch as GaussianProcessSearch
from kt_hpo.engines.grid_search import GridSearch as GridSearch
from kt_hpo.engines.hyperband import Hyperband as Hyperband
from kt_hpo.engines.hyperopt_search import HyperoptSearch as HyperoptSearch
from kt_hpo.engines.optuna_search import OptunaSearch as OptunaSearch
from kt_hpo.engines.population_based_training import PopulationBasedTraining as PopulationBasedTraining
from kt_hpo.engines.random_search import RandomSearch as RandomSearch
from kt_hpo.engines.sklearn_tuner import SklearnTuner as SklearnTuner
from kt_hpo.tuner import Tuner as Tuner
