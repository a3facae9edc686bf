"""Hyperparameter optimization for Keras: one HyperModel, every search algorithm, nothing lost.

The public names are here; each is imported when it is first used, so that `import kt_hpo` costs
nothing and brings no TensorFlow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from keras_tuner import HyperModel, Objective, Oracle

    from kt_hpo import (
        applications,
        datasets,
        engine,
        errors,
        oracles,
        plots,
        ray,
        sklearn,
        tuners,
        wandb,
    )
    from kt_hpo.execution import Inline, Ray, Vectorized, Workers
    from kt_hpo.exports import export
    from kt_hpo.hyperparameters import HyperParameters
    from kt_hpo.imports import import_search
    from kt_hpo.journal import RecordError
    from kt_hpo.objectives import Measure
    from kt_hpo.oracles.locking import synchronized
    from kt_hpo.reports import report
    from kt_hpo.sklearn import KerasHyperClassifier, KerasHyperRegressor
    from kt_hpo.studies import open_study
    from kt_hpo.training.hyperparameters import Training
    from kt_hpo.training.learning_rate_finder import find_learning_rate
    from kt_hpo.tuner import Tuner
    from kt_hpo.tuners import (
        BayesianOptimization,
        BayesOptSearch,
        EvolutionarySearch,
        GridSearch,
        Hyperband,
        HyperoptSearch,
        OptunaSearch,
        PopulationBasedTraining,
        RandomSearch,
        SklearnTuner,
    )

_HOMES = {
    "BayesOptSearch": "kt_hpo.tuners",
    "BayesianOptimization": "kt_hpo.tuners",
    "EvolutionarySearch": "kt_hpo.tuners",
    "GridSearch": "kt_hpo.tuners",
    "HyperModel": "keras_tuner",
    "HyperParameters": "kt_hpo.hyperparameters",
    "Hyperband": "kt_hpo.tuners",
    "HyperoptSearch": "kt_hpo.tuners",
    "Inline": "kt_hpo.execution",
    "Measure": "kt_hpo.objectives",
    "KerasHyperClassifier": "kt_hpo.sklearn",
    "KerasHyperRegressor": "kt_hpo.sklearn",
    "Objective": "keras_tuner",
    "OptunaSearch": "kt_hpo.tuners",
    "Oracle": "keras_tuner",
    "PopulationBasedTraining": "kt_hpo.tuners",
    "RandomSearch": "kt_hpo.tuners",
    "Ray": "kt_hpo.execution",
    "RecordError": "kt_hpo.journal",
    "SklearnTuner": "kt_hpo.tuners",
    "Training": "kt_hpo.training.hyperparameters",
    "Tuner": "kt_hpo.tuner",
    "Vectorized": "kt_hpo.execution",
    "Workers": "kt_hpo.execution",
    "export": "kt_hpo.exports",
    "find_learning_rate": "kt_hpo.training.learning_rate_finder",
    "import_search": "kt_hpo.imports",
    "open_study": "kt_hpo.studies",
    "report": "kt_hpo.reports",
    "synchronized": "kt_hpo.oracles.locking",
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
