"""Residual networks for images."""

import keras
import keras_tuner
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

import kt_hpo
from hypermodels import ResNetHyperModel, blocks

X, Y = load_digits(return_X_y=True)
X = (X / 16).reshape(-1, 8, 8).astype("float32")


def hp():
    return keras_tuner.HyperParameters()


def residual_sums(model):
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Add)]


@pytest.mark.parametrize("convolution", blocks.CONVOLUTIONS)
def test_stages_halve_the_sides_and_double_the_filters(convolution):
    model = ResNetHyperModel((28, 28), 10, stages=3, depth=2, convolution=convolution).build(hp())
    shapes = [layer.output.shape[1:] for layer in residual_sums(model)]
    assert shapes == [(28, 28, 16)] * 2 + [(14, 14, 32)] * 2 + [(7, 7, 64)] * 2
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("SeparableConv2D") == (12 if convolution == "separable" else 0)


@settings(max_examples=12)
@given(st.tuples(st.integers(1, 9), st.integers(1, 9)), st.integers(1, 4), st.booleans())
def test_images_of_any_size_are_taken(sides, stages, in_color):
    shape = (*sides, 3) if in_color else sides
    model = ResNetHyperModel(shape, stages=stages, depth=1, filters=4).build(hp())
    assert len(residual_sums(model)) == stages
    assert model.output_shape == (None, 1)


def test_a_block_begins_as_what_it_was_given_where_its_last_layer_says_nothing():
    inputs = keras.Input((6, 6, 4))
    model = keras.Model(inputs, blocks.residual_block(inputs, 4))
    last = model.get_layer("residual_conv_1")
    last.set_weights([np.zeros_like(weights) for weights in last.get_weights()])
    x = np.random.default_rng(0).normal(size=(2, 6, 6, 4)).astype("float32")
    assert np.array_equal(model.predict(x, verbose=0), x)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"stages": 0}, "stages=0"),
        ({"depth": (2, 1)}, r"depth=\(2, 1\)"),
        ({"convolution": "seperable"}, "Did you mean 'separable'"),
        ({"filters": [8, "many"]}, "filters"),
        ({"dropout": 1.0}, "from 0 to 0.99"),
    ],
)
def test_wrong_ranges_are_early_errors(given, message):
    with pytest.raises(ValueError, match=message):
        ResNetHyperModel((8, 8), 10, **given)


def test_a_saved_model_is_the_same(tmp_path):
    model = ResNetHyperModel((8, 8), 10, convolution="separable").build(hp())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(loaded.predict(X[:9], verbose=0), model.predict(X[:9], verbose=0))


@pytest.mark.slow
@pytest.mark.parametrize("executor", [None, kt_hpo.Vectorized()])
def test_the_defaults_learn_digits(executor, tmp_path):
    tuner = kt_hpo.RandomSearch(
        ResNetHyperModel((8, 8), 10, stages=2, epochs=6), "val_accuracy", max_trials=1, seed=0,
        directory=tmp_path, try_defaults=True, executor=executor,
    )  # fmt: skip
    tuner.search(X[:1200], Y[:1200], validation_data=(X[1200:], Y[1200:]), verbose=0)
    assert tuner.study.best_value > 0.9
