"""Pieces of a search space, to be used in one's own HyperModel.

Example:
    >>> class MyHyperModel(keras_tuner.HyperModel):
    ...     def build(self, hp):
    ...         inputs = keras.Input((28, 28, 1))
    ...         x = conv_block(hp, inputs, index=0)
    ...         x = conv_block(hp, x, index=1)
    ...         x = dense_stack(hp, keras.layers.Flatten()(x))
    ...         return compiled(keras.Model(inputs, output(x, num_classes=10)), optimizer(hp), 10)
    >>> MyHyperModel().build(keras_tuner.HyperParameters()).output_shape
    (None, 10)
"""

from __future__ import annotations

from typing import Any

import keras
import keras_tuner

from hypermodels.ranges import Range, pick, possible
from hypermodels.schedules import Schedule, TrainingSchedule, make_schedule

ACTIVATIONS = ("relu", "gelu", "silu", "elu", "selu", "tanh", "leaky_relu")
NORMALIZATIONS = ("none", "batch", "layer")
OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop")
POOLINGS = ("max", "average")
SCHEDULES = ("none", "cosine", "exponential")


def optimizer(
    hp: keras_tuner.HyperParameters,
    *,
    kinds: Range = ["adam", "adamw", "sgd", "rmsprop"],
    rate: float | Schedule | None = None,
    momentum: Range = (0.5, 0.99),
    weight_decay: Range = (1e-6, 1e-2),
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
            nesterov = hp.Boolean("nesterov")
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
    rate: Range = (3e-4, 3e-2),
    schedules: Range = "none",
    warm_up: Range = (0.0, 0.2),
    steps: int = 1000,
    epochs: int | None = None,
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

    Returns:
        The learning rate, or a schedule.

    Example:
        >>> learning_rate(keras_tuner.HyperParameters(), rate=0.01)
        0.01
    """
    highest = pick(hp, "learning_rate", rate, sampling="log")
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
    l2: Range = (1e-7, 1e-2),
) -> keras.regularizers.Regularizer:
    """Chooses the strength of a penalty on weights, one for the whole model.

    Args:
        hp: The hyperparameters of a build.
        l1: Range of the factor of the absolute values; a range is searched on a log scale.
        l2: Likewise of the squares.

    Returns:
        The regularizer.

    Example:
        >>> regularizer(keras_tuner.HyperParameters(), l2=0.5).get_config()
        {'l1': 0.0, 'l2': 0.5}
    """
    return keras.regularizers.L1L2(
        l1=pick(hp, "l1", l1, sampling="log"), l2=pick(hp, "l2", l2, sampling="log")
    )


def dense_stack(
    hp: keras_tuner.HyperParameters,
    x: Any,
    *,
    layers: Range = (1, 3),
    units: Range = (16, 256),
    activation: str = "relu",
    normalization: str = "none",
    dropout: Range = (0.0, 0.5),
    penalty: keras.regularizers.Regularizer | None = None,
    name: str = "dense",
) -> Any:
    """Stacks dense layers; the units of a layer exist only where the layer does.

    Args:
        hp: The hyperparameters of a build.
        x: Tensor of shape `(batch, features)`.
        layers: Range of the number of layers, `num_<name>_layers`.
        units: Range of each layer's units, searched on a log scale.
        activation: Name of the activation.
        normalization: One of `NORMALIZATIONS`, between the weights and the activation.
        dropout: Range of the dropout after each layer.
        penalty: Regularizer of the weights.
        name: Prefix of the names of layers and hyperparameters.

    Returns:
        Tensor of shape `(batch, units of the last layer)`.

    Example:
        >>> x = dense_stack(keras_tuner.HyperParameters(), keras.Input((4,)), units=8)
        >>> x.shape
        (None, 8)
    """
    parent = f"num_{name}_layers"
    counts = possible(layers)
    count = pick(hp, parent, layers)
    for index in range(max(counts)):
        with hp.conditional_scope(parent, [one for one in counts if one > index]):
            width = pick(hp, f"{name}_{index}_units", units, sampling="log")
            rate = pick(hp, f"{name}_{index}_dropout", dropout)
        if index < count:
            x = keras.layers.Dense(width, kernel_regularizer=penalty, name=f"{name}_{index}")(x)
            x = activated(x, activation, normalization, f"{name}_{index}")
            x = keras.layers.Dropout(rate, name=f"{name}_{index}_dropout")(x)
    return x


def conv_block(
    hp: keras_tuner.HyperParameters,
    x: Any,
    index: int,
    *,
    filters: Range = (8, 64),
    kernel_size: Range = 3,
    activation: str = "relu",
    normalization: str = "batch",
    pooling: str = "max",
    dropout: Range = (0.0, 0.5),
    penalty: keras.regularizers.Regularizer | None = None,
) -> Any:
    """Convolves, normalizes, activates, pools and drops out.

    Args:
        hp: The hyperparameters of a build.
        x: Tensor of shape `(batch, height, width, channels)`.
        index: Which block this is, counted from 0; part of the names.
        filters: Range of the number of filters, searched on a log scale.
        kernel_size: Range or choice of the kernel's side in pixels.
        activation: Name of the activation.
        normalization: One of `NORMALIZATIONS`.
        pooling: One of `POOLINGS`, over 2 x 2 pixels; left out where a side has no two.
        dropout: Range of the dropout.
        penalty: Regularizer of the weights.

    Returns:
        Tensor of shape `(batch, height // 2, width // 2, filters)`.

    Example:
        >>> conv_block(keras_tuner.HyperParameters(), keras.Input((8, 8, 1)), 0, filters=4).shape
        (None, 4, 4, 4)
    """
    name = f"block_{index}"
    width, side, rate = declare_conv_block(
        hp, index, filters=filters, kernel_size=kernel_size, dropout=dropout
    )
    x = keras.layers.Conv2D(
        width, side, padding="same", kernel_regularizer=penalty, name=f"{name}_conv"
    )(x)
    x = activated(x, activation, normalization, name)
    if min(x.shape[1:3]) >= 2:
        layer = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}
        x = layer[pooling](2, name=f"{name}_pooling")(x)
    return keras.layers.Dropout(rate, name=f"{name}_dropout")(x)


def declare_conv_block(
    hp: keras_tuner.HyperParameters,
    index: int,
    *,
    filters: Range,
    kernel_size: Range,
    dropout: Range,
) -> tuple[int, int, float]:
    """Asks for the hyperparameters of a block without building it.

    Args:
        hp: The hyperparameters of a build.
        index: Which block, counted from 0.
        filters: As in `conv_block`.
        kernel_size: As in `conv_block`.
        dropout: As in `conv_block`.

    Returns:
        Filters, side of the kernel and dropout; each None in a scope that is not active.
    """
    return (
        pick(hp, f"block_{index}_filters", filters, sampling="log"),
        pick(hp, f"block_{index}_kernel_size", kernel_size),
        pick(hp, f"block_{index}_dropout", dropout),
    )


def activated(x: Any, activation: str, normalization: str, name: str) -> Any:
    """Normalizes a layer's outputs, if asked to, and applies the activation.

    Args:
        x: Tensor of shape `(batch, ..., channels)`.
        activation: Name of the activation.
        normalization: One of `NORMALIZATIONS`.
        name: Prefix of the layers' names.

    Returns:
        Tensor of the same shape.
    """
    if normalization == "batch":
        # Keras' momentum of 0.99 needs hundreds of steps, which small data do not give.
        x = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_normalization")(x)
    elif normalization == "layer":
        x = keras.layers.LayerNormalization(name=f"{name}_normalization")(x)
    return keras.layers.Activation(activation, name=f"{name}_{activation}")(x)


def output(x: Any, num_classes: int | None) -> Any:
    """Adds the last layer of a classifier or regressor.

    Args:
        x: Tensor of shape `(batch, features)`.
        num_classes: Number of classes; None for regression.

    Returns:
        Tensor of shape `(batch, classes)` with probabilities; `(batch, 1)` with the probability of
        class 1 for two classes, or with the predicted value.
    """
    if num_classes is None:
        return keras.layers.Dense(1, name="value")(x)
    if num_classes == 2:
        return keras.layers.Dense(1, activation="sigmoid", name="probability")(x)
    return keras.layers.Dense(num_classes, activation="softmax", name="probabilities")(x)


def compiled(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, num_classes: int | None
) -> keras.Model:
    """Compiles a model that ends in `output` with the loss and the metric of its task.

    Args:
        model: The model.
        optimizer: Its optimizer.
        num_classes: Number of classes; None for regression (mean squared error, metric `mae`).

    Returns:
        The same model.
    """
    if num_classes is None:
        loss, metric = "mean_squared_error", "mae"
    elif num_classes == 2:
        loss, metric = "binary_crossentropy", "accuracy"
    else:
        loss, metric = "sparse_categorical_crossentropy", "accuracy"
    model.compile(optimizer=optimizer, loss=loss, metrics=[metric])
    return model
