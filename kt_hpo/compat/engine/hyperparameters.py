"""Keras Tuner's hyperparameters, and our `HyperParameters`."""

from __future__ import annotations

from keras_tuner.engine.hyperparameters import (
    Boolean,
    Choice,
    Fixed,
    Float,
    HyperParameter,
    Int,
    deserialize,
    serialize,
)

from kt_hpo.space.hyperparameters import HyperParameters

__all__ = [
    "Boolean",
    "Choice",
    "Fixed",
    "Float",
    "HyperParameter",
    "HyperParameters",
    "Int",
    "deserialize",
    "serialize",
]
