"""Our `Tuner`; `maybe_distribute`, Keras Tuner's."""

from __future__ import annotations

from keras_tuner.engine.tuner import maybe_distribute

from kt_hpo.tuner import Tuner

__all__ = ["Tuner", "maybe_distribute"]
