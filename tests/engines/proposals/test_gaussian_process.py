import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, RationalQuadratic

from kt_hpo.engines.proposals.gaussian_process import GaussianProcess, QuickProcess


def assert_predict_the_same(ours, theirs, points):
    for some in [np.array(points), *np.array(points)[:, None]]:
        expected = theirs.predict(some, return_std=True)
        found = ours.predict(some, return_std=True)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("dimensions", [1, 5])
def test_a_point_is_predicted_as_scikit_learn_does(dimensions):
    stream = np.random.default_rng(0)
    x = stream.uniform(size=(40, dimensions))
    y = np.sin(5 * x).sum(axis=1) + 3
    ours = GaussianProcess(alpha=1e-4, random_state=0).fit(x, y)
    theirs = GaussianProcessRegressor(
        Matern(nu=2.5), n_restarts_optimizer=20, normalize_y=True, alpha=1e-4, random_state=0
    ).fit(x, y)
    assert_predict_the_same(ours, theirs, [*stream.uniform(size=(50, dimensions)), x[0]])
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x))


@pytest.mark.parametrize("kernel", [ConstantKernel(2.0) * Matern(nu=1.5), RationalQuadratic()])
def test_any_kernel_is_predicted_as_scikit_learn_does(kernel):
    stream = np.random.default_rng(0)
    x = stream.uniform(size=(40, 3))
    y = np.cos(5 * x).sum(axis=1)
    options = {"normalize_y": True, "alpha": 1e-6, "random_state": 0}
    ours, theirs = (
        kind(kernel, **options).fit(x, y) for kind in (QuickProcess, GaussianProcessRegressor)
    )
    assert_predict_the_same(ours, theirs, stream.uniform(size=(50, 3)))


@pytest.mark.parametrize("beta", [0.0, 2.6])
def test_the_bound_is_that_of_the_prediction_and_slopes_as_differences_say(beta):
    stream = np.random.default_rng(0)
    x = stream.uniform(size=(30, 4))
    process = GaussianProcess(alpha=1e-4, random_state=0).fit(x, np.cos(4 * x).sum(axis=1) - 7)

    def predicted(point):
        mean, deviation = process.predict(point[None], return_std=True)
        return float(mean[0] - beta * deviation[0])

    steps = 1e-6 * np.eye(4)
    for point in stream.uniform(size=(20, 4)):
        bound, slope = process.bound(point, beta)
        assert bound == pytest.approx(predicted(point))
        differences = [predicted(point + step) - predicted(point - step) for step in steps]
        np.testing.assert_allclose(slope, np.array(differences) / 2e-6, rtol=1e-4, atol=1e-5)


def test_an_unfitted_process_answers_as_scikit_learns():
    mean, deviation = GaussianProcess().predict([[0.5]], return_std=True)
    assert (float(mean), float(deviation[0])) == (0.0, 1.0)
