"""A hypermodel in Ray Tune code."""

from __future__ import annotations

from kt_hpo.integrations.ray_tune import Recorder, load_model, param_space, trainable

__all__ = ["Recorder", "load_model", "param_space", "trainable"]
