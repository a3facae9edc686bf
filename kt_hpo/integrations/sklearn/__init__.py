"""A HyperModel as a scikit-learn estimator, and its space as scikit-learn's searches take it."""

from kt_hpo.integrations.sklearn.estimators import KerasHyperClassifier, KerasHyperRegressor
from kt_hpo.integrations.sklearn.grids import param_distributions, param_grid

__all__ = ["KerasHyperClassifier", "KerasHyperRegressor", "param_distributions", "param_grid"]
