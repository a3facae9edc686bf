"""The models whose trainings the tables hold, given the values of their hyperparameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.spaces import Values


def compiled(
    model: Any, values: Values, loss: Any, metric: str = "accuracy", rate: Any = None
) -> Any:
    """Compiles a model with the optimizer that the values name, Adam if none, and its decay."""
    import keras

    rate, decay = rate or values["learning_rate"], values.get("weight_decay")
    match values.get("optimizer", "adam"):
        case "adam":
            optimizer = keras.optimizers.Adam(rate, weight_decay=decay)
        case "sgd":
            optimizer = keras.optimizers.SGD(rate, 0.9, nesterov=True, weight_decay=decay)
    model.compile(optimizer, loss, metrics=[metric])
    return model


CLASSES = "sparse_categorical_crossentropy"


def mlp(shape: tuple[int, ...]) -> Callable[[Values], Any]:
    def build(values: Values) -> Any:
        from keras import Input, Sequential, layers

        model = Sequential([Input(shape), layers.Flatten()])
        model.add(layers.Dense(values["units"], activation="relu"))
        model.add(layers.Dropout(values["dropout"]))
        model.add(layers.Dense(10, activation="softmax"))
        return compiled(model, values, CLASSES)

    return build


def cnn(values: Values) -> Any:
    from keras import Input, Sequential, layers

    model = Sequential([Input((28, 28, 1))])
    for filters in (values["filters"], 2 * values["filters"]):
        model.add(layers.Conv2D(filters, 3, strides=2, activation="relu"))
    model.add(layers.Flatten())
    model.add(layers.Dropout(values["dropout"]))
    model.add(layers.Dense(10, activation="softmax"))
    return compiled(model, values, CLASSES)


def cars(values: Values) -> Any:
    from keras import Input, Sequential, layers

    model = Sequential([Input((50,))])
    for units in (values["units"], values["units"] // 2):
        model.add(layers.Dense(units, activation=values["activation"]))
        model.add(layers.Dropout(values["dropout"]))
    model.add(layers.Dense(1))
    return compiled(model, values, "mse", "mae")


def diabetes(values: Values) -> Any:
    from keras import Input, Sequential, layers, regularizers

    model = Sequential([Input((10,))])
    for _ in range(2):
        penalty = regularizers.L2(values["l2"])
        model.add(layers.Dense(values["units"], activation="relu", kernel_regularizer=penalty))
        model.add(layers.Dropout(values["dropout"]))
    model.add(layers.Dense(1))
    return compiled(model, values, "mse", "mae")


def signals(values: Values) -> Any:
    from keras import Input, Sequential, layers

    model = Sequential([Input((32, 1))])
    match values["body"]:
        case "gru":
            model.add(layers.GRU(values["units"]))
        case "lstm":
            model.add(layers.LSTM(values["units"]))
        case "conv":
            model.add(layers.Conv1D(values["units"], 5, activation="relu"))
            model.add(layers.Conv1D(values["units"], 5, strides=2, activation="relu"))
            model.add(layers.GlobalMaxPooling1D())
    model.add(layers.Dropout(values["dropout"]))
    model.add(layers.Dense(4, activation="softmax"))
    return compiled(model, values, CLASSES)


def normalized_cnn(samples: int, epochs: int) -> Callable[[Values], Any]:
    def build(values: Values) -> Any:
        from keras import Input, Sequential, layers
        from keras.optimizers import schedules

        model = Sequential([Input((14, 14, 1))])
        for filters in (values["filters"], 2 * values["filters"]):
            model.add(layers.Conv2D(filters, 3, strides=2, padding="same"))
            if values["normalization"] == "batch":
                model.add(layers.BatchNormalization(momentum=0.9))
            model.add(layers.Activation("relu"))
        model.add(layers.Flatten())
        model.add(layers.Dense(10, activation="softmax"))
        steps, rate = epochs * -(-samples // values["batch_size"]), values["learning_rate"]
        rates = {
            "constant": rate,
            "cosine": schedules.CosineDecay(rate, steps),
            "warmup": schedules.CosineDecay(0.0, steps - steps // 4, warmup_target=rate,
                                            warmup_steps=steps // 4),
        }  # fmt: skip
        return compiled(model, values, CLASSES, rate=rates[values["schedule"]])

    return build


def mislabeled(values: Values) -> Any:
    from keras import Input, Sequential, layers, losses

    model = Sequential([Input((8, 8, 1)), layers.Flatten()])
    model.add(layers.Dense(values["units"], activation="relu"))
    model.add(layers.Dropout(values["dropout"]))
    model.add(layers.Dense(10, activation="softmax"))
    loss = losses.CategoricalCrossentropy(label_smoothing=values["label_smoothing"])
    return compiled(model, values, loss)


def arm(values: Values) -> Any:
    from keras import Input, Sequential, layers

    model = Sequential([Input((6,))])
    for layer in range(values["layers"]):
        model.add(layers.Dense(values[f"units_{layer + 1}"], activation="relu"))
        model.add(layers.Dropout(values["dropout"]))
    model.add(layers.Dense(1))
    return compiled(model, values, "mse", "mae")


def autoencoder(values: Values) -> Any:
    from keras import Input, Sequential, layers

    model = Sequential([Input((64,)), layers.GaussianNoise(values["noise"])])
    model.add(layers.Dense(values["units"], activation=values["activation"]))
    model.add(layers.Dense(values["code"], activation=values["activation"]))
    model.add(layers.Dense(values["units"], activation=values["activation"]))
    model.add(layers.Dense(64, activation="sigmoid"))
    return compiled(model, values, "binary_crossentropy", "mae")


def weather(values: Values) -> Any:
    from keras import Input, Sequential, layers, regularizers

    model = Sequential([Input((16, 1))])
    for _ in range(2):
        penalty = regularizers.L2(values["l2"])
        model.add(layers.Conv1D(values["filters"], values["kernel_size"], activation="relu",
                                kernel_regularizer=penalty))  # fmt: skip
    model.add(layers.Flatten() if values["pooling"] == "flatten" else layers.GlobalMaxPooling1D())
    model.add(layers.Dropout(values["dropout"]))
    model.add(layers.Dense(1))
    return compiled(model, values, "mse", "mae")
