"""The models whose trainings the tables hold, given the values of their hyperparameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.spaces import Values

CLASSES = "sparse_categorical_crossentropy"


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


def mlp(shape: tuple[int, ...]) -> Callable[[Values], Any]:
    def build(values: Values) -> Any:
        from keras import Input, Sequential, layers

        model = Sequential(
            [
                Input(shape),
                layers.Flatten(),
                layers.Dense(values["units"], activation="relu"),
                layers.Dropout(values["dropout"]),
                layers.Dense(10, activation="softmax"),
            ]
        )
        return compiled(model, values, CLASSES)

    return build


def cnn(values: Values) -> Any:
    from keras import Input, Sequential, layers

    filters = values["filters"]
    model = Sequential(
        [
            Input((28, 28, 1)),
            layers.Conv2D(filters, 3, strides=2, activation="relu"),
            layers.Conv2D(2 * filters, 3, strides=2, activation="relu"),
            layers.Flatten(),
            layers.Dropout(values["dropout"]),
            layers.Dense(10, activation="softmax"),
        ]
    )
    return compiled(model, values, CLASSES)


def cars(values: Values) -> Any:
    from keras import Input, Sequential, layers

    body = []
    for units in (values["units"], values["units"] // 2):
        body.append(layers.Dense(units, activation=values["activation"]))
        body.append(layers.Dropout(values["dropout"]))
    model = Sequential([Input((50,)), *body, layers.Dense(1)])
    return compiled(model, values, "mse", "mae")


def diabetes(values: Values) -> Any:
    from keras import Input, Sequential, layers, regularizers

    body = []
    for _ in range(2):
        penalty = regularizers.L2(values["l2"])
        body.append(layers.Dense(values["units"], activation="relu", kernel_regularizer=penalty))
        body.append(layers.Dropout(values["dropout"]))
    model = Sequential([Input((10,)), *body, layers.Dense(1)])
    return compiled(model, values, "mse", "mae")


def signals(values: Values) -> Any:
    from keras import Input, Sequential, layers

    units = values["units"]
    match values["body"]:
        case "gru":
            body = [layers.GRU(units)]
        case "lstm":
            body = [layers.LSTM(units)]
        case "conv":
            body = [
                layers.Conv1D(units, 5, activation="relu"),
                layers.Conv1D(units, 5, strides=2, activation="relu"),
                layers.GlobalMaxPooling1D(),
            ]
    head = [layers.Dropout(values["dropout"]), layers.Dense(4, activation="softmax")]
    return compiled(Sequential([Input((32, 1)), *body, *head]), values, CLASSES)


def normalized_cnn(samples: int, epochs: int) -> Callable[[Values], Any]:
    def build(values: Values) -> Any:
        from keras import Input, Sequential, layers
        from keras.optimizers import schedules

        body = []
        for filters in (values["filters"], 2 * values["filters"]):
            body.append(layers.Conv2D(filters, 3, strides=2, padding="same"))
            if values["normalization"] == "batch":
                body.append(layers.BatchNormalization(momentum=0.9))
            body.append(layers.Activation("relu"))
        head = [layers.Flatten(), layers.Dense(10, activation="softmax")]
        steps, rate = epochs * -(-samples // values["batch_size"]), values["learning_rate"]
        rates = {
            "constant": rate,
            "cosine": schedules.CosineDecay(rate, steps),
            "warmup": schedules.CosineDecay(0.0, steps - steps // 4, warmup_target=rate,
                                            warmup_steps=steps // 4),
        }  # fmt: skip
        model = Sequential([Input((14, 14, 1)), *body, *head])
        return compiled(model, values, CLASSES, rate=rates[values["schedule"]])

    return build


def mislabeled(values: Values) -> Any:
    from keras import Input, Sequential, layers, losses

    model = Sequential(
        [
            Input((8, 8, 1)),
            layers.Flatten(),
            layers.Dense(values["units"], activation="relu"),
            layers.Dropout(values["dropout"]),
            layers.Dense(10, activation="softmax"),
        ]
    )
    loss = losses.CategoricalCrossentropy(label_smoothing=values["label_smoothing"])
    return compiled(model, values, loss)


def arm(values: Values) -> Any:
    from keras import Input, Sequential, layers

    body = []
    for layer in range(values["layers"]):
        body.append(layers.Dense(values[f"units_{layer + 1}"], activation="relu"))
        body.append(layers.Dropout(values["dropout"]))
    model = Sequential([Input((6,)), *body, layers.Dense(1)])
    return compiled(model, values, "mse", "mae")


def autoencoder(values: Values) -> Any:
    from keras import Input, Sequential, layers

    sizes = (values["units"], values["code"], values["units"])
    body = [layers.Dense(size, activation=values["activation"]) for size in sizes]
    noise = layers.GaussianNoise(values["noise"])
    model = Sequential([Input((64,)), noise, *body, layers.Dense(64, activation="sigmoid")])
    return compiled(model, values, "binary_crossentropy", "mae")


def weather(values: Values) -> Any:
    from keras import Input, Sequential, layers, regularizers

    body = []
    for _ in range(2):
        penalty = regularizers.L2(values["l2"])
        body.append(layers.Conv1D(values["filters"], values["kernel_size"], activation="relu",
                                  kernel_regularizer=penalty))  # fmt: skip
    flat = layers.Flatten() if values["pooling"] == "flatten" else layers.GlobalMaxPooling1D()
    head = [layers.Dropout(values["dropout"]), layers.Dense(1)]
    return compiled(Sequential([Input((16, 1)), *body, flat, *head]), values, "mse", "mae")
