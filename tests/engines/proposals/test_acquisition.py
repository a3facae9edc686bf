"""The best points of acquisition functions, found a generation at a time."""

import bayes_opt
import numpy as np
import pytest
from bayes_opt.acquisition import ExpectedImprovement

from kt_hpo.engines.proposals.acquisition import _bred, minimum

pytestmark = pytest.mark.filterwarnings("ignore:Non-float parameters are experimental")
BOUNDS = {
    "numbers alone": {"x": (0.0, 1.0), "y": (0.0, 1.0), "z": (0.0, 1.0)},
    "numbers and choices": {"x": (0.0, 1.0), "y": (0.0, 1.0), "kind": ("a", "b", "c")},
    "choices alone": {"kind": ("a", "b", "c"), "other": ("a", "b")},
}


def fitted(bounds):
    """An acquisition to be minimized, its space, and the object that it is of."""
    acquisition = ExpectedImprovement(xi=0.01)
    optimizer = bayes_opt.BayesianOptimization(
        None, bounds, acquisition, random_state=0, verbose=0, allow_duplicate_points=True
    )
    stream = np.random.default_rng(0)
    for point in optimizer.space.random_sample(5, random_state=np.random.RandomState(0)):
        optimizer.register(point, float(point @ np.arange(len(point)) + stream.normal()))
    acquisition._fit_gp(optimizer._gp, optimizer.space)
    acquisition.y_max = optimizer.space.target.max()
    return acquisition._get_acq(optimizer._gp), optimizer.space, acquisition


@pytest.mark.parametrize("bounds", BOUNDS.values(), ids=BOUNDS)
def test_the_best_point_is_as_good_as_that_of_bayesian_optimization(bounds):
    acq, space, acquisition = fitted(bounds)
    seeds = space.random_sample(10, random_state=np.random.RandomState(1))
    ours, value = minimum(acq, space, seeds, np.random.RandomState(2))
    _, expected = acquisition._smart_minimize(acq, space, seeds, np.random.RandomState(2))
    assert value <= expected + 1e-3 * abs(expected)
    assert acq(ours).item() == pytest.approx(value)
    assert value <= acq(seeds).min()


def test_a_generation_is_asked_for_at_once_and_a_seed_gives_the_same_point():
    acq, space, _ = fitted(BOUNDS["choices alone"])
    sizes = []

    def counted(points):
        sizes.append(len(points))
        return acq(points)

    seeds = space.random_sample(3, random_state=np.random.RandomState(1))
    points = [minimum(counted, space, seeds, np.random.RandomState(0))[0] for _ in range(2)]
    assert set(sizes) == {15 * 5}
    np.testing.assert_array_equal(*points)


def test_a_descent_asks_for_a_slope_at_once():
    acq, space, _ = fitted(BOUNDS["numbers alone"])
    sizes = set()

    def counted(points):
        sizes.add(len(points))
        return acq(points)

    minimum(counted, space, np.array([[0.5, 0.5, 0.5]]), np.random.RandomState(0))
    assert sizes == {1, 1 + 3}


def test_children_are_bred_as_storn_and_price_say():
    stream = np.random.default_rng(0)
    population = stream.random((40, 3))
    children = _bred(population, stream)
    kept = children == population
    assert not kept.all(axis=1).any()
    assert 0.1 < kept.mean() < 0.3  # One of three is sure to change, the others with 0.7.
    steps = (children - population[0])[~kept.any(axis=1)]
    differences = population[:, None] - population[None]
    for step in steps:
        ratios = step / np.where(differences == 0, np.nan, differences)
        assert np.nanmin(np.ptp(ratios, axis=2)) < 1e-9
