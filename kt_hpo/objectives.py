"""What is optimized: a metric, something measured of the trained model, or several of these.

Keras Tuner's `Objective` is used as it is; this module makes it from what a user writes, names the
objectives of a search for its record and reads their values. Models are measured in
`kt_hpo.training.measures`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from keras_tuner import Objective, Oracle

from kt_hpo.arguments import did_you_mean, is_one_of
from kt_hpo.datasets import Dataset
from kt_hpo.datasets.findings import imbalance
from kt_hpo.metric_directions import METRICS, metric_direction

GAP = "generalization_gap"
# What Keras Tuner calls the number that a search without an objective minimizes.
DEFAULT = "default_objective"
# What is measured of a trained model where it is asked for; the less the better, all of them.
MEASURED = ("latency", "parameters", "flops", "training_seconds", GAP)
# On fewer samples many trials have the same accuracy, by chance.
_FEW = 200


class Measure(Objective):
    """A function of the trained model, as an objective.

    The model has the weights of its best epoch.

    Args:
        function: Takes a `keras.Model`, returns a number.
        name: What the number is called in the record; the function's name by default.
        direction: `"min"` or `"max"`.

    Raises:
        TypeError: If it cannot be called.
        ValueError: If the direction is another, or a function without a name has got none.

    Example:
        >>> def depth(model):
        ...     return len(model.layers)
        >>> print(Measure(depth))
        Objective(name="depth", direction="min")
    """

    def __init__(
        self,
        function: Callable[[Any], float],
        name: str | None = None,
        direction: Literal["min", "max"] = "min",
    ) -> None:
        if not callable(function):
            raise TypeError(f"Measure({function!r}): give a function of the trained model.")
        if not is_one_of(direction, ("min", "max")):
            raise ValueError(f"direction={direction!r} is not allowed; give 'min' or 'max'.")
        own = getattr(function, "__name__", "<lambda>")
        if not name and own == "<lambda>":
            raise ValueError(
                f"{function!r} has no name for the record. Give it one: "
                "kt_hpo.Measure(function, name=...), or write it with def."
            )
        super().__init__(name or own, direction)
        self.function = function


# How a user may write an objective.
OneObjective: TypeAlias = str | Objective | Callable[[Any], float]
ObjectiveLike: TypeAlias = OneObjective | Sequence[OneObjective] | None


class TrainingLoss(Objective):
    """What picks a trial's best epoch where no epoch measures the objective.

    It is the validation loss, or the training loss where nothing is validated.
    """

    def __init__(self) -> None:
        super().__init__("val_loss", "min")

    def has_value(self, logs: Mapping[str, float]) -> bool:
        """Tells whether there is a loss."""
        return "val_loss" in logs or "loss" in logs

    def get_value(self, logs: Mapping[str, float]) -> float:
        """Reads the loss."""
        return logs["val_loss"] if "val_loss" in logs else logs["loss"]


def make_objective(objective: ObjectiveLike) -> Objective:
    """Makes an objective of what a user has written.

    Args:
        objective: The name of a metric; one of latency, parameters, flops, training_seconds,
            generalization_gap; a `keras_tuner.Objective`; a function of the trained model, to be
            minimized, or a `Measure` of it; a list of these; or None for what `fit` or `run_trial`
            returns, to be minimized.

    Returns:
        The objective, a sum if there are several, as Keras Tuner has it.

    Raises:
        ValueError: If a name does not tell whether more or less of it is better, a direction is
            neither "min" nor "max", one is there twice, or the list is empty.
        TypeError: If it is something else.

    Example:
        >>> describe(make_objective(["val_accuracy", "latency"]))
        'val_accuracy (max), latency (min)'
    """
    if isinstance(objective, list | tuple):
        made = [make_objective(one) for one in objective]
        names = [one.name for one in made]
        if not names or len(set(names)) < len(names):
            raise ValueError(
                f"objective={objective!r} is not allowed; give at least one, and none twice."
            )
        return made[0] if len(made) == 1 else _keras_tuners(made)
    if objective is None:
        return _keras_tuners(None)
    if isinstance(objective, Objective):
        return _checked(objective)
    if isinstance(objective, str):
        return _named(objective)
    if callable(objective):
        return Measure(objective)
    raise TypeError(
        f"objective={objective!r} is not allowed; give the name of a metric, one of "
        f"{', '.join(MEASURED)}, a kt_hpo.Objective, a function of the model, or a list of these."
    )


def _named(name: str) -> Objective:
    direction = "min" if name in MEASURED else metric_direction(name)
    if direction is not None:
        return Objective(name, direction)
    hint = did_you_mean(name, [*MEASURED, *METRICS])
    raise ValueError(
        f"objective={name!r}: it is not known whether more or less of it is better.{hint} For "
        f'a metric of the model say it, kt_hpo.Objective({name!r}, direction="max") or "min". '
        "Known without that are Keras' metrics and losses by the names Keras gives them, also "
        f"with val_ or an output's name before them, and {', '.join(MEASURED)}."
    )


def _checked(objective: Objective) -> Objective:
    """An objective as a user has made it, whose directions are those there are."""
    for part in parts(objective):
        if not is_one_of(part.direction, ("min", "max")):
            raise ValueError(
                f"Objective({part.name!r}, direction={part.direction!r}) is not allowed; the "
                "direction is 'min' or 'max'."
            )
    return objective


def contradictions(objective: Objective) -> list[str]:
    """Names the objectives that are optimized against what their names say.

    Args:
        objective: What `oracle.objective` holds, or another program has recorded.

    Returns:
        The names of those of which the other direction is the better one.

    Example:
        >>> contradictions(Objective("val_f1_score", "min"))
        ['val_f1_score']
    """
    return [
        part.name
        for part in parts(objective)
        if metric_direction(part.name) not in (None, part.direction)
    ]


def parts(objective: Objective) -> list[Objective]:
    """Lists the single objectives of an objective.

    Args:
        objective: What `oracle.objective` holds: one objective or a sum of several.

    Returns:
        The objectives, in the order the user gave them.

    Example:
        >>> [part.name for part in parts(Objective("val_loss", "min"))]
        ['val_loss']
    """
    return list(getattr(objective, "objectives", [objective]))


def directions(objective: Objective) -> list[Literal["minimize", "maximize"]]:
    """Gives Optuna's direction of each objective.

    Args:
        objective: What `oracle.objective` holds.

    Returns:
        `"minimize"` or `"maximize"` for each of `parts(objective)`.
    """
    return ["maximize" if part.direction == "max" else "minimize" for part in parts(objective)]


def with_objective(objective: Objective, metrics: Mapping[str, float]) -> dict[str, float]:
    """Adds the value of the objective to metrics that hold what it is made of.

    Args:
        objective: What `oracle.objective` holds.
        metrics: Values by the metrics' names.

    Returns:
        The metrics, with the sum of several objectives under `objective.name`.
    """
    asks_for_gap = any(part.name == GAP for part in parts(objective))
    found = with_gap(metrics) if asks_for_gap else dict(metrics)
    if objective.name not in found and objective.has_value(found):
        found[objective.name] = objective.get_value(found)
    return found


def is_measured(part: Objective) -> bool:
    """Tells whether an objective is measured of the model by itself, and no metric of it.

    Args:
        part: A single objective.

    Returns:
        Whether it is a `Measure`, or has one of the names that are `MEASURED`.
    """
    return isinstance(part, Measure) or part.name in MEASURED


def is_measured_after_training(part: Objective) -> bool:
    """Tells whether an objective is known only once the training is over.

    Args:
        part: A single objective.

    Returns:
        False for what the logs of an epoch may hold.
    """
    return is_measured(part) and part.name != GAP


def while_training(objective: Objective) -> Objective:
    """Gives what tells the better epoch of a training.

    Args:
        objective: What `oracle.objective` holds.

    Returns:
        The objectives that each epoch measures; the validation loss, or else the training loss, if
        there are none.

    Example:
        >>> while_training(make_objective(["val_accuracy", "latency"])).name
        'val_accuracy'
        >>> while_training(make_objective("latency")).get_value({"loss": 0.5})
        0.5
    """
    every = parts(objective)
    left = [part for part in every if not is_measured_after_training(part)]
    if len(left) == len(every):
        return objective
    if not left:
        return TrainingLoss()
    return left[0] if len(left) == 1 else _keras_tuners(left)


def _keras_tuners(objective: list[Objective] | None) -> Objective:
    """Keras Tuner's objective for several, or for none, of which it shows no class."""
    # A seed: without one it would draw from the user's random numbers.
    return Oracle(objective=objective, seed=1).objective


