"""WHICH running trials stop early: Optuna's pruners, used as they are.

A trial reports the objective after each epoch, and the pruner answers from all that is in the
record whether it is worth going on. Any pruner goes with any engine.
"""

from __future__ import annotations

import keras_tuner
from optuna import pruners
from optuna.pruners import BasePruner, NopPruner

from kt_hpo import objectives
from kt_hpo.arguments import did_you_mean
from kt_hpo.registry import PRUNERS


def make_pruner(pruner: str | BasePruner | None) -> BasePruner:
    """Makes a pruner from its name.

    Args:
        pruner: An Optuna pruner; or `"median"` (worse than the median of the trials before it at
            this epoch, after 5 trials), `"percentile"` (not among the best quarter), `"asha"`
            (asynchronous successive halving, Li et al. 2020, from the first epoch on),
            `"hyperband"` (several of these, Li et al. 2018), `"wilcoxon"` (worse than the best
            trial over cross-validation folds); or None or `"none"` for no pruning.

    Returns:
        The pruner.

    Raises:
        ValueError: If the name is not known; the nearest is suggested.
        TypeError: If it is neither a name nor a pruner.

    Example:
        >>> type(make_pruner("asha")).__name__
        'SuccessiveHalvingPruner'
    """
    if pruner is None:
        return NopPruner()
    if isinstance(pruner, BasePruner):
        return pruner
    if not isinstance(pruner, str):
        raise TypeError(
            f"pruner={pruner!r} is neither a name ({', '.join(PRUNERS)}) nor an optuna.pruners "
            "object, such as optuna.pruners.MedianPruner()."
        )
    if pruner not in PRUNERS:
        hint = did_you_mean(pruner, PRUNERS)
        raise ValueError(
            f"pruner={pruner!r} is not one of {', '.join(PRUNERS)}.{hint} Any object of "
            "optuna.pruners is taken as well."
        )
    kind, arguments = PRUNERS[pruner]
    return getattr(pruners, kind)(**arguments)


def check_pruner(pruner: BasePruner, oracle: keras_tuner.Oracle) -> None:
    """Refuses a pruner where it cannot work.

    Args:
        pruner: The pruner.
        oracle: The oracle of the search.

    Raises:
        ValueError: If the oracle stops trials early by itself, there are several objectives, or no
            epoch measures the one there is.
    """
    if isinstance(pruner, NopPruner):
        return
    name = type(pruner).__name__
    if getattr(oracle, "pauses_trials", isinstance(oracle, keras_tuner.oracles.HyperbandOracle)):
        tuner = type(oracle).__name__.removesuffix("Oracle")
        raise ValueError(
            f"{name} and the {tuner} tuner both decide which trials stop early, and one would "
            "spoil the other's rungs. Leave pruner out, or search with OptunaSearch and "
            'pruner="hyperband".'
        )
    if len(objectives.parts(oracle.objective)) > 1:
        raise ValueError(
            f"{name} compares trials by one objective, and this search has several: "
            f"{objectives.describe(oracle.objective)}. Leave pruner out, or search for one of them."
        )
    if objectives.is_measured_after_training(oracle.objective):
        raise ValueError(
            f"{name} compares trials epoch by epoch, and {oracle.objective.name!r} is known only "
            "once a training is over. Leave pruner out."
        )
