"""The arguments that oracles have in common, and those of Keras Tuner's engines."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras_tuner

from kt_hpo.arguments import (
    check_flag,
    check_number,
    check_whole,
    check_whole_or_none,
    is_whole,
)

COMMON = ("max_trials", "seed", "max_retries_per_trial", "max_consecutive_failed_trials")


def check_arguments(arguments: dict[str, Any]) -> None:
    """Refuses arguments of an oracle that are not allowed; whole numbers become Python's.

    Args:
        arguments: The arguments by name; those that are not here are not checked.

    Raises:
        ValueError: If one is not allowed.
        TypeError: If `hyperparameters` is no `HyperParameters`.

    Example:
        >>> arguments = {"max_trials": 3, "alpha": 0.1}
        >>> check_arguments(arguments)
    """
    for name, check in _CHECKS.items():
        if name in arguments:
            check(**{name: arguments[name]})
            if is_whole(arguments[name]):
                arguments[name] = int(arguments[name])
    for name in ("tune_new_entries", "allow_new_entries"):
        if not arguments.get(name, True) and arguments.get("hyperparameters") is None:
            raise ValueError(
                f"{name}=False leaves nothing to search without hyperparameters=, which prescribes "
                "the space. Give a kt_hpo.HyperParameters object, or leave it True."
            )


def _check_from_one(**given: Any) -> None:
    check_whole(1, **given)


def _check_max_trials(max_trials: Any) -> None:
    check_whole_or_none("to go on until the space is exhausted", max_trials=max_trials)


def _check_seed(seed: Any) -> None:
    check_whole_or_none("for one that no other search has", 0, seed=seed)


def _check_retries(max_retries_per_trial: Any) -> None:
    check_whole(0, max_retries_per_trial=max_retries_per_trial)


def _check_initial_points(num_initial_points: Any) -> None:
    check_whole_or_none(
        "for 3 times the number of hyperparameters", num_initial_points=num_initial_points
    )


def _check_factor(factor: Any) -> None:
    check_whole(2, factor=factor)


def _check_iterations(hyperband_iterations: Any) -> None:
    if hyperband_iterations != math.inf:
        check_whole(hyperband_iterations=hyperband_iterations)


def _check_positive(**given: Any) -> None:
    check_number(0, **given)


def _check_hyperparameters(hyperparameters: Any) -> None:
    if hyperparameters is None or isinstance(hyperparameters, keras_tuner.HyperParameters):
        return
    raise TypeError(
        f"hyperparameters={hyperparameters!r} is not allowed; give a kt_hpo.HyperParameters object "
        "with the space to override: hp = kt_hpo.HyperParameters(); hp.Int('units', 8, 64). "
        "Without it the space is what build(hp) asks for."
    )


_CHECKS: dict[str, Callable[..., None]] = {
    "max_trials": _check_max_trials,
    "seed": _check_seed,
    "max_retries_per_trial": _check_retries,
    "max_consecutive_failed_trials": _check_from_one,
    "hyperparameters": _check_hyperparameters,
    "tune_new_entries": check_flag,
    "allow_new_entries": check_flag,
    "max_epochs": _check_from_one,
    "factor": _check_factor,
    "hyperband_iterations": _check_iterations,
    "num_initial_points": _check_initial_points,
    "alpha": _check_positive,
    "beta": check_number,
}
