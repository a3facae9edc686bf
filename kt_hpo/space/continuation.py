"""Where a trial stands in its search: what its values hold beside its hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

# Keras Tuner's, of values that stand beside the hyperparameters.
_PREFIX = "tuner/"
# An engine knows what its trials have.
_NONE: Any = None


@dataclass(frozen=True, kw_only=True)
class Continuation:
    """Which part of a training a trial is, and of which trial it is the continuation or the child.

    Attributes:
        member: The number of the member, in a population.
        generation: Which interval of its member the trial is, counted from 0.
        initial_epoch: The epoch the trial begins with; where `epochs` is not known, 0.
        epochs: How many epochs the model has been trained for at the end of the trial; None for as
            many as `search` was asked for.
        bracket: The number of Hyperband's bracket.
        round: The rung of that bracket, counted from 0.
        trial_id: The trial from whose end this one goes on.
        parent: The trial whose values this one's are a mutation of.

    Example:
        >>> Continuation(epochs=3, bracket=1, round=0).values()
        {'tuner/initial_epoch': 0, 'tuner/epochs': 3, 'tuner/bracket': 1, 'tuner/round': 0}
        >>> Continuation.of({"units": 64, "tuner/parent": "0007"}).parent
        '0007'
    """

    member: int = _NONE
    generation: int = _NONE
    initial_epoch: int = 0
    epochs: int = _NONE
    bracket: int = _NONE
    round: int = _NONE
    trial_id: str | None = None
    parent: str | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Continuation:
        """Reads it from the values of a trial.

        Args:
            values: Values by name, those of hyperparameters among them.

        Returns:
            What they tell.
        """
        return cls(**{field: values[name] for field, name in _NAMES.items() if name in values})

    def values(self) -> dict[str, Any]:
        """Gives what stands beside the hyperparameters in the values of a trial.

        Returns:
            Values by name, of what is known.
        """
        known = {name: getattr(self, field) for field, name in _NAMES.items()}
        if self.epochs is None:
            del known[_NAMES["initial_epoch"]]
        return {name: value for name, value in known.items() if value is not None}


_NAMES = {field.name: _PREFIX + field.name for field in fields(Continuation)}


def is_reserved(name: str) -> bool:
    """Tells whether a name is one that no hyperparameter can have.

    Args:
        name: The name of a value.

    Returns:
        Whether it tells where a trial stands in its search.
    """
    return name.startswith(_PREFIX)


def own_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Gives the values of a trial that its model is made with.

    Args:
        values: All values of the trial.

    Returns:
        The values without those that tell where the trial stands in its search.

    Example:
        >>> own_values({"units": 64, "tuner/epochs": 3})
        {'units': 64}
    """
    return {name: value for name, value in values.items() if not name.startswith(_PREFIX)}


def reserved_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Gives the values of a trial that tell where it stands in its search.

    Args:
        values: All values of the trial.

    Returns:
        Those, whoever has given them their names.
    """
    return {name: value for name, value in values.items() if is_reserved(name)}
