# Made by `make stubs`.
from kt_hpo.engines.bayesian_optimization import BayesianOptimizationOracle as BayesianOptimizationOracle
from kt_hpo.engines.bayesopt_search import BayesOptSearchOracle as BayesOptSearchOracle
from kt_hpo.engines.evolutionary_search import EvolutionarySearchOracle as EvolutionarySearchOracle
from kt_hpo.engines.grid_search import GridSearchOracle as GridSearchOracle
from kt_hpo.engines.hyperband import HyperbandOracle as HyperbandOracle
from kt_hpo.engines.hyperopt_search import HyperoptSearchOracle as HyperoptSearchOracle
from kt_hpo.engines.optuna_search import OptunaSearchOracle as OptunaSearchOracle
from kt_hpo.engines.population_based_training import PopulationBasedTrainingOracle as PopulationBasedTrainingOracle
from kt_hpo.engines.random_search import RandomSearchOracle as RandomSearchOracle
from kt_hpo.oracle.adoption import recorded as recorded
from kt_hpo.oracle.recorded import RecordedOracle as RecordedOracle
