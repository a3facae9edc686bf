"""The learning rate that goes with a batch size.

The linear scaling rule, Goyal et al. 2017, "Accurate, Large Minibatch SGD": where the batch is k
times as large, so is the learning rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras_tuner.errors import FatalValueError

from kt_hpo._private_apis.keras import learning_rate_of


@keras.saving.register_keras_serializable("kt_hpo")
class ScaledSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """A learning-rate schedule times a factor.

    Args:
        schedule: A `keras.optimizers.schedules.LearningRateSchedule`.
        factor: What its rates are multiplied with.

    Example:
        >>> cosine = keras.optimizers.schedules.CosineDecay(0.1, decay_steps=10)
        >>> round(float(ScaledSchedule(cosine, 4.0)(0)), 6)
        0.4
    """

    def __init__(self, schedule: Any, factor: float) -> None:
        super().__init__()
        self.schedule = schedule
        self.factor = factor

    def __call__(self, step: Any) -> Any:
        """Gives the learning rate of a step."""
        return self.schedule(step) * self.factor

    def get_config(self) -> dict[str, Any]:
        """Gives what the schedule can be made of again."""
        serialized = keras.saving.serialize_keras_object(self.schedule)
        return {"schedule": serialized, "factor": self.factor}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ScaledSchedule:
        """Makes the schedule that `get_config` described."""
        schedule = keras.saving.deserialize_keras_object(config["schedule"])
        return cls(schedule, config["factor"])


def compiled_optimizer(model: keras.Model, option: str) -> Any:
    """Gives the optimizer of a model, for an option that changes its learning rate.

    Args:
        model: The model.
        option: The option.

    Returns:
        The optimizer.

    Raises:
        FatalValueError: If the model is not compiled, so that it has none.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        raise FatalValueError(
            f"{option} changes the learning rate of the optimizer that a model is compiled with, "
            f"and HyperModel.build(hp) does not compile {model.name!r}. Compile it, or leave "
            f"{option} out."
        )
    return optimizer


def scale(model: keras.Model, factor: float) -> None:
    """Multiplies the learning rate of a compiled model.

    Args:
        model: The model.
        factor: What with.

    Raises:
        FatalValueError: If the model is not compiled.
    """
    optimizer = compiled_optimizer(model, "scale_learning_rate")
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    rate = learning_rate_of(optimizer)
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        optimizer.learning_rate = ScaledSchedule(rate, factor)
    else:
        optimizer.learning_rate = float(keras.ops.convert_to_numpy(rate)) * factor


def batch_size_of(
    data: tuple[tuple[Any, ...], dict[str, Any]],
    values: Mapping[str, Any],
    batches_pipelines: bool = False,
) -> int:
    """Finds the global batch size of a training.

    Args:
        data: Positional and keyword arguments of `fit`.
        values: The values of its trial.
        batches_pipelines: Whether the hypermodel makes the batches of a pipeline.

    Returns:
        That of the batches of a pipeline; what `fit` is told; the hyperparameter `batch_size`; or
        Keras' 32.

    Example:
        >>> batch_size_of(((), {}), {"batch_size": 64})
        64
    """
    args, kwargs = data
    x: Any = kwargs.get("x", next(iter(args), None))
    if hasattr(x, "element_spec") and not batches_pipelines:
        first = next(iter(x.take(1)))
        return int(keras.tree.flatten(first)[0].shape[0])
    return kwargs.get("batch_size") or values.get("batch_size") or 32
