"""Rows of a table whose columns are known."""

from types import SimpleNamespace

import keras
import keras_tuner
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_digits

import kt_hpo
from hypermodels import TabularHyperModel, blocks
from hypermodels.tabular import KINDS, read_columns

CANCER = load_breast_cancer(return_X_y=True)
X = ((CANCER[0] - CANCER[0].mean(axis=0)) / CANCER[0].std(axis=0)).astype("float32")
Y = CANCER[1]
COLUMNS = [("a", "number", 0, 2), ("b", "category", 2, 9), ("c", "text", 11, 6)]


def hp():
    return keras_tuner.HyperParameters()


def test_categories_become_small_vectors():
    model = TabularHyperModel((17,), 3, columns=COLUMNS, embedding=8, encoding="none").build(hp())
    vectors = {layer.name: layer for layer in model.layers if layer.name.startswith("embedded")}
    # Never more than half of a category.
    assert [layer.units for layer in vectors.values()] == [5, 6]
    assert not any(layer.use_bias for layer in vectors.values())
    assert model.get_layer("row").output.shape == (None, 2 + 5 + 6)
    row = np.zeros((1, 17), "float32")
    row[0, 2 + 4] = 1
    seen = keras.Model(model.input, vectors["embedded_0"].output).predict(row, verbose=0)
    assert seen == pytest.approx(vectors["embedded_0"].get_weights()[0][4:5])


def test_small_categories_stay_one_hot():
    columns = [("a", "category", 0, 4), ("b", "date", 4, 6)]
    known = hp()
    model = TabularHyperModel((10,), 3, columns=columns).build(known)
    assert model.get_layer("dense_0").kernel.shape[0] == 10
    assert not {"embedding", "encoding"} & known.values.keys()


@settings(max_examples=25)
@given(
    st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=5),
    st.integers(2, 9),
)
def test_a_piecewise_encoding_grows_with_the_number(numbers, bins):
    encoded = np.asarray(blocks.piecewise_linear(np.array([numbers], "float32"), bins))[0]
    raw, parts = encoded[: len(numbers)], encoded[len(numbers) :].reshape(len(numbers), bins)
    assert raw == pytest.approx(np.array(numbers, "float32"))
    for number, part in zip(numbers, parts, strict=True):
        # Full bins, one that is partly full, empty ones.
        assert (np.diff(part) <= 1e-5).all() and part.min() >= 0 and part.max() <= 1
        assert ((part > 1e-5) & (part < 1 - 1e-5)).sum() <= 1
        if abs(number) > 3:
            assert part.sum() == pytest.approx(bins * (number > 0), abs=1e-4)


def test_bins_are_those_of_a_normal_distribution():
    numbers = np.random.default_rng(0).normal(size=(4000, 1)).astype("float32")
    encoded = np.asarray(blocks.piecewise_linear(numbers, 8))[:, 1:]
    in_bins = [((part > 0) & (part < 1)).mean() for part in encoded.T]
    assert in_bins == pytest.approx([1 / 8] * 8, abs=0.02)


@st.composite
def tables(draw):
    """Columns in any order, as any of what stands for one."""
    sizes = draw(st.lists(st.integers(1, 8), min_size=1, max_size=5))
    columns, start = [], 0
    for number, size in enumerate(sizes):
        columns.append((f"c{number}", draw(st.sampled_from(KINDS)), start, size))
        start += size
    keys = ("name", "kind", "start", "size")
    ways = [list, tuple, lambda one: SimpleNamespace(**dict(zip(keys, one, strict=True)))]
    written = [draw(st.sampled_from(ways))(one) for one in columns]
    return draw(st.permutations(written)), start


