"""A vectorised training is `model.fit`: the same weights and batches give the same losses."""

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
FIT = {"validation_split": 0.28, "batch_size": 24, "epochs": 3, "shuffle": False, "verbose": 0}


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


OPTIMIZERS = {
    "sgd": optimizers.SGD,
    "momentum": lambda rate: optimizers.SGD(rate, momentum=0.5 + rate),
    "nesterov": lambda rate: optimizers.SGD(rate, momentum=0.9, nesterov=True),
    "adam": lambda rate: optimizers.Adam(rate, beta_1=0.8 + rate, epsilon=rate / 1e4),
    "adamw": lambda rate: optimizers.AdamW(rate, weight_decay=rate),
    "rmsprop": lambda rate: optimizers.RMSprop(rate, momentum=rate),
    "nadam": optimizers.Nadam,
    "lion": optimizers.Lion,
    "clipped": lambda rate: optimizers.Adam(rate, global_clipnorm=0.1),
    "averaged": lambda rate: optimizers.SGD(rate, use_ema=True),
    "schedule": lambda rate: optimizers.SGD(
        optimizers.schedules.CosineDecay(rate, 12, warmup_target=2 * rate, warmup_steps=3)
    ),
}

LAYERS = {
    "normalized by batch": (X, dense(layers.BatchNormalization)),
    "normalized by layer": (X, dense(layers.LayerNormalization)),
    "penalized": (
        X,
        lambda rate: [
            layers.Dense(
                8,
                kernel_regularizer=regularizers.L1L2(rate / 10, rate),
                bias_regularizer=regularizers.L2(rate),
                activity_regularizer="l2",
            )
        ],
    ),
    "constrained": (X, lambda rate: [layers.Dense(8, kernel_constraint="max_norm")]),
    "convolution": (
        IMAGES,
        lambda rate: [layers.Conv2D(3, 3), layers.MaxPooling2D(2), layers.Flatten()],
    ),
    "pooling": (IMAGES, lambda rate: [layers.AveragePooling2D(2), layers.Flatten()]),
    "embedding": (WORDS, lambda rate: [layers.Embedding(20, 4), layers.Flatten()]),
    "lstm": (WORDS, lambda rate: [layers.Embedding(20, 4), layers.LSTM(3)]),
}


SMOOTHED = {
    "binary": losses.BinaryCrossentropy,
    "binary focal": losses.BinaryFocalCrossentropy,
    "categorical": losses.CategoricalCrossentropy,
    "categorical focal": losses.CategoricalFocalCrossentropy,
}


@pytest.mark.parametrize("name", few(SMOOTHED, "categorical focal"))
def test_label_smoothing_is_a_trials_own(name, tmp_path):
    def build(hp):
        model = keras.Sequential([keras.Input((4,)), layers.Dense(2, activation="softmax")])
        model.compile("adam", SMOOTHED[name](label_smoothing=hp.Float("smoothing", 0.05, 0.3)))
        return model

    both = np.column_stack([1 - Y, Y]).astype("float32")
    executor = kt_hpo.Vectorized()
    ours = curves(tmp_path, build, X, executor, y=both)
    assert_equal(ours, curves(tmp_path, build, X, None, y=both))
    assert ours[0]["loss"] != ours[1]["loss"]


@pytest.mark.parametrize("name", few(OPTIMIZERS, "sgd"))
def test_optimizers(name, tmp_path):
    hypermodel = classifier((4,), lambda rate: [], OPTIMIZERS[name])
    ours = curves(tmp_path, hypermodel, X, kt_hpo.Vectorized())
    assert_equal(ours, curves(tmp_path, hypermodel, X, None))


@pytest.mark.parametrize("name", few(LAYERS, "convolution"))
def test_layers(name, tmp_path):
    x, stack = LAYERS[name]
    hypermodel = classifier(x.shape[1:], stack, adam, dtype=str(x.dtype))
    ours = curves(tmp_path, hypermodel, x, kt_hpo.Vectorized())
    assert_equal(ours, curves(tmp_path, hypermodel, x, None))


FITS = {
    "class weights": {"class_weight": {0: 0.3, 1: 2.0}},
    "sample weights": {"sample_weight": RANDOM.uniform(0.1, 2.0, SAMPLES).astype("float32")},
    "validation data": {"validation_data": (X[:31], Y[:31]), "validation_batch_size": 7},
    "whole batches": {"batch_size": 32},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", few(FITS, "class weights", "validation data"))
def test_arguments_of_fit(name, tmp_path):
    hypermodel = classifier(
        (4,), dense(), adam, metrics=["accuracy", "auc"], weighted_metrics=["mae"]
    )
    fit = FIT | FITS[name]
    ours = curves(tmp_path, hypermodel, X, kt_hpo.Vectorized(), fit=fit)
    assert_equal(ours, curves(tmp_path, hypermodel, X, None, fit=fit))


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


@pytest.mark.slow
def test_several_inputs_and_outputs(tmp_path):
    def build(hp):
        left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
        x = layers.Dense(6, activation="tanh")(layers.Concatenate()([left, right]))
        outputs = {"one": layers.Dense(1, name="one")(x), "two": layers.Dense(2, name="two")(x)}
        model = keras.Model({"left": left, "right": right}, outputs)
        rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
        model.compile(
            optimizers.Adam(rate), {"one": "mse", "two": "mae"}, loss_weights={"one": 1, "two": 0.1}
        )
        return model

    x = {"left": X, "right": X[::-1]}
    y = {"one": X[:, :1], "two": X[:, 1:3]}
    ours = curves(tmp_path, build, x, kt_hpo.Vectorized(), y=y)
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
