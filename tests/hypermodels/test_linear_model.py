"""The linear model that a forecast begins with."""

import numpy as np
import pytest

from hypermodels.linear_model import solve_linear_model


def test_several_outputs_are_solved():
    x = np.random.default_rng(0).normal(size=(80, 4, 3)).astype("float32")
    y = 5 + 2 * x[:, :2, 1]
    weights = solve_linear_model(x, y)
    assert weights.shape == (13, 2)
    assert x.reshape(80, 12) @ weights[:-1] + weights[-1] == pytest.approx(y, abs=0.01)


def test_steps_that_are_alike_share_their_weight():
    x = np.random.default_rng(0).normal(size=(40, 1, 1)).repeat(3, axis=1)
    weights = solve_linear_model(x, 6 * x[:, 0, 0])
    assert weights.round(1).T.tolist() == [[2.0, 2.0, 2.0, 0.0]]


def test_few_samples_say_too_little_of_many_steps():
    x, y = np.random.default_rng(0).normal(size=(16, 3, 1)), np.arange(16.0)
    assert solve_linear_model(x, y).shape == (4, 1)
    assert solve_linear_model(x[1:], y[1:]) is None
