"""What is optimised: one metric, or several.

Keras Tuner's `Objective` is used as it is; this module names the objectives of a search for its
record and reads their values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from keras_tuner import Objective

# How a user may write an objective.
ObjectiveLike: TypeAlias = str | Objective | list[str | Objective] | None


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
    found = dict(metrics)
    if objective.name not in found and objective.has_value(found):
        found[objective.name] = objective.get_value(found)
    return found


def needs_validation(objective: Objective) -> bool:
    """Tells whether an objective is measured on validation data.

    Args:
        objective: What `oracle.objective` holds.

    Returns:
        True if one of its names starts with `val_`.
    """
    return any(part.name.startswith("val_") for part in parts(objective))


def describe(objective: Objective) -> str:
    """Writes an objective in words.

    Args:
        objective: What `oracle.objective` holds.

    Returns:
        For example `val_accuracy (max)`.
    """
    return ", ".join(f"{part.name} ({part.direction})" for part in parts(objective))
