"""Intervals of test metrics: how often they hold the truth, and what they are of."""

import hypothesis.strategies as st
import keras
import numpy as np
import pytest
from hypothesis import given
from scipy.stats import binomtest

from kt_hpo import confidence
from kt_hpo.confidence import metric_intervals, wilson
from kt_hpo.datasets import Dataset


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_interval_is_scipys(counts):
    hits, samples = counts
    known = binomtest(hits, samples).proportion_ci(method="wilson")
    assert wilson(hits, samples) == pytest.approx((known.low, known.high), abs=1e-6)


def model_of(outputs, activation, loss, metrics, penalty=None):
    dense = keras.layers.Dense(outputs, activation=activation, kernel_regularizer=penalty)
    model = keras.Sequential([keras.Input((2,)), dense])
    model.compile(loss=loss, metrics=metrics)
    return model


def samples(task, count=200):
    keras.utils.set_random_seed(0)
    stream = np.random.default_rng(0)
    x = stream.normal(size=(count, 2)).astype("float32")
    y = x.sum(axis=1) + stream.normal(size=count)
    if task == "regression":
        return Dataset(x, y.astype("float32"), "toy", task)
    return Dataset(x, (y > 0).astype("int64"), "toy", task, ("no", "yes"))


def intervals_of(model, data):
    metrics = model.evaluate(*data.arrays, verbose=0, return_dict=True)
    return metrics, metric_intervals(model, data, metrics)


@pytest.mark.parametrize("penalty", [None, "l2"])
@pytest.mark.parametrize("loss", ["mse", keras.losses.Huber()], ids=["name", "object"])
def test_a_regression_has_an_interval_of_every_metric(loss, penalty):
    metrics, found = intervals_of(model_of(1, None, loss, ["mae"], penalty), samples("regression"))
    assert found.keys() == metrics.keys() == {"loss", "mae"}
    for name, (low, high) in found.items():
        assert low < metrics[name] < high
        assert high - low < metrics[name]


def test_a_classification_has_wilsons_interval_and_that_of_its_loss():
    data = samples("classification")
    model = model_of(2, "softmax", "sparse_categorical_crossentropy", ["accuracy"])
    metrics, found = intervals_of(model, data)
    assert found["accuracy"] == wilson(round(metrics["accuracy"] * len(data)), len(data))
    assert found["loss"][0] < metrics["loss"] < found["loss"][1]


def test_a_metric_that_is_no_mean_is_measured_on_each_resample(monkeypatch):
    monkeypatch.setattr(confidence, "_RESAMPLES", 60)
    data = samples("classification")
    metrics, found = intervals_of(
        model_of(1, "sigmoid", "binary_crossentropy", ["accuracy", keras.metrics.AUC(name="auc")]),
        data,
    )
    assert found.keys() == metrics.keys() == {"loss", "accuracy", "auc"}
    assert found["auc"][0] < metrics["auc"] < found["auc"][1]


def test_the_quick_way_and_the_general_one_agree(monkeypatch):
    monkeypatch.setattr(confidence, "_RESAMPLES", 300)
    data, model = samples("regression"), model_of(1, None, "mse", ["mae"], "l2")
    _, quick = intervals_of(model, data)
    monkeypatch.setattr(confidence, "_of_samples", lambda *_: None)
    _, general = intervals_of(model, data)
    for name in quick:
        assert quick[name] == pytest.approx(general[name], rel=0.05)


def test_a_loss_with_a_weight_is_a_mean_too(monkeypatch):
    data = samples("regression")
    plain, weighted = model_of(1, None, "mse", []), model_of(1, None, "mse", [])
    weighted.compile("sgd", "mse", loss_weights=[0.25])
    weighted.set_weights(plain.get_weights())
    monkeypatch.setattr(confidence, "_measured", None)  # No resample is measured anew.
    (metrics, one), (_, other) = (intervals_of(model, data) for model in (plain, weighted))
    assert [end / 4 for end in one["loss"]] == pytest.approx(other["loss"], rel=1e-3)
    assert one["loss"][0] < metrics["loss"]


def test_the_same_seed_gives_the_same_intervals():
    data, model = samples("regression"), model_of(1, None, "mse", ["mae"])
    assert intervals_of(model, data) == intervals_of(model, data)


def test_one_sample_tells_nothing():
    data = samples("regression", 1)
    assert metric_intervals(model_of(1, None, "mse", []), data, {"loss": 1.0}) == {}


@pytest.mark.slow
def test_95_of_100_intervals_hold_the_truth():
    """Of the absolute error of a model that predicts 0, drawn from a normal distribution."""
    model = model_of(1, None, "mse", ["mae"])
    for layer in model.layers:
        layer.set_weights([np.zeros_like(values) for values in layer.get_weights()])
    stream, truth, held = np.random.default_rng(0), np.sqrt(2 / np.pi), 0
    for _ in range(100):
        y = stream.normal(size=150).astype("float32")
        data = Dataset(np.zeros((150, 2), "float32"), y, "toy", "regression")
        low, high = metric_intervals(model, data, {"mae": float(np.abs(y).mean())})["mae"]
        held += low < truth < high
    assert 0.9 < held / 100 < 0.99
