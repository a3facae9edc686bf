"""`BaseTuner`, Keras Tuner's."""

from __future__ import annotations

from keras_tuner.engine.base_tuner import BaseTuner

__all__ = ["BaseTuner"]
