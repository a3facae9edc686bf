"""Numbers of few values, as bayesian-optimization is told of them."""

import warnings

import bayes_opt
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import hyperparameters

from kt_hpo.engines.proposals.levels import Levels, level_count
from kt_hpo.engines.proposals.observations import is_choice, to_unit
from kt_hpo.space.kinds import Choice, Float, Int


@given(hyperparameters(), st.integers(0, 10**6), st.floats(0.05, 0.95))
def test_the_kernel_sees_a_level_where_keras_tuner_sees_a_value(hyperparameter, number, within):
    count = level_count(hyperparameter)
    assume(count is not None and not is_choice(hyperparameter))
    levels = Levels("x", count)
    place = (number % count + within) / count
    value = hyperparameter.prob_to_value(place)
    seen = levels.kernel_transform(np.array([[place], [to_unit(hyperparameter, value)]]))
    assert seen == pytest.approx((number % count + 0.5) / count)


@pytest.mark.parametrize(
    ("hyperparameter", "count"),
    [
        (Int("x", 0, 9), 10),
        (Int("x", 16, 256, step=2, sampling="log"), 5),
        (Float("x", 0.0, 0.5, step=0.1), 6),
        (Choice("x", [16, 32, 64]), 3),
        (Float("x", 0.0, 0.5), None),
        (Int("x", 16, 256, sampling="log"), None),
    ],
)
def test_levels_are_counted_where_there_is_a_step(hyperparameter, count):
    assert level_count(hyperparameter) == count


def test_a_model_is_as_sure_all_over_a_level_that_was_tried():
    with warnings.catch_warnings(action="ignore"):  # Such parameters are called experimental.
        optimizer = bayes_opt.BayesianOptimization(
            None, {"x": Levels("x", 4), "y": (0.0, 1.0)}, random_state=0, verbose=0
        )
    for x, y, target in [(0.125, 0.2, 1.0), (0.625, 0.8, 0.0), (0.875, 0.3, -1.0)]:
        optimizer.register({"x": x, "y": y}, target)
    points = [{"x": x, "y": 0.2} for x in (0.01, 0.125, 0.24, 0.26)]
    means, deviations = optimizer.predict(points, return_std=True)
    assert means[:3] == pytest.approx(means[0]) and deviations[:3] == pytest.approx(deviations[0])
    assert means[3] != pytest.approx(means[0]) and deviations[3] > deviations[0] + 0.01
