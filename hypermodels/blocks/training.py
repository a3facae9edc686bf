"""How a model of any kind is trained: its optimizer, learning rate, penalty, output and loss."""

from __future__ import annotations

from typing import Any

import keras
import keras_tuner

from hypermodels.blocks.members import averaged
from hypermodels.ranges import Range, WithDefault, pick, possible, searched
from hypermodels.schedules import Schedule, TrainingSchedule, make_schedule

OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop")
SCHEDULES = ("none", "cosine", "exponential")


def optimizer(
    hp: keras_tuner.HyperParameters,
    *,
    kinds: Range = WithDefault(["adam", "adamw"], "adamw"),
    rate: float | Schedule | None = None,
    momentum: Range = WithDefault((0.5, 0.99), 0.9),
    weight_decay: Range = WithDefault((1e-5, 1e-2), 1e-4),
) -> keras.optimizers.Optimizer:
    """Chooses an optimizer.

    Args:
        hp: The hyperparameters of a build.
        kinds: Names out of `OPTIMIZERS`, or one.
        rate: Learning rate or schedule; `learning_rate(hp)` if not given.
        momentum: Range of the momentum; only under sgd, and with it whether it is Nesterov's.
        weight_decay: Range of the weight decay; only under adamw.

    Returns:
        The optimizer.

    Example:
        >>> optimizer(keras_tuner.HyperParameters(), kinds="sgd").name
        'sgd'
    """
    rate = learning_rate(hp) if rate is None else rate
    kind = pick(hp, "optimizer", kinds)
    arguments: dict[str, Any] = {}
    if "sgd" in possible(kinds):
        with hp.conditional_scope("optimizer", ["sgd"]):
            drawn = pick(hp, "momentum", momentum)
            nesterov = hp.Boolean("nesterov", default=True)
            if kind == "sgd":
                arguments = {"momentum": drawn, "nesterov": bool(nesterov and drawn > 0)}
    if "adamw" in possible(kinds):
        with hp.conditional_scope("optimizer", ["adamw"]):
            drawn = pick(hp, "weight_decay", weight_decay, sampling="log")
            if kind == "adamw":
                arguments = {"weight_decay": drawn}
    classes = {
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "sgd": keras.optimizers.SGD,
        "rmsprop": keras.optimizers.RMSprop,
    }
    return classes[kind](rate, **arguments)


def learning_rate(
    hp: keras_tuner.HyperParameters,
    *,
    rate: Range = WithDefault((3e-4, 5e-3), 2e-3),
    schedules: Range = "none",
    warm_up: Range = WithDefault((0.0, 0.2), 0.1),
    steps: int = 1000,
    epochs: int | None = None,
    factor: float = 1.0,
) -> float | Schedule:
    """Chooses a learning rate, and whether and how it changes during a training.

    Args:
        hp: The hyperparameters of a build.
        rate: Range of the (highest) learning rate, searched on a log scale.
        schedules: Names out of `SCHEDULES`, or one.
        warm_up: Part of the steps in which the rate rises from 0; only where there is a schedule.
        steps: Steps of the whole training; with `epochs`, of one epoch.
        epochs: Epochs, if the schedule is to be spread over the steps of the training itself, by
            `hypermodels.schedules.FollowTraining`; then both are estimates until it begins.
        factor: What the rate is multiplied by.

    Returns:
        The learning rate, or a schedule.

    Example:
        >>> learning_rate(keras_tuner.HyperParameters(), rate=0.01)
        0.01
    """
    highest = factor * pick(hp, "learning_rate", rate, sampling="log")
    kind = pick(hp, "schedule", schedules)
    moving = [one for one in possible(schedules) if one != "none"]
    if not moving:
        return highest
    with hp.conditional_scope("schedule", moving):
        part = pick(hp, "warm_up", warm_up)
    if kind == "none":
        return highest
    if epochs is None:
        return make_schedule(kind, highest, steps, part)
    return TrainingSchedule(kind, highest, part, steps, epochs)


