"""`Objective` and `Oracle`, Keras Tuner's."""

from __future__ import annotations

from keras_tuner import Objective, Oracle

__all__ = ["Objective", "Oracle"]
