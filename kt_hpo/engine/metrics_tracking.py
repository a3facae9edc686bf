"""`infer_metric_direction`, Keras Tuner's."""

from __future__ import annotations

from keras_tuner.engine.metrics_tracking import infer_metric_direction

__all__ = ["infer_metric_direction"]
