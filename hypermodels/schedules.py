"""Learning-rate schedules with a warm-up, over exactly the steps of a training."""

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


@keras.saving.register_keras_serializable(package="hypermodels")
class TrainingSchedule(Schedule):
    """A schedule over a whole training, whose length becomes known when the training begins.

    A model is built before anyone knows how many steps it will train for. `FollowTraining` gives
    the schedule the length of the training: add it to the callbacks of `fit`, as
    `TrainedHyperModel` does.

    Args:
        kind: As in `make_schedule`.
        rate: The highest learning rate.
        warm_up: Part of the steps in which the rate rises from 0.
        steps_per_epoch: Steps of an epoch; an estimate until the training begins.
        epochs: Epochs of the training, likewise.
        begin: How many steps of the schedule have passed at the optimizer's first step.
        is_fixed: Whether `epochs` is final, whatever `fit` is given; for a training that is done
            by several calls of `fit`.

    Example:
        >>> schedule = TrainingSchedule("cosine", 0.1, 0.0, steps_per_epoch=10, epochs=2)
        >>> schedule.spread(steps_per_epoch=25, epochs=4)
        True
        >>> round(float(schedule(50)), 6)
        0.05
    """

    def __init__(
        self,
        kind: str,
        rate: float,
        warm_up: float,
        steps_per_epoch: int,
        epochs: int,
        begin: int = 0,
        is_fixed: bool = False,
    ) -> None:
        self.kind = kind
        self.rate = rate
        self.warm_up = warm_up
        self.is_fixed = is_fixed
        self._place = (steps_per_epoch, epochs, begin)
        self._schedule = make_schedule(kind, rate, steps_per_epoch * epochs, warm_up)

    def __call__(self, step: Any) -> Any:
        """Gives the learning rate of a step.

        Args:
            step: Scalar tensor or int, counted from 0.

        Returns:
            Scalar tensor.
        """
        return self._schedule(step + self._place[-1])

    def spread(
        self,
        steps_per_epoch: int | None,
        epochs: int,
        first_epoch: int = 0,
        steps_before: int = 0,
    ) -> bool:
        """Spreads the schedule over a training.

        Args:
            steps_per_epoch: Steps of an epoch; None if nobody knows, which keeps the estimate.
            epochs: Epochs of the training, those before this call of `fit` included.
            first_epoch: The epoch at which this call begins.
            steps_before: The steps that the optimizer has counted by then.

        Returns:
            Whether that changes the schedule.
        """
        known, fixed, _ = self._place
        steps_per_epoch = steps_per_epoch or known
        begin = first_epoch * steps_per_epoch - steps_before
        place = (steps_per_epoch, fixed if self.is_fixed else epochs, begin)
        changes = place != self._place
        self._place = place
        self._schedule = make_schedule(self.kind, self.rate, place[0] * place[1], self.warm_up)
        return changes

    def fix(self, epochs: int) -> None:
        """Sets the epochs of the training, whatever the calls of `fit` are given.

        Args:
            epochs: Epochs of the whole training.
        """
        self.is_fixed = False
        self.spread(None, epochs)
        self.is_fixed = True

    def get_config(self) -> dict[str, Any]:
        """Returns what a saved model needs to make the schedule again."""
        steps_per_epoch, epochs, begin = self._place
        return {
            "kind": self.kind,
            "rate": self.rate,
            "warm_up": self.warm_up,
            "steps_per_epoch": steps_per_epoch,
            "epochs": epochs,
            "begin": begin,
            "is_fixed": self.is_fixed,
        }


class FollowTraining(keras.callbacks.Callback):
    """Spreads the model's `TrainingSchedule` over the steps that `fit` really trains.

    A model that goes on at `initial_epoch` goes on at that place of the schedule, whether its
    optimizer was restored or is new. Models without a `TrainingSchedule` are left alone.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> schedule = TrainingSchedule("cosine", 0.1, 0.0, steps_per_epoch=1, epochs=1)
        >>> model.compile(keras.optimizers.SGD(schedule), "mse")
        >>> x = keras.ops.ones((8, 1))
        >>> history = model.fit(
        ...     x, x, batch_size=2, epochs=3, callbacks=[FollowTraining()], verbose=0
        ... )
        >>> round(float(schedule(6)), 6), abs(round(float(schedule(12)), 6))
        (0.05, 0.0)
    """

    def __init__(self) -> None:
        super().__init__()
        self._first: int | None = None
        self._steps_before = 0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Forgets the training before."""
        self._first = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Spreads the schedule at the first epoch; of data of unknown size, again at the second."""
        schedule = schedule_of(self.model)
        if schedule is None:
            return
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        steps_now = int(ops.convert_to_numpy(optimizer.variables[0]))
        steps_per_epoch = self.params.get("steps")
        if self._first is None:
            self._first, self._steps_before = epoch, steps_now
        elif steps_per_epoch is None and epoch == self._first + 1:
            steps_per_epoch = steps_now - self._steps_before
        else:
            return
        epochs = max(self.params.get("epochs", 1), epoch + 1)
        if schedule.spread(steps_per_epoch, epochs, self._first, self._steps_before):
            # A graph that was traced before holds the schedule as it was.
            self.model.make_train_function(force=True)


def schedule_of(model: keras.Model) -> TrainingSchedule | None:
    """Finds the schedule of a model that is to be spread over its training.

    Args:
        model: A model.

    Returns:
        The schedule, also if another one wraps it; None if there is none.
    """
    optimizer = getattr(model, "optimizer", None)
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    attributes = [] if optimizer is None else vars(optimizer).values()
    schedule: Any = next((one for one in attributes if isinstance(one, Schedule)), None)
    while isinstance(schedule, Schedule) and not isinstance(schedule, TrainingSchedule):
        schedule = getattr(schedule, "schedule", None)
    return schedule if isinstance(schedule, TrainingSchedule) else None
