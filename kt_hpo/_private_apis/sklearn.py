"""What scikit-learn keeps to itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_array, check_consistent_length


def checked_weights(sample_weight: Any, x: Any) -> np.ndarray:
    """Checks the weights of samples as scikit-learn's estimators do.

    Args:
        sample_weight: A number for each sample, or one for all.
        x: The samples.

    Returns:
        The weights, of shape `(samples,)`.

    Raises:
        ValueError: If there are more or fewer weights than samples, or they are no numbers.

    Example:
        >>> checked_weights([1, 2], [[0.0], [1.0]]).tolist()
        [1.0, 2.0]
    """
    try:
        from sklearn.utils.validation import _check_sample_weight
    except ImportError:
        return _checked(sample_weight, x)
    return _check_sample_weight(sample_weight, x)


def _checked(sample_weight: Any, x: Any) -> np.ndarray:
    if np.ndim(sample_weight) == 0:
        return np.full(len(x), float(sample_weight))
    weights = check_array(sample_weight, ensure_2d=False, dtype=(np.float64, np.float32))
    check_consistent_length(x, weights)
    return weights
