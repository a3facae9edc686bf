"""Sweeps of Weights & Biases."""

from __future__ import annotations

from kt_hpo.integrations.wandb import agent, import_sweep, sweep_config

__all__ = ["agent", "import_sweep", "sweep_config"]
