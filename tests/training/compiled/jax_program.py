"""Models of many kinds trained by programs and by `fit`, on JAX; `test_jax.py` runs it."""

import keras
import numpy as np
from keras import layers, ops, optimizers

from kt_hpo.training.compiled import trained_by_programs, training

generator = np.random.default_rng(0)
X, X_VAL = (generator.normal(size=(n, 4)).astype("float32") for n in (50, 23))
Y, Y_VAL = ((x.sum(axis=1) > 0).astype("int64") for x in (X, X_VAL))
WEIGHTS = np.linspace(0, 2, 50, dtype="float32")
TOKENS = generator.integers(1, 7, (50, 6))
FIT = {"x": X, "y": Y, "epochs": 2, "batch_size": 12, "validation_data": (X_VAL, Y_VAL)}


def dense(optimizer="sgd", loss="binary_crossentropy", metrics=("accuracy", "auc"), **kwargs):
    x = inputs = keras.Input((4,))
    x = layers.Dropout(0.3)(layers.BatchNormalization()(layers.Dense(8, activation="relu")(x)))
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid", **kwargs)(x))
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


def unbuilt():
    model = keras.Sequential([layers.Dense(5, activation="relu"), layers.Dense(1)])
    model.compile(optimizers.Adam(0.1), "mse")
    return model


def several():
    a, b = keras.Input((4,), name="a"), keras.Input((1,), name="b")
    both = layers.Concatenate()([a, b])
    model = keras.Model(
        {"a": a, "b": b},
        {"p": layers.Dense(1, name="p")(both), "q": layers.Dense(2, name="q")(both)},
    )
    losses = {"p": "mse", "q": keras.losses.SparseCategoricalCrossentropy(from_logits=True)}
    model.compile("rmsprop", losses, loss_weights={"p": 0.3, "q": 2.0}, metrics={"p": ["mae"]})
    return model


class OwnStep(keras.Model):
    def train_step(self, state, data):
        logs, state = super().train_step(state, data)
        return logs | {"twice": 2 * logs["loss"]}, state


def own_step():
    inputs = keras.Input((4,))
    model = OwnStep(inputs, layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    return model


def tokens():
    model = keras.Sequential(
        [layers.Embedding(7, 3, mask_zero=True), layers.GRU(4), layers.Dense(1)]
    )
    model.compile("adamw", "mse")
    return model


def focal(y_true, y_pred):
    return ops.mean(ops.abs(ops.cast(y_true, y_pred.dtype) - y_pred) ** 1.7, axis=-1)


CASES = {
    "layers with a state": (dense, {}),
    "a schedule, in order, one batch": (
        lambda: dense(optimizers.SGD(optimizers.schedules.CosineDecay(0.1, 12), momentum=0.9)),
        {"shuffle": False, "batch_size": 64},
    ),
    "the last samples validate now and then": (
        dense,
        {"validation_data": None, "validation_split": 0.3, "validation_freq": 2},
    ),
    "batches shuffled, a loss of one's own, weights of classes": (
        lambda: dense(loss=focal, metrics=[focal]),
        {"shuffle": "batch", "class_weight": {0: 0.2, 1: 3.0}},
    ),
    "epochs of a few steps": (dense, {"steps_per_epoch": 2, "validation_steps": 1}),
    "weights of samples": (
        dense,
        {"sample_weight": WEIGHTS, "validation_data": (X_VAL, Y_VAL, WEIGHTS[:23])},
    ),
    "full batches alone": (dense, {"batch_size": 25}),
    "a model without weights yet": (unbuilt, {}),
    "several": (
        several,
        {
            "x": {"a": X, "b": X[:, :1]},
            "y": {"p": X[:, 1:2], "q": Y},
            "validation_data": ({"a": X_VAL, "b": X_VAL[:, :1]}, {"p": X_VAL[:, :1], "q": Y_VAL}),
        },
    ),
    "a step of its own": (own_step, {"validation_data": None}),
    "texts": (tokens, {"x": TOKENS, "y": TOKENS[:, 0], "validation_data": None}),
}


def trained(build, fit, by_programs):
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    model, arguments = build(), {**FIT, "verbose": 0, **fit}
    if not by_programs:
        return model, model.fit(**arguments).history
    with trained_by_programs(model):
        return model, model.fit(**arguments).history


def forbidden(*args, **kwargs):
    raise AssertionError("fit ran")


fit, check_devices = keras.Model.fit, training.check_devices
# A CPU, which is left to `fit`, calculates the same as a GPU.
training.check_devices = lambda model: None
for name, (build, arguments) in CASES.items():
    keras.Model.fit = fit
    theirs, expected = trained(build, arguments, False)
    keras.Model.fit = forbidden
    ours, history = trained(build, arguments, True)
    assert list(history) == list(expected), name
    for metric, values in expected.items():
        np.testing.assert_allclose(
            history[metric], values, rtol=1e-4, atol=1e-6, err_msg=f"{name}: {metric}"
        )
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5, err_msg=name)
    print(name)

keras.Model.fit, training.check_devices = fit, check_devices
assert len(trained(dense, {}, True)[1]["loss"]) == 2
