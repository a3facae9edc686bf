"""Hyperparameter optimization for Keras: one HyperModel, every search algorithm, nothing lost.

The public names are here; each is imported when it is first used, so that `import kt_hpo` costs
nothing and brings no TensorFlow; where the program imports that later, it says nothing of itself.
Engines and executors are named in `kt_hpo/registry.py`. Type checkers read `__init__.pyi`, which
`make stubs` makes from these names.
"""

from __future__ import annotations

import sys

from kt_hpo.lazy_names import lazy_names
from kt_hpo.moved_modules import MovedModules
from kt_hpo.registry import ENGINES, EXECUTORS
from kt_hpo.startup import quiet_first_import, quiet_tqdm

quiet_first_import()
quiet_tqdm()

__version__ = "0.2.0"

# `kt_hpo.oracles`, say, is `compat/oracles.py`: programs import it from where it always was.
__path__ = [*__path__, f"{__path__[0]}/compat"]
sys.meta_path.append(MovedModules())

_MODULES = (
    "applications", "datasets", "engine", "errors", "oracles", "plots", "ray", "sklearn",
    "tuners", "wandb",
)  # fmt: skip
_HOMES = {
    **{engine.tuner: engine.module for engine in ENGINES},
    **dict.fromkeys(EXECUTORS.values(), "kt_hpo.execution"),
    **{name: f"kt_hpo.{name}" for name in _MODULES},
    "HyperModel": "keras_tuner",
    "HyperParameters": "kt_hpo.space.hyperparameters",
    "KerasHyperClassifier": "kt_hpo.integrations.sklearn",
    "KerasHyperRegressor": "kt_hpo.integrations.sklearn",
    "Measure": "kt_hpo.objectives",
    "Objective": "keras_tuner",
    "Oracle": "keras_tuner",
    "RecordError": "kt_hpo.record.journal",
    "Training": "kt_hpo.training.hyperparameters",
    "Tuner": "kt_hpo.tuner",
    "export": "kt_hpo.integrations.exports",
    "find_learning_rate": "kt_hpo.training.learning_rate_finder",
    "import_search": "kt_hpo.integrations.imports",
    "load": "kt_hpo.trained_model",
    "open_study": "kt_hpo.record.studies",
    "report": "kt_hpo.reports",
    "synchronized": "kt_hpo.oracle.locking",
    "tune": "kt_hpo.tuning",
}

__all__ = sorted(_HOMES)
__getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
