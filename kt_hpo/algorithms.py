"""The search algorithms by name, as the command line knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kt_hpo
from kt_hpo import registry

if TYPE_CHECKING:
    from kt_hpo.tuner import Tuner

# What each of them is.
ALGORITHMS = {name: engine.algorithms[name] for name, engine in registry.algorithms().items()}


def make_tuner(
    algorithm: str,
    max_trials: int | None,
    max_epochs: int,
    min_epochs: int = 1,
    **arguments: Any,
) -> Tuner:
    """Makes the tuner of an algorithm.

    Args:
        algorithm: One of `ALGORITHMS`.
        max_trials: How many trials to run; None for as many as there is time for. hyperband and pbt
            plan their own, freeze_thaw takes the epochs of so many full trainings.
        max_epochs: Epochs of a trial at most.
        min_epochs: Epochs at which a training pauses first, if the algorithm pauses trainings.
        **arguments: Those of `kt_hpo.RandomSearch` and `kt_hpo.Tuner`, with an objective.
            `pruner="auto"` is the one that benchmarks best, wherever there are epochs to compare.

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
    engine = registry.algorithms()[algorithm]
    if engine.argument is not None:
        arguments[engine.argument] = algorithm
    if arguments.get("pruner") == "auto":
        arguments["pruner"] = choose_pruner(algorithm, arguments["objective"])
    if engine.counts_epochs:
        arguments["min_epochs"] = min(min_epochs, max_epochs)
    given = {"max_trials": max_trials, "max_epochs": max_epochs}
    budget = {name: given[name] for name in engine.budget}
    return getattr(kt_hpo, engine.tuner)(**budget, **arguments)


def choose_pruner(algorithm: str, objective: Any) -> str | None:
    """Chooses the pruner that benchmarks best.

    Args:
        algorithm: One of `ALGORITHMS`.
        objective: What a tuner takes as `objective`.

    Returns:
        Its name; None where epochs tell nothing of the objective, or the algorithm stops trials
        itself.

    Example:
        >>> choose_pruner("tpe", "val_loss"), choose_pruner("hyperband", "val_loss")
        ('median', None)
    """
    from kt_hpo import objectives  # It needs Keras; what the algorithms are is told without.

    [first, *others] = objectives.parts(objectives.make_objective(objective))
    compares = not others and not objectives.is_measured_after_training(first)
    prunes = registry.algorithms()[algorithm].prunes
    return "median" if compares and algorithm not in prunes else None
