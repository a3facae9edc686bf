"""Hyperparameter optimization for Keras: one HyperModel, every search algorithm, nothing lost.

The public names are here; each is imported when it is first used, so that `import kt_hpo` costs
nothing and brings no TensorFlow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# `kt_hpo.oracles`, say, is `compat/oracles.py`: programs import it from where it always was.
__path__ = [*__path__, f"{__path__[0]}/compat"]

if TYPE_CHECKING:
    from keras_tuner import HyperModel, Objective, Oracle

    from kt_hpo import datasets, plots
    from kt_hpo.compat import (
        applications,
        engine,
        errors,
        oracles,
        ray,
        sklearn,
        tuners,
        wandb,
    )
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
    from kt_hpo.execution import Inline, Ray, Vectorized, Workers
    from kt_hpo.integrations.exports import export
    from kt_hpo.integrations.imports import import_search
    from kt_hpo.integrations.sklearn import KerasHyperClassifier, KerasHyperRegressor
    from kt_hpo.objectives import Measure
    from kt_hpo.oracle.locking import synchronized
    from kt_hpo.record.journal import RecordError
    from kt_hpo.record.studies import open_study
    from kt_hpo.reports import report
    from kt_hpo.space.hyperparameters import HyperParameters
    from kt_hpo.training.hyperparameters import Training
    from kt_hpo.training.learning_rate_finder import find_learning_rate
    from kt_hpo.tuner import Tuner

_HOMES = {
    "BayesOptSearch": "kt_hpo.engines.bayesopt_search",
    "BayesianOptimization": "kt_hpo.engines.bayesian_optimization",
    "EvolutionarySearch": "kt_hpo.engines.evolutionary_search",
    "GridSearch": "kt_hpo.engines.grid_search",
    "HyperModel": "keras_tuner",
    "HyperParameters": "kt_hpo.space.hyperparameters",
    "Hyperband": "kt_hpo.engines.hyperband",
    "HyperoptSearch": "kt_hpo.engines.hyperopt_search",
    "Inline": "kt_hpo.execution",
    "Measure": "kt_hpo.objectives",
    "KerasHyperClassifier": "kt_hpo.integrations.sklearn",
    "KerasHyperRegressor": "kt_hpo.integrations.sklearn",
    "Objective": "keras_tuner",
    "OptunaSearch": "kt_hpo.engines.optuna_search",
    "Oracle": "keras_tuner",
    "PopulationBasedTraining": "kt_hpo.engines.population_based_training",
    "RandomSearch": "kt_hpo.engines.random_search",
    "Ray": "kt_hpo.execution",
    "RecordError": "kt_hpo.record.journal",
    "SklearnTuner": "kt_hpo.engines.sklearn_tuner",
    "Training": "kt_hpo.training.hyperparameters",
    "Tuner": "kt_hpo.tuner",
    "Vectorized": "kt_hpo.execution",
    "Workers": "kt_hpo.execution",
    "export": "kt_hpo.integrations.exports",
    "find_learning_rate": "kt_hpo.training.learning_rate_finder",
    "import_search": "kt_hpo.integrations.imports",
    "open_study": "kt_hpo.record.studies",
    "report": "kt_hpo.reports",
    "synchronized": "kt_hpo.oracle.locking",
}
_MODULES = (
    "applications", "datasets", "engine", "errors", "oracles", "plots", "ray", "sklearn",
    "tuners", "wandb",
)  # fmt: skip

__all__ = [
    "BayesOptSearch",
    "BayesianOptimization",
    "EvolutionarySearch",
    "GridSearch",
    "HyperModel",
    "HyperParameters",
    "Hyperband",
    "HyperoptSearch",
    "Inline",
    "KerasHyperClassifier",
    "KerasHyperRegressor",
    "Measure",
    "Objective",
    "OptunaSearch",
    "Oracle",
    "PopulationBasedTraining",
    "RandomSearch",
    "Ray",
    "RecordError",
    "SklearnTuner",
    "Training",
    "Tuner",
    "Vectorized",
    "Workers",
    "applications",
    "datasets",
    "engine",
    "errors",
    "export",
    "find_learning_rate",
    "import_search",
    "open_study",
    "oracles",
    "plots",
    "ray",
    "report",
    "sklearn",
    "synchronized",
    "tuners",
    "wandb",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kt_hpo.startup import quiet_tensorflow

    with quiet_tensorflow():
        if name in _MODULES:
            return import_module(f"kt_hpo.{name}")
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