@settings(max_examples=20, deadline=None)
@given(tables(), st.sampled_from(["none", "piecewise", "periodic"]))
def test_any_table_gives_a_model(table, encoding):
    columns, inputs = table
    hypermodel = TabularHyperModel((inputs,), 3, columns=columns, encoding=encoding, units=4)
    model = hypermodel.build(hp())
    assert model.output_shape == (None, 3)
    # Each input matters, also where a column has been moved.
    row = np.zeros((1 + inputs, inputs), "float32")
    row[1:] = np.eye(inputs)
    seen = next(layer for layer in model.layers if layer.name == "dense_0").input
    features = keras.Model(model.input, seen).predict(row, verbose=0)
    assert (features[1:] != features[0]).reshape(inputs, -1).any(axis=1).all()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([("a", "number", 0, 2)], r"inputs \[2\] are in no column"),
        ([("a", "number", 0, 3), ("b", "date", 2, 1)], r"\[2\] in several"),
        ([("a", "number", 0, 4)], r"\[3\] do not exist"),
        ([("a", "nmber", 0, 3)], "The kind of column 'a'.*Did you mean 'number'"),
        ([("a", "number", -1, 4)], "The start of column 'a'"),
        ([("a", "number", 0, 0)], "The size of column 'a'"),
        ([("a", "number")], "which is no column"),
        ([3], "which is no column"),
        (3, "columns=3 is not allowed"),
        ("numbers", "columns='numbers' is not allowed"),
    ],
)
def test_columns_that_do_not_fit_are_early_errors(columns, message):
    with pytest.raises(ValueError, match=message):
        TabularHyperModel((3,), 2, columns=columns)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"input_shape": (3, 2)}, "CNNHyperModel"),
        ({"encoding": "linear"}, "encoding='linear' is not one of none, piecewise, periodic"),
        ({"bins": 1}, "bins=1"),
        ({"frequency_scale": 0.0}, "frequency_scale=0.0"),
        ({"body": "resnet"}, "body='resnet'"),
    ],
)
def test_wrong_ranges_are_early_errors(given, message):
    with pytest.raises(ValueError, match=message):
        TabularHyperModel(**({"input_shape": (3,), "num_classes": 2} | given))


def test_without_columns_it_is_a_plain_network():
    for columns in (None, ()):
        known = hp()
        model = TabularHyperModel((3,), 2, columns=columns, body="mlp").build(known)
        assert model.get_layer("dense_0").kernel.shape[0] == 3
        assert "encoding" not in known.values
    assert read_columns([("a", "date", np.int64(0), np.int64(1))], 1)[0].start == 0


@pytest.mark.parametrize("encoding", ["none", "piecewise", "periodic"])
@pytest.mark.parametrize("body", ["mlp", "residual"])
def test_a_saved_model_is_the_same(body, encoding, tmp_path):
    hypermodel = TabularHyperModel((17,), 3, columns=COLUMNS, body=body, encoding=encoding)
    model, x = hypermodel.build(hp()), np.random.default_rng(0).random((4, 17), "float32")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["none", "piecewise", "periodic"])
@pytest.mark.parametrize("body", ["mlp", "residual"])
def test_a_table_of_numbers_is_learned(body, encoding, tmp_path):
    columns = [("all", "number", 0, 30)]
    hypermodel = TabularHyperModel(
        (30,), 2, columns=columns, body=body, encoding=encoding, epochs=10
    )
    tuner = kt_hpo.RandomSearch(
        hypermodel, "val_accuracy", max_trials=1, seed=0, directory=tmp_path, try_defaults=True
    )
    tuner.search(X[:400], Y[:400], validation_data=(X[400:], Y[400:]), verbose=0)
    assert tuner.study.best_value > 0.93


@pytest.mark.slow
def test_categories_are_learned(tmp_path):
    """Each pixel of a digit as one of six shades, one-hot."""
    x, y = load_digits(return_X_y=True)
    kept = x[:, x.std(axis=0) > 3]
    shades = (kept / 3).astype(int)
    one_hot = np.eye(6, dtype="float32")[shades].reshape(len(x), -1)
    columns = [(f"pixel {i}", "category", 6 * i, 6) for i in range(kept.shape[1])]
    hypermodel = TabularHyperModel((one_hot.shape[1],), 10, columns=columns, body="mlp", epochs=8)
    tuner = kt_hpo.RandomSearch(
        hypermodel, "val_accuracy", max_trials=1, seed=0, directory=tmp_path, try_defaults=True
    )
    data = (one_hot[1200:], y[1200:])
    tuner.search(one_hot[:1200], y[:1200], validation_data=data, verbose=0)
    assert tuner.study.best_value > 0.8
