"""A HyperModel as a scikit-learn estimator."""

from __future__ import annotations

from kt_hpo.integrations.sklearn import (
    KerasHyperClassifier,
    KerasHyperRegressor,
    param_distributions,
    param_grid,
)

__all__ = ["KerasHyperClassifier", "KerasHyperRegressor", "param_distributions", "param_grid"]