def regularizer(
    hp: keras_tuner.HyperParameters,
    *,
    l1: Range = 0.0,
    l2: Range = WithDefault((1e-7, 1e-2), 1e-6),
) -> keras.regularizers.Regularizer | None:
    """Chooses the strength of a penalty on weights, one for the whole model.

    Args:
        hp: The hyperparameters of a build.
        l1: Range of the factor of the absolute values; a range is searched on a log scale.
        l2: Likewise of the squares.

    Returns:
        The regularizer; None where both are 0 and not searched.

    Example:
        >>> regularizer(keras_tuner.HyperParameters(), l2=0.5).get_config()
        {'l1': 0.0, 'l2': 0.5}
    """
    factors = {"l1": pick(hp, "l1", l1, sampling="log"), "l2": pick(hp, "l2", l2, sampling="log")}
    if not (searched(l1) or searched(l2) or any(factors.values())):
        return None
    return keras.regularizers.L1L2(**factors)


def output(
    x: Any,
    num_classes: int | None,
    target_scale: tuple[float, float] | None = None,
    outputs: int = 1,
    linear: Any = None,
) -> Any:
    """Adds the last layer of a classifier or regressor.

    Args:
        x: Tensor of shape `(batch, features)`, or `(batch, members, features)`, each member with
            an output of its own (see `averaged`); None where `linear` is all there is.
        num_classes: Number of classes; None for regression.
        target_scale: Mean and standard deviation of a regression's targets, which the model then
            answers in, though it learns numbers of the size of 1; None for no scale.
        outputs: How many numbers a regression predicts.
        linear: Tensor of shape `(batch, output_width(num_classes, outputs))` that is added before
            the activation: a linear model beside the features of a deep one (Cheng et al. 2016,
            "Wide & Deep Learning for Recommender Systems").

    Returns:
        Tensor of shape `(batch, classes)` with probabilities; `(batch, 1)` with the probability of
        class 1 for two classes; `(batch, outputs)` with the predicted values.

    Example:
        >>> output(keras.Input((4,)), num_classes=None, target_scale=(150.0, 77.0)).shape
        (None, 1)
    """
    if num_classes is None:
        x = _last(x, outputs, None, "value", linear=linear)
        if target_scale is None:
            return x
        mean, deviation = map(float, target_scale)
        return keras.layers.Rescaling(scale=deviation, offset=mean, name="unscaled")(x)
    if num_classes == 2:
        return _last(x, 1, 2, "probability", "sigmoid", linear)
    return _last(x, num_classes, num_classes, "probabilities", "softmax", linear)


def output_width(num_classes: int | None, outputs: int = 1) -> int:
    """Tells how many numbers a model answers.

    Args:
        num_classes: Number of classes; None for regression.
        outputs: How many numbers a regression predicts.

    Returns:
        As many as `output` gives.

    Example:
        >>> output_width(2), output_width(3), output_width(None, outputs=12)
        (1, 3, 12)
    """
    return outputs if num_classes is None else 1 if num_classes == 2 else num_classes


def _last(
    x: Any,
    outputs: int,
    num_classes: int | None,
    name: str,
    activation: str = "linear",
    linear: Any = None,
) -> Any:
    if linear is not None:
        if x is not None:
            own = keras.layers.Dense(outputs, name=f"{name}_of_features")(x)
            linear = keras.layers.Add(name=f"{name}_sum")([own, linear])
        return keras.layers.Activation(activation, name=name)(linear)
    if len(x.shape) == 2:
        return keras.layers.Dense(outputs, activation=activation, name=name)(x)
    x = averaged(x, outputs, num_classes, name)
    return keras.layers.Activation(activation, name=name)(x)


def compiled(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    num_classes: int | None,
    target_scale: tuple[float, float] | None = None,
) -> keras.Model:
    """Compiles a model that ends in `output` with the loss and the metric of its task.

    Args:
        model: The model.
        optimizer: Its optimizer.
        num_classes: Number of classes; None for regression (mean squared error, metric `mae`).
        target_scale: As in `output`: the loss is the share of the targets' variance that is not
            explained then, and `mae` is in the targets' own units.

    Returns:
        The same model.
    """
    if num_classes is None:
        loss, metric = "mean_squared_error", "mae"
    elif num_classes == 2:
        loss, metric = "binary_crossentropy", "accuracy"
    else:
        loss, metric = "sparse_categorical_crossentropy", "accuracy"
    weights = None if target_scale is None else [1 / float(target_scale[1]) ** 2]
    model.compile(optimizer=optimizer, loss=loss, loss_weights=weights, metrics=[metric])
    return model
