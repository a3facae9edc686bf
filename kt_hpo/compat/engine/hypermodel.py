"""`HyperModel`, Keras Tuner's."""

from __future__ import annotations

from keras_tuner import HyperModel

__all__ = ["HyperModel"]
