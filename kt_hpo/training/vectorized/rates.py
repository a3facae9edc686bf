"""The learning rates that a schedule gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from kt_hpo.training.model_parts import CannotShareError, described

if TYPE_CHECKING:
    from kt_hpo.training.vectorized.program import Backend


def scheduled(
    schedule: Callable[[Any], Any], first: int, steps: int, backend: Backend
) -> np.ndarray:
    """Gives the learning rate of each step of a training.

    It is asked for as soon as the schedule is made: a user's may read what the next build changes.

    Args:
        schedule: Keras' own, or any function of a step.
        first: The step before which the training begins.
        steps: How many steps it has.
        backend: The backend, which traces the schedule as a training would.

    Returns:
        The rates.

    Raises:
        CannotShareError: If the schedule fails.
    """
    if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        raise CannotShareError("the learning rate is a function")
    numbers = np.arange(first, first + steps)
    try:
        described(schedule)
    except CannotShareError:
        return _traced(schedule, numbers, backend)
    try:
        values = np.asarray(ops.convert_to_numpy(schedule(ops.convert_to_tensor(numbers))))
    except Exception:  # Some of Keras' schedules branch on the step.
        return _traced(schedule, numbers, backend)
    if values.shape != numbers.shape:
        return _traced(schedule, numbers, backend)
    return values.astype("float32")


def _traced(schedule: Callable[[Any], Any], numbers: np.ndarray, backend: Backend) -> np.ndarray:
    try:
        return backend.each(schedule, numbers)
    except Exception as error:  # Whatever a user's code raises.
        name = getattr(schedule, "__name__", type(schedule).__name__)
        reason = f"the schedule {name} cannot be asked for a step ({error})"
        raise CannotShareError(reason) from error
