"""Keras Tuner's ready hypermodels of images; ours are in `hypermodels`."""

from __future__ import annotations

from keras_tuner.applications import (
    HyperEfficientNet,
    HyperImageAugment,
    HyperResNet,
    HyperXception,
)

__all__ = ["HyperEfficientNet", "HyperImageAugment", "HyperResNet", "HyperXception"]
