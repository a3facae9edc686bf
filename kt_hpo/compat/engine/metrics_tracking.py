"""`infer_metric_direction`, as Keras Tuner's, with a complete table."""

from __future__ import annotations

import inspect
from typing import Any

import keras

from kt_hpo.metric_directions import Direction, metric_direction

__all__ = ["infer_metric_direction"]


def infer_metric_direction(metric: Any) -> Direction | None:
    """Tells whether more or less of a metric is better.

    Args:
        metric: A name, or a metric, a loss, a class or a function of Keras.

    Returns:
        `"max"` or `"min"`; None if it is not known.

    Example:
        >>> infer_metric_direction("val_f1_score"), infer_metric_direction(keras.metrics.AUC())
        ('max', 'max')
    """
    if isinstance(metric, str):
        return metric_direction(metric)
    kind = metric if inspect.isclass(metric) else type(metric)
    # A loss may have the name of a score: `cosine_similarity` is negative there.
    if issubclass(kind, keras.losses.Loss) or metric in vars(keras.losses).values():
        return "min"
    if kind is keras.metrics.MeanMetricWrapper and metric is not kind:
        return metric_direction(str(metric.get_config()["fn"].get("config")))
    return metric_direction(getattr(metric, "__name__", kind.__name__))
