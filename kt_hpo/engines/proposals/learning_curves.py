"""A Gaussian process over configurations and epochs: how far will which training get?

Losses are modeled on a logarithmic scale of their distance to the best, epochs as the logarithm
`u` of the share of the full training, 0 at its end. Learning curves are close to straight lines
there, power laws (Hestness et al. 2017). So the covariance of two points of configurations `x` is,
with Matérn's kernel `k` (smoothness 5/2, a length a dimension) and the exponential kernel `e`,

    c0 + c1 u u'  +  k(x, x') (s0 + s1 u u' + s2 e(u, u'))  +  [same training] (r0 + r1 u u')

a line all trainings have in common, what configurations near each other share of a line and of a
bend, and what a training has by its chance alone. It takes the place of the exponential decays of
Swersky et al. 2014 ("Freeze-Thaw Bayesian Optimization").
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import ndtr

# The prior of the logarithms of all parameters: where each lies, how far off it may be, its ends.
_LENGTH = 0.7, 1.0, (0.05, 20.0)
_SCALES = {
    "c0": 0.5, "c1": 0.3, "s0": 1.0, "s1": 0.3, "s2": 0.1, "r0": 0.05, "r1": 0.05, "noise": 0.005
}  # fmt: skip
_SCALE_DEVIATION, _SCALE_ENDS = 1.5, (1e-5, 20.0)
_BEND, _BEND_ENDS = 0.5, (0.05, 5.0)
_JITTER = 1e-6
_ITERATIONS = 40


class Points(NamedTuple):
    """Where on which learning curves something was seen, or is asked for.

    Attributes:
        x: Configurations, each coordinate from 0 to 1: `(points, dimensions)`.
        u: Logarithms of epochs, -1 for the first to 0 for the last: `(points,)`.
        training: Numbers that tell trainings apart: `(points,)`.
    """

    x: np.ndarray
    u: np.ndarray
    training: np.ndarray

    def __len__(self) -> int:
        return len(self.u)

    def at(self, places: np.ndarray) -> Points:
        """Picks some of the points."""
        return Points(self.x[places], self.u[places], self.training[places])

    def and_those(self, others: Points) -> Points:
        """Appends points."""
        return Points(*map(np.concatenate, zip(self, others, strict=True)))


NOTHING = Points(np.zeros((0, 0)), np.zeros(0), np.zeros(0))


class LearningCurveProcess:
    """Predicts learning curves from what was seen of some.

    Args:
        dimensions: Of a configuration.

    Example:
        >>> seen = Points(np.array([[0.1], [0.1], [0.9]]), np.array([-1, -0.5, -1]), np.arange(3))
        >>> process = LearningCurveProcess(1).condition(seen, np.array([0.5, 0.0, 1.0]))
        >>> ends = Points(np.array([[0.1], [0.9]]), np.zeros(2), np.array([1, 2]))
        >>> mean, deviation = process.predict(ends)
        >>> bool(mean[0] < mean[1])
        True
    """

    def __init__(self, dimensions: int) -> None:
        scales = [*_SCALES.values()]
        self._dimensions = dimensions
        self._center = np.log([*[_LENGTH[0]] * dimensions, *scales, _BEND])
        self._spread = np.array([_LENGTH[1]] * dimensions + [_SCALE_DEVIATION] * (len(scales) + 1))
        ends = [_LENGTH[2]] * dimensions + [_SCALE_ENDS] * len(scales) + [_BEND_ENDS]
        self._bounds = np.log(ends)
        self._parameters = self._center.copy()
        self._seen, self._factor = NOTHING, np.zeros((0, 0))

    def fit(self, seen: Points, y: np.ndarray) -> LearningCurveProcess:
        """Finds the parameters that are most likely a posteriori; begins from the prior's middle.

        Args:
            seen: Points.
            y: What was seen there, with mean 0 and deviation 1.

        Returns:
            Itself.
        """
        found = minimize(
            self._objective,
            self._center,
            (seen, y),
            "L-BFGS-B",
            jac=True,
            bounds=self._bounds,
            options={"maxiter": _ITERATIONS},
        )
        self._parameters = found.x
        self._seen, self._factor = NOTHING, np.zeros((0, 0))
        return self

    def condition(self, seen: Points, y: np.ndarray) -> LearningCurveProcess:
        """Takes up what was seen (Rasmussen & Williams 2006, algorithm 2.1).

        Points that are those of the call before, from the first on, cost nothing again.

        Args:
            seen: Points.
            y: What was seen there.

        Returns:
            Itself.
        """
        known = _alike(self._seen, seen)
        new = seen.at(np.arange(known, len(seen)))
        covariances = self._covariance(new, seen, self._parameters)
        factor = np.zeros((len(seen), len(seen)))
        factor[:known, :known] = above = self._factor[:known, :known]
        # The factor of a block matrix, its last rows.
        factor[known:, :known] = left = solve_triangular(
            above, covariances[:, :known].T, lower=True, check_finite=False
        ).T
        factor[known:, known:] = self._factorized(covariances[:, known:] - left @ left.T)
        self._seen, self._factor = seen, factor
        self._weights = cho_solve((factor, True), y, check_finite=False)
        return self

    def predict(self, points: Points) -> tuple[np.ndarray, np.ndarray]:
        """Predicts.

        Args:
            points: Where.

        Returns:
            Means and standard deviations, `(points,)` each.
        """
        covariances = self._covariance(points, self._seen, self._parameters)
        explained = solve_triangular(self._factor, covariances.T, lower=True, check_finite=False)
        c0, c1, s0, s1, s2, r0, r1, _, _ = np.exp(self._parameters[self._dimensions :])
        before = c0 + s0 + s2 + r0 + (c1 + s1 + r1) * points.u**2
        variances = before - np.einsum("ij,ij->j", explained, explained)
        return covariances @ self._weights, np.sqrt(np.maximum(variances, 1e-12))

    def _covariance(self, a: Points, b: Points, parameters: np.ndarray) -> np.ndarray:
        c0, c1, s0, s1, s2, r0, r1, _, bend = np.exp(parameters[self._dimensions :])
        lines = a.u[:, None] * b.u
        bends = np.exp(-np.abs(a.u[:, None] - b.u) / bend)
        near, _ = self._matern(a.x, b.x, parameters)
        same = a.training[:, None] == b.training
        return c0 + c1 * lines + near * (s0 + s1 * lines + s2 * bends) + same * (r0 + r1 * lines)

    def _matern(
        self, a: np.ndarray, b: np.ndarray, parameters: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Matérn's kernel, and its derivative by half the squared distance, negated."""
        lengths = np.exp(parameters[: self._dimensions])
        a, b = a / lengths, b / lengths
        squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
        r = np.sqrt(5 * np.maximum(squares, 0))
        decay = np.exp(-r)
        return (1 + r + r**2 / 3) * decay, 5 / 3 * (1 + r) * decay

    def _factorized(self, covariance: np.ndarray) -> np.ndarray:
        noise = np.exp(self._parameters[-2])
        covariance[np.diag_indices_from(covariance)] += noise + _JITTER
        return cholesky(covariance, lower=True, check_finite=False)

    def _objective(
        self, parameters: np.ndarray, seen: Points, y: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """The negative logarithm of the posterior, and its slope (the same, equation 5.9)."""
        self._parameters = parameters
        try:
            factor = self._factorized(self._covariance(seen, seen, parameters))
        except LinAlgError:
            return 1e10, np.zeros_like(parameters)
        weights = cho_solve((factor, True), y, check_finite=False)
        inverse = cho_solve((factor, True), np.eye(len(y)), check_finite=False)
        off = (parameters - self._center) / self._spread
        value = y @ weights / 2 + np.log(np.diag(factor)).sum() + off @ off / 2
        slope = self._slope(parameters, seen, np.outer(weights, weights) - inverse)
        return float(value), off / self._spread - slope / 2

    def _slope(self, parameters: np.ndarray, seen: Points, outer: np.ndarray) -> np.ndarray:
        """Sums the derivatives of the covariance by each parameter, weighted by `outer`."""
        c0, c1, s0, s1, s2, r0, r1, noise, bend = np.exp(parameters[self._dimensions :])
        u, x = seen.u, seen.x / np.exp(parameters[: self._dimensions])
        apart = np.abs(u[:, None] - u)
        lines, bends = u[:, None] * u, np.exp(-apart / bend)
        near, steepness = self._matern(seen.x, seen.x, parameters)
        shared, own = outer * near, outer * (seen.training[:, None] == seen.training)
        # The squared distance in a dimension, weighted: sum of w_ij (x_i - x_j)^2.
        weighted = outer * steepness * (s0 + s1 * lines + s2 * bends)
        by_length = 2 * (x**2).T @ weighted.sum(1) - 2 * np.einsum("id,id->d", x, weighted @ x)
        by_scale = [
            c0 * outer.sum(), c1 * u @ outer @ u,
            s0 * shared.sum(), s1 * u @ shared @ u, s2 * (shared * bends).sum(),
            r0 * own.sum(), r1 * u @ own @ u,
            noise * np.trace(outer),
        ]  # fmt: skip
        by_bend = s2 / bend * (shared * bends * apart).sum()
        return np.array([*by_length, *by_scale, by_bend])


def _alike(some: Points, others: Points) -> int:
    """How many points are the same, from the first on."""
    most = min(len(some), len(others))
    if not most:
        return 0
    a, b = some.at(np.arange(most)), others.at(np.arange(most))
    same = (a.x == b.x).all(1) & (a.u == b.u) & (a.training == b.training)
    return most if same.all() else int(np.argmin(same))


def expected_improvement(mean: np.ndarray, deviation: np.ndarray, best: float) -> np.ndarray:
    """How much less than the best is to be expected (Jones et al. 1998, equation 15).

    Args:
        mean: Of predictions.
        deviation: Their standard deviations.
        best: The least so far.

    Returns:
        The expectations, in the unit of all three.

    Example:
        >>> expected_improvement(np.array([0.0, 1.0]), np.array([1.0, 1.0]), best=0.0).round(2)
        array([0.4 , 0.08])
    """
    z = (best - mean) / deviation
    return deviation * (z * ndtr(z) + np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))
