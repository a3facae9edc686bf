"""The search algorithms by name, as the command line knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kt_hpo

if TYPE_CHECKING:
    from kt_hpo.tuner import Tuner

# What each of them is.
ALGORITHMS = {
    "random": "random search",
    "grid": "every combination in order",
    "bayesian": "Keras Tuner's Gaussian process",
    "hyperband": "many trials of few epochs, the best go on",
    "tpe": "Optuna's TPE, the one to begin with",
    "cmaes": "Optuna's CMA-ES",
    "nsga2": "Optuna's NSGA-II, for several objectives",
    "bohb": "TPE with Hyperband pruning",
    "hyperopt": "Hyperopt's TPE",
    "bayesopt": "the Gaussian process of bayesian-optimization",
    "evolution": "regularized evolution",
    "pbt": "population-based training",
}


def make_tuner(algorithm: str, max_trials: int, max_epochs: int, **arguments: Any) -> Tuner:
    """Makes the tuner of an algorithm.

    Args:
        algorithm: One of `ALGORITHMS`.
        max_trials: How many trials to run; hyperband and pbt plan their own.
        max_epochs: Epochs of a trial at most.
        **arguments: Those of `kt_hpo.RandomSearch` and `kt_hpo.Tuner`.

    Returns:
        The tuner.

    Raises:
        ImportError: If the algorithm's package is not installed, with the install line.
        ValueError: If the arguments do not fit the algorithm.

    Example:
        >>> def build(hp):
        ...     layers = [keras.Input((2,)), keras.layers.Dense(hp.Int("units", 1, 4))]
        ...     model = keras.Sequential(layers)
        ...     model.compile(loss="mse")
        ...     return model
        >>> arguments = dict(hypermodel=build, objective="val_loss", directory="runs")
        >>> type(make_tuner("tpe", max_trials=5, max_epochs=2, **arguments)).__name__
        'OptunaSearch'
    """
    match algorithm:
        case "hyperband":
            return kt_hpo.Hyperband(max_epochs=max_epochs, **arguments)
        case "pbt":
            return kt_hpo.PopulationBasedTraining(max_epochs=max_epochs, **arguments)
        case "tpe" | "cmaes" | "nsga2" | "bohb":
            return kt_hpo.OptunaSearch(sampler=algorithm, max_trials=max_trials, **arguments)
    tuners: dict[str, type[Tuner]] = {
        "random": kt_hpo.RandomSearch,
        "grid": kt_hpo.GridSearch,
        "bayesian": kt_hpo.BayesianOptimization,
        "hyperopt": kt_hpo.HyperoptSearch,
        "bayesopt": kt_hpo.BayesOptSearch,
        "evolution": kt_hpo.EvolutionarySearch,
    }
    return tuners[algorithm](max_trials=max_trials, **arguments)
