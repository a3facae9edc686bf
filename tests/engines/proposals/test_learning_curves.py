"""The Gaussian process of learning curves."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from kt_hpo.engines.proposals.learning_curves import (
    LearningCurveProcess,
    Points,
    expected_improvement,
)


def curves(trainings=12, parts=4, seed=0):
    """Power laws whose exponent and end hang on the configuration, as the process sees them."""
    stream = np.random.default_rng(seed)
    x = stream.random((trainings, 2)).repeat(parts, axis=0)
    u = np.tile(np.linspace(-1, 0, parts), trainings)
    y = (x[:, 0] - 0.5) ** 2 * 8 - u * (1 + x[:, 1])
    points = Points(x, u, np.arange(trainings).repeat(parts))
    return points, (y - y.mean()) / y.std()


def test_the_slope_is_that_of_the_objective():
    seen, y = curves()
    process = LearningCurveProcess(2)
    somewhere = process._center + np.random.default_rng(1).normal(scale=0.3, size=11)
    _, slope = process._objective(somewhere, seen, y)
    expected = approx_fprime(somewhere, lambda at: process._objective(at, seen, y)[0], 1e-6)
    np.testing.assert_allclose(slope, expected, rtol=1e-3, atol=1e-3)


def test_what_was_seen_is_predicted_with_little_doubt():
    seen, y = curves()
    mean, deviation = LearningCurveProcess(2).fit(seen, y).condition(seen, y).predict(seen)
    np.testing.assert_allclose(mean, y, atol=0.1)
    assert deviation.max() < 0.2


def test_ends_are_predicted_from_beginnings():
    points, y = curves(40)
    seen, ends = points.at(points.u < -0.5), points.at(points.u == 0)
    ended = y[points.u == 0]
    mean, _ = LearningCurveProcess(2).fit(seen, y[points.u < -0.5]).condition(
        seen, y[points.u < -0.5]
    ).predict(ends)  # fmt: skip
    assert np.corrcoef(mean, ended)[0, 1] > 0.95


def test_points_may_be_added_and_taken_away():
    points, y = curves()
    process = LearningCurveProcess(2).fit(points, y)
    for count in (20, 21, 40, 13, 48):
        some = np.arange(count)
        found = process.condition(points.at(some), y[:count]).predict(points)
        fresh = LearningCurveProcess(2).fit(points, y).condition(points.at(some), y[:count])
        np.testing.assert_allclose(found, fresh.predict(points), atol=1e-6)


def test_a_training_has_a_chance_of_its_own():
    """The same configuration trained twice: each goes on where it is."""
    seen, y = Points(np.full((2, 1), 0.5), np.full(2, -0.1), np.arange(2)), np.array([-1.0, 1.0])
    ends = Points(seen.x, np.zeros(2), seen.training)
    mean, _ = LearningCurveProcess(1).condition(seen, y).predict(ends)
    assert mean[0] < mean[1]


@pytest.mark.parametrize("best", [-1.0, 0.0, 2.0])
def test_the_expected_improvement_is_the_mean_of_improvements(best):
    drawn = 0.5 + 0.8 * np.random.default_rng(0).standard_normal(200_000)
    [expected] = expected_improvement(np.array([0.5]), np.array([0.8]), best)
    assert expected == pytest.approx(np.maximum(best - drawn, 0).mean(), rel=0.02)
