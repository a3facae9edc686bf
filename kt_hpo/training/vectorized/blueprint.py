"""What the engine has to know of a trial's model."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import keras
from keras import ops

from kt_hpo._private_apis.keras import learning_rate_of
from kt_hpo.training.measures import count_parameters
from kt_hpo.training.vectorized import hoisted_scalars, stack
from kt_hpo.training.vectorized.learner import optimizer_state, weights
from kt_hpo.training.vectorized.signature import signature
from kt_hpo.training.vectorized.stack import Row


class Blueprint(NamedTuple):
    """What a model is, or would be.

    Attributes:
        signature: Of the model.
        names: Of the scalars that may differ between the trials of a group.
        scalars: The model's own, by these names.
        rate: The learning rate, where it is a number.
        schedule: Its schedule, where it is none.
        weights: The weights.
        optimizer: The optimizer's state; None if it has done nothing yet.
        iterations: The steps it has done.
        parameters: How many weights there are.
        model: Gives a model of the same architecture; builds it where there was none before.
    """

    signature: Hashable
    names: list[hoisted_scalars.Name]
    scalars: list[float]
    rate: float
    schedule: Callable[[Any], Any] | None
    weights: Row
    optimizer: Row | None
    iterations: int
    parameters: int
    model: Callable[[], keras.Model]

    def going_on(self, end: Row) -> Blueprint:
        """Gives the blueprint of the same model, trained already.

        Args:
            end: The weights and the optimizer's state in which another trial ended.

        Returns:
            The blueprint.
        """
        trained, optimizer = end[: len(self.weights)], end[len(self.weights) :]
        # The first of an optimizer's variables counts its steps.
        return self._replace(weights=trained, optimizer=optimizer, iterations=int(optimizer[0]))


def drawn_from(model: keras.Model) -> Blueprint:
    """Makes the blueprint of a model.

    Args:
        model: A built and compiled model.

    Returns:
        The blueprint.

    Raises:
        CannotShareError: If some of the model is not Keras' own.
    """
    optimizer = model.optimizer
    rate = learning_rate_of(optimizer)
    schedule = rate if callable(rate) else None
    places = hoisted_scalars.places(model, optimizer)
    return Blueprint(
        signature=signature(model),
        names=list(places),
        scalars=[float(place.get()) for place in places.values()],
        rate=0.0 if schedule else float(ops.convert_to_numpy(rate)),
        schedule=schedule,
        weights=stack.numbers(weights(model)),
        optimizer=stack.numbers(optimizer_state(optimizer)) if optimizer.built else None,
        iterations=int(ops.convert_to_numpy(optimizer.iterations)),
        parameters=count_parameters(model),
        model=lambda: model,
    )
