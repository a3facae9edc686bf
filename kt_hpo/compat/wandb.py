"""Sweeps of Weights & Biases."""

from __future__ import annotations

from kt_hpo.integrations.wandb import agent, import_sweep, sweep_config

# Old names of modules are within this one: `kt_hpo/moved_modules.py`.
__path__: list[str] = []
__all__ = ["agent", "import_sweep", "sweep_config"]
