"""A vectorized training is `model.fit`: the same weights and batches give the same losses."""

import keras
import numpy as np
import pytest
from keras import layers, losses, optimizers, regularizers
from models import blobs
from tiers import few
from vectorized_searches import eagerly

import kt_hpo

RANDOM = np.random.default_rng(0)
SAMPLES = 90
X, Y = blobs(SAMPLES)
IMAGES = RANDOM.normal(size=(SAMPLES, 6, 6, 1)).astype("float32")
WORDS = RANDOM.integers(0, 20, (SAMPLES, 5)).astype("int32")
# 64 are trained with in batches of 24: the last is smaller.
FIT = {"validation_split": 0.28, "batch_size": 24, "epochs": 2, "shuffle": False, "verbose": 0}


def classifier(shape, stack, optimizer, dtype="float32", **compiled):
    """A hypermodel: layers between an input and two classes."""

    def build(hp):
        rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
        x = inputs = keras.Input(shape, dtype=dtype)
        for layer in stack(rate):
            x = layer(x)
        model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))
        compiled.setdefault("metrics", ["accuracy"])
        model.compile(optimizer(rate), "binary_crossentropy", **compiled)
        return model

    return build


def dense(*more):
    return lambda rate: [layers.Dense(8, activation="relu"), *(make() for make in more)]


def adam(rate):
    return optimizers.Adam(rate)


def curves(tmp_path, hypermodel, x, executor, fit=FIT, y=Y, in_graph=False):
    """The metrics of every epoch of every trial of a search."""
    tuner = kt_hpo.RandomSearch(
        hypermodel if executor or in_graph else eagerly(hypermodel),
        "val_loss",
        max_trials=2,
        seed=3,
        directory=tmp_path,
        project_name=repr(executor)[:6],
        executor=executor,
    )
    tuner.search(x, y, **fit)
    assert not getattr(executor, "notes", None)
    return [trial.user_attrs["history"][0] for trial in tuner.study.trials]


def assert_equal(ours, theirs, relative=1e-4):
    for one, other in zip(ours, theirs, strict=True):
        assert one.keys() == other.keys()
        for name in other:
            assert one[name] == pytest.approx(other[name], rel=relative, abs=1e-6), name


DENSE = X, dense()
SMALL = X, lambda rate: []
PENALIZED = (
    X,
    lambda rate: [
        layers.Dense(
            8,
            kernel_regularizer=regularizers.L1L2(rate / 10, rate),
            bias_regularizer=regularizers.L2(rate),
            activity_regularizer="l2",
            kernel_constraint="max_norm",
        ),
        layers.BatchNormalization(),
        layers.Dense(6, activation="relu"),
        layers.LayerNormalization(),
    ],
)
CONVOLUTION = (
    IMAGES,
    lambda rate: [
        layers.Conv2D(3, 3),
        layers.MaxPooling2D(2),
        layers.AveragePooling2D(2),
        layers.Flatten(),
    ],
)
WORDY = (WORDS, lambda rate: [layers.Embedding(20, 4), layers.LSTM(3)])

