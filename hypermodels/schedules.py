"""Learning-rate schedules with a warm-up."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule as Schedule


@keras.saving.register_keras_serializable(package="hypermodels")
class WarmUp(Schedule):
    """Raises the learning rate from 0 in a straight line, then follows another schedule.

    After Goyal et al. 2017, "Accurate, Large Minibatch SGD", section 2.2 (gradual warm-up).

    Args:
        schedule: The schedule to follow after the warm-up, its steps counted from there.
        steps: Steps of the warm-up.

    Example:
        >>> decay = keras.optimizers.schedules.ExponentialDecay(1.0, 10, 0.5)
        >>> schedule = WarmUp(decay, steps=4)
        >>> [float(schedule(step)) for step in (0, 2, 4, 14)]
        [0.0, 0.5, 1.0, 0.5]
    """

    def __init__(self, schedule: Schedule, steps: int) -> None:
        self.schedule = schedule
        self.steps = steps

    def __call__(self, step: Any) -> Any:
        """Gives the learning rate of a step.

        Args:
            step: Scalar tensor or int, counted from 0.

        Returns:
            Scalar tensor.
        """
        step = ops.cast(step, "float32")
        rising = self.schedule(ops.zeros_like(step)) * step / max(self.steps, 1)
        return ops.where(
            step < self.steps, rising, self.schedule(ops.maximum(step - self.steps, 0.0))
        )

    def get_config(self) -> dict[str, Any]:
        """Returns what a saved model needs to make the schedule again."""
        schedule = keras.saving.serialize_keras_object(self.schedule)
        return {"schedule": schedule, "steps": self.steps}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> WarmUp:
        """Makes the schedule from its configuration."""
        schedule = keras.saving.deserialize_keras_object(config["schedule"])
        return cls(schedule, config["steps"])


def make_schedule(kind: str, rate: float, steps: int, warm_up: float) -> Schedule:
    """Makes a learning-rate schedule over a whole training.

    Args:
        kind: `"cosine"` falls to 0 (Loshchilov & Hutter 2017, "SGDR", without restarts),
            `"exponential"` to a hundredth.
        rate: The highest learning rate.
        steps: Steps of the whole training.
        warm_up: Part of the steps in which the rate rises from 0.

    Returns:
        A Keras schedule.

    Example:
        >>> float(make_schedule("cosine", 0.1, 100, warm_up=0.1)(10))
        0.10000000149011612
    """
    warm_up_steps = round(warm_up * steps)
    rest = max(steps - warm_up_steps, 1)
    if kind == "cosine":
        decay = keras.optimizers.schedules.CosineDecay(rate, rest)
    else:
        decay = keras.optimizers.schedules.ExponentialDecay(rate, rest, decay_rate=0.01)
    return WarmUp(decay, warm_up_steps) if warm_up_steps else decay
