"""Gaussian processes that are asked for thousands of points, one or a generation at a time.

Keras Tuner looks for its next point by descending the confidence bound from 50 places,
bayesian-optimization by descending from ten, their slopes by differences, or generation by
generation. Much of their thinking goes into checks that scikit-learn makes at each call. Here a
call costs its arithmetic (Rasmussen & Williams 2006, algorithm 2.1), and Keras Tuner's bound has
its slope.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

_LEAST_VARIANCE = 1e-12


class QuickProcess(GaussianProcessRegressor):
    """A Gaussian process of scikit-learn's that predicts quickly.

    Example:
        >>> kernel = Matern(nu=2.5, length_scale_bounds="fixed")
        >>> process = QuickProcess(kernel, alpha=1e-4).fit([[0.0], [1.0]], [0.0, 1.0])
        >>> mean, deviation = process.predict(np.array([[0.5]]), return_std=True)
        >>> round(float(mean[0]), 3)
        0.544
    """

    def fit(self, X: Any, y: Any) -> QuickProcess:
        """Fits the process; see `GaussianProcessRegressor.fit`."""
        super().fit(X, y)
        # As the process itself scales them, if it is told to.
        self._mean: float = np.mean(y) if self.normalize_y else 0.0
        self._scale: float = (np.std(y) or 1.0) if self.normalize_y else 1.0
        identity = np.eye(len(self.X_train_))
        self._whitening = solve_triangular(self.L_, identity, lower=True, check_finite=False)
        return self

    def predict(self, X: Any, return_std: bool = False, return_cov: bool = False) -> Any:
        """Predicts as `GaussianProcessRegressor.predict` does.

        Args:
            X: Points, of shape `(points, dimensions)`.
            return_std: Whether standard deviations are wanted.
            return_cov: Whether covariances are wanted.

        Returns:
            Means, and what else is wanted.
        """
        if return_cov or not return_std or not hasattr(self, "X_train_"):
            return super().predict(X, return_std, return_cov)
        points = np.asarray(X)
        covariances = self.kernel_(points, self.X_train_)
        explained = covariances @ self._whitening.T
        variances = self.kernel_.diag(points) - np.einsum("ij,ij->i", explained, explained)
        means = self._mean + self._scale * (covariances @ self.alpha_)
        return means, self._scale * np.sqrt(np.maximum(variances, 0.0))


class GaussianProcess(QuickProcess):
    """Keras Tuner's Gaussian process: a Matérn kernel of smoothness 5/2, its length fitted.

    Args:
        alpha: Variance of the noise, added to the kernel's diagonal.
        random_state: Seed of the fit.

    Example:
        >>> process = GaussianProcess(alpha=1e-4, random_state=0)
        >>> mean, deviation = process.fit([[0.0], [1.0]], [0.0, 1.0]).predict([[0.5]], True)
        >>> round(float(mean[0]), 3)
        0.5
    """

    def __init__(self, alpha: float = 1e-4, random_state: Any = None) -> None:
        super().__init__(
            kernel=Matern(nu=2.5),
            n_restarts_optimizer=20,
            normalize_y=True,
            alpha=alpha,
            random_state=random_state,
        )

    def bound(self, point: np.ndarray, beta: float) -> tuple[float, np.ndarray]:
        """Calculates the lower confidence bound of a point, and how it slopes there.

        Args:
            point: The point, of shape `(dimensions,)`.
            beta: How many standard deviations the bound is below the mean.

        Returns:
            The bound, and its gradient, of shape `(dimensions,)`.

        Example:
            >>> process = GaussianProcess(random_state=0).fit([[0], [0.6], [1]], [2, 1, 3])
            >>> low, slope = process.bound(np.array([0.6]), beta=0.0)
            >>> round(float(low), 2), slope.shape
            (1.0, (1,))
        """
        differences, scaled = self._scaled(point)
        covariances = _matern(scaled)
        whitened = self._whitening @ covariances
        deviation = math.sqrt(max(1 - whitened @ whitened, _LEAST_VARIANCE))
        bound = covariances @ self.alpha_ - beta * deviation
        weights = self.alpha_ + beta / deviation * (whitened @ self._whitening)
        slopes = 5 / (3 * self.kernel_.length_scale**2) * (1 + scaled) * np.exp(-scaled)
        gradient = (weights * slopes) @ differences
        return self._mean + self._scale * bound, self._scale * gradient

    def _scaled(self, point: Any) -> tuple[np.ndarray, np.ndarray]:
        """Where the points that were fitted are from here, and how far, as the kernel takes it."""
        differences = self.X_train_ - point
        lengths = np.sqrt(np.einsum("ij,ij->i", differences, differences))
        return differences, math.sqrt(5) * lengths / self.kernel_.length_scale


def _matern(scaled: np.ndarray) -> np.ndarray:
    """The kernel of smoothness 5/2 over distances in its own lengths (equation 4.17 there)."""
    return (1 + scaled + scaled**2 / 3) * np.exp(-scaled)
