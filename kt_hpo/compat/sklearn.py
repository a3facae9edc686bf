"""A HyperModel as a scikit-learn estimator."""

from __future__ import annotations

from kt_hpo.integrations.sklearn import (
    KerasHyperClassifier,
    KerasHyperRegressor,
    param_distributions,
    param_grid,
)

# Old names of modules are within this one: `kt_hpo/moved_modules.py`.
__path__: list[str] = []
__all__ = ["KerasHyperClassifier", "KerasHyperRegressor", "param_distributions", "param_grid"]