def is_better(objective: Objective, value: float, other: float) -> bool:
    """Tells whether a value of an objective is better than another one; NaN is the worst.

    Args:
        objective: The objective.
        value: The value.
        other: The other one.

    Returns:
        Whether it is better.

    Example:
        >>> is_better(Objective("val_loss", "min"), float("inf"), float("nan"))
        True
    """
    return objective.better_than(value, other) or bool(math.isnan(other) > math.isnan(value))


def with_gap(metrics: Mapping[str, float]) -> dict[str, float]:
    """Adds the generalization gap, validation minus training loss, to the metrics of an epoch.

    Args:
        metrics: Values by the metrics' names.

    Returns:
        The metrics, with the gap where both losses are among them.

    Example:
        >>> with_gap({"loss": 0.5, "val_loss": 0.75})["generalization_gap"]
        0.25
    """
    if "loss" in metrics and "val_loss" in metrics:
        return {GAP: metrics["val_loss"] - metrics["loss"], **metrics}
    return dict(metrics)


def needs_validation(names: Iterable[str]) -> bool:
    """Tells whether something is measured on validation data.

    Args:
        names: Of objectives, or of what constraints are about.

    Returns:
        True if one of them starts with `val_`, or is the generalization gap.
    """
    return any(name.startswith("val_") or name == GAP for name in names)


def describe(objective: Objective) -> str:
    """Writes an objective in words.

    Args:
        objective: What `oracle.objective` holds.

    Returns:
        For example `val_accuracy (max)`.
    """
    return ", ".join(f"{part.name} ({part.direction})" for part in parts(objective))


def choose_objective(train: Dataset, compared: int | None = None) -> tuple[str, str]:
    """Chooses what to optimize by the data.

    Args:
        train: The training data.
        compared: How many samples trials are compared on, if that is known.

    Returns:
        The name of a metric, and the reason in words that follow "because".

    Example:
        >>> import numpy as np
        >>> from kt_hpo.datasets import Dataset
        >>> y = np.array([0] * 9 + [1])
        >>> choose_objective(Dataset(y[:, None], y, "rare", "classification", ("no", "yes")))
        ('val_loss', 'accuracy says little of classes as unequal as these')
    """
    if train.class_names is None:
        return "val_loss", "the targets are numbers"
    if imbalance(train.y, train.class_names):
        return "val_loss", "accuracy says little of classes as unequal as these"
    if compared is not None and compared < _FEW:
        return "val_loss", f"{compared} samples are few to compare accuracies on"
    return "val_accuracy", "the targets are classes"
