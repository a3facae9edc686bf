"""A hypermodel in Ray Tune code."""

from __future__ import annotations

from kt_hpo.integrations.ray_tune import Recorder, load_model, param_space, trainable

# Old names of modules are within this one: `kt_hpo/moved_modules.py`.
__path__: list[str] = []
__all__ = ["Recorder", "load_model", "param_space", "trainable"]
