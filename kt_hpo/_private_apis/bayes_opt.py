"""What bayesian-optimization keeps to itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def set_minimum(acquisition: Any, minimum: Callable[..., Any]) -> None:
    """Has an acquisition function look for its best point by another function.

    Args:
        acquisition: A `bayes_opt.acquisition` object. Without the name of today it looks by its
            own, which takes longer.
        minimum: The function; see `kt_hpo.engines.proposals.acquisition.minimum`.
    """
    if hasattr(acquisition, "_smart_minimize"):
        acquisition._smart_minimize = minimum


def set_process(optimizer: Any, kind: Callable[..., Any]) -> None:
    """Gives an optimizer a Gaussian process of another class, with the same settings.

    Args:
        optimizer: A `bayes_opt.BayesianOptimization`. Without the name of today it keeps its own.
        kind: A subclass of `sklearn.gaussian_process.GaussianProcessRegressor`.
    """
    if hasattr(optimizer, "_gp"):
        optimizer._gp = kind(**optimizer._gp.get_params(deep=False))