# What trains, of which layers and with which arguments of `fit`.
CASES = {
    "sgd": (optimizers.SGD, CONVOLUTION, {}),
    "momentum, averaged": (
        lambda rate: optimizers.SGD(rate, momentum=0.5 + rate, use_ema=True),
        DENSE,
        {"class_weight": {0: 0.3, 1: 2.0}},
    ),
    "nesterov by a schedule": (
        lambda rate: optimizers.SGD(
            optimizers.schedules.CosineDecay(rate, 8, warmup_target=2 * rate, warmup_steps=2),
            momentum=0.9,
            nesterov=True,
        ),
        DENSE,
        {"sample_weight": RANDOM.uniform(0.1, 2.0, SAMPLES).astype("float32")},
    ),
    "adam, clipped": (
        lambda rate: optimizers.Adam(
            rate, beta_1=0.8 + rate, epsilon=rate / 1e4, global_clipnorm=0.1
        ),
        PENALIZED,
        {},
    ),
    "adamw": (
        lambda rate: optimizers.AdamW(rate, weight_decay=rate),
        DENSE,
        {"validation_data": (X[:31], Y[:31]), "validation_batch_size": 7},
    ),
    "rmsprop": (lambda rate: optimizers.RMSprop(rate, momentum=rate), WORDY, {}),
    "nadam": (optimizers.Nadam, DENSE, {"batch_size": 32}),
    "lion": (optimizers.Lion, SMALL, {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", few(CASES, "sgd"))
def test_losses_are_those_of_fit(name, tmp_path):
    optimizer, (x, stack), given = CASES[name]
    metrics = {"metrics": ["accuracy", "auc"], "weighted_metrics": ["mae"]}
    hypermodel = classifier(x.shape[1:], stack, optimizer, str(x.dtype), **metrics)
    ours = curves(tmp_path, hypermodel, x, kt_hpo.Vectorized(), fit=FIT | given)
    assert_equal(ours, curves(tmp_path, hypermodel, x, None, fit=FIT | given))


class Weighted(kt_hpo.HyperModel):
    """Tunes the weight of a class."""

    def build(self, hp):
        hp.Float("weight", 0.5, 4.0)
        return classifier((4,), dense(), adam, weighted_metrics=["mae"])(hp)

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(*args, class_weight={1: hp.get("weight")}, **kwargs)


@pytest.mark.slow
def test_class_weights_are_a_trials_own(tmp_path):
    ours = curves(tmp_path, Weighted(), X, kt_hpo.Vectorized())
    assert_equal(ours, curves(tmp_path, Weighted(), X, None))


SMOOTHED = {
    "binary": losses.BinaryCrossentropy,
    "binary_focal": losses.BinaryFocalCrossentropy,
    "categorical": losses.CategoricalCrossentropy,
    "categorical_focal": losses.CategoricalFocalCrossentropy,
}


@pytest.mark.slow
def test_several_inputs_and_outputs_with_a_label_smoothing_of_each(tmp_path):
    def build(hp):
        left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
        x = layers.Dense(6, activation="tanh")(layers.Concatenate()([left, right]))
        outputs = {"one": layers.Dense(1, name="one")(x)}
        of_each = {"one": "mse"}
        for name, loss in SMOOTHED.items():
            outputs[name] = layers.Dense(2, activation="softmax", name=name)(x)
            of_each[name] = loss(label_smoothing=hp.Float(name, 0.05, 0.3))
        model = keras.Model({"left": left, "right": right}, outputs)
        rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
        model.compile(
            optimizers.Adam(rate), of_each, loss_weights={name: 1 / len(name) for name in of_each}
        )
        return model

    both = np.column_stack([1 - Y, Y]).astype("float32")
    x, y = {"left": X, "right": X[::-1]}, {"one": X[:, :1]} | dict.fromkeys(SMOOTHED, both)
    ours = curves(tmp_path, build, x, kt_hpo.Vectorized(), y=y)
    assert {f"val_{name}_loss" for name in y} < ours[0].keys()
    # Without a graph, Keras weighs the smaller batch less in the loss of one output.
    assert_equal(ours, curves(tmp_path, build, x, None, y=y, in_graph=True))


@pytest.mark.slow
def test_one_program_serves_models_of_any_size(tmp_path, monkeypatch):
    from kt_hpo.training.vectorized import tensorflow

    traced = []

    def count(epoch, specs, trace=tensorflow._traced):
        traced.append(epoch.__name__)
        return trace(epoch, specs)

    def build(hp):
        x = inputs = keras.Input((4,))
        for layer in range(2):
            x = layers.Dense(hp.Int(f"units_{layer}", 3, 30), activation="tanh")(x)
            x = layers.BatchNormalization()(x)
        model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
        return model

    monkeypatch.setattr(tensorflow, "_traced", count)
    ours = curves(tmp_path, build, X, kt_hpo.Vectorized())
    assert traced == ["_stacked_epoch"]
    assert_equal(ours, curves(tmp_path, build, X, None))
