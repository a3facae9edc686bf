"""How far the test of a model is to be trusted: 95 % intervals of its metrics."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from kt_hpo.datasets import Dataset
from kt_hpo.metric_directions import ACCURACIES

_Z = 1.959964  # 95 % of a normal distribution lie within so many standard deviations.
_RESAMPLES = 1_000
_CHUNK = 2**22  # Numbers at once.


def metric_intervals(
    model: keras.Model, data: Dataset, metrics: Mapping[str, float], seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Says within which bounds the metrics of a model lie, by the samples they are measured on.

    Args:
        model: A trained model, compiled.
        data: The samples of the test, as the model takes them.
        metrics: What `model.evaluate` gave for them, by name.
        seed: Same seed, same intervals.

    Returns:
        The lower and the upper end of a 95 % interval for each metric: Wilson's for accuracies, by
        1,000 bootstrap samples of the test data for all others. A metric that cannot be measured on
        a part of the data is missing.

    Example:
        >>> layers = [keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")]
        >>> model = keras.Sequential(layers)
        >>> model.compile(loss="mse", metrics=["mae"])
        >>> y = np.arange(100, dtype="float32")
        >>> data = Dataset(y[:, None] + 1, y, "toy", "regression")
        >>> metric_intervals(model, data, model.evaluate(*data.arrays, verbose=0, return_dict=True))
        {'loss': (1.0, 1.0), 'mae': (1.0, 1.0)}
    """
    found: dict[str, tuple[float, float]] = {}
    if len(data) < 2:
        return found
    hits = {name: value * len(data) for name, value in metrics.items() if name in ACCURACIES}
    for name, count in hits.items():
        if abs(count - round(count)) < 0.01:  # Not where samples are weighted.
            found[name] = wilson(round(count), len(data))
    rest = {name: value for name, value in metrics.items() if name not in found}
    y_pred = model.predict(data.x, verbose=0) if rest else None
    if isinstance(y_pred, np.ndarray):
        found |= _bootstrapped(model, data.y, y_pred, rest, np.random.default_rng(seed))
    return {name: found[name] for name in metrics if name in found}


def wilson(hits: int, samples: int) -> tuple[float, float]:
    """Calculates Wilson's 95 % score interval of a proportion (Wilson, 1927).

    Args:
        hits: How many of the samples are hits.
        samples: How many there are.

    Returns:
        The lower and the upper end.

    Example:
        >>> [round(end, 3) for end in wilson(95, 100)]
        [0.888, 0.978]
    """
    rate, z2 = hits / samples, _Z**2
    middle = (rate + z2 / (2 * samples)) / (1 + z2 / samples)
    half = _Z / (1 + z2 / samples)
    half *= math.sqrt(rate * (1 - rate) / samples + z2 / (4 * samples**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def _bootstrapped(
    model: keras.Model,
    y: np.ndarray,
    y_pred: np.ndarray,
    metrics: Mapping[str, float],
    stream: np.random.Generator,
) -> dict[str, tuple[float, float]]:
    """The percentile intervals of metrics: quickly where one is a mean over the samples."""
    each = {name: _of_samples(model, name, y, y_pred, value) for name, value in metrics.items()}
    drawn = {
        name: _resampled_means(values, stream)
        for name, values in each.items()
        if values is not None
    }
    others = [name for name in metrics if name not in drawn]
    drawn |= _resampled(model, y, y_pred, others, stream)
    # What cannot be measured of every sample drawn, AUC where one class is missing, say, is NaN.
    ends = {name: np.nanpercentile(values, [2.5, 97.5]) for name, values in drawn.items()}
    return {name: (float(low), float(high)) for name, (low, high) in ends.items()}


def _of_samples(
    model: keras.Model, name: str, y: np.ndarray, y_pred: np.ndarray, value: float
) -> np.ndarray | None:
    """What each sample adds to a metric; None where it is no mean over them, as far as is known."""
    try:
        loss: Any = keras.losses.get(model.loss if name == "loss" else name)
        call = loss.call if isinstance(loss, keras.losses.Loss) else loss
        shaped = y[:, None] if y.ndim == 1 and y_pred.shape == (len(y), 1) else y
        each = np.asarray(keras.ops.convert_to_numpy(call(shaped, y_pred)), np.float64)
        if name == "loss":
            each *= _loss_weight(model)
    except Exception:  # Names that are no losses, losses of several outputs, code of users'.
        return None
    if each.shape != (len(y),):
        return None
    added = value - each.mean()  # The penalties of the weights.
    known = sum(float(penalty) for penalty in model.losses) if name == "loss" else 0.0
    return each + added if math.isclose(added, known, rel_tol=1e-3, abs_tol=1e-5) else None


def _loss_weight(model: keras.Model) -> float:
    """By what the loss of a model with one output is multiplied."""
    weights = keras.tree.flatten((model.get_compile_config() or {}).get("loss_weights"))
    [weight] = weights or [None]
    return 1.0 if weight is None else float(weight)


def _resampled_means(values: np.ndarray, stream: np.random.Generator) -> np.ndarray:
    count = len(values)
    rows = max(1, _CHUNK // count)
    sizes = [min(rows, _RESAMPLES - begin) for begin in range(0, _RESAMPLES, rows)]
    return np.concatenate(
        [values[stream.integers(0, count, (size, count))].mean(axis=1) for size in sizes]
    )


def _resampled(
    model: keras.Model,
    y: np.ndarray,
    y_pred: np.ndarray,
    names: list[str],
    stream: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Metrics that are calculated anew from each sample of the predictions."""
    if not names:
        return {}
    rows = []
    try:
        for _ in range(_RESAMPLES):
            drawn = stream.integers(0, len(y), len(y))
            rows.append(_measured(model, y[drawn], y_pred[drawn]))
    except Exception:  # A metric of the user's that needs more than targets and predictions.
        return {}
    return {name: np.array([row[name] for row in rows]) for name in names if name in rows[0]}


def _measured(model: keras.Model, y: np.ndarray, y_pred: np.ndarray) -> dict[str, float]:
    tensors = keras.ops.convert_to_tensor(y), keras.ops.convert_to_tensor(y_pred)
    model.reset_metrics()
    measured = model.compute_metrics(None, *tensors)
    loss = model.compute_loss(None, *tensors, training=False)
    return {name: float(value) for name, value in {**measured, "loss": loss}.items()}
