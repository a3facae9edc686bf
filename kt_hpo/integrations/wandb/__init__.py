"""Sweeps of Weights & Biases: a hypermodel's space as a sweep, its trials through this package.

What was tried, with wandb 0.31: exported sweeps are valid in W&B's own schema and are searched by
its open engine (`sweeps` 0.3.0) with all three methods and Hyperband; the agent runs W&B's own
agent against a stand-in of the sweep service on this machine, early termination included; the
files of its runs, written offline, are read back; sweeps are imported from the stand-in. What was
not tried: the real service.
"""

from kt_hpo.optional import require

require("wandb", "wandb")

from kt_hpo.integrations.wandb.agent import agent  # noqa: E402
from kt_hpo.integrations.wandb.imported import import_sweep  # noqa: E402
from kt_hpo.integrations.wandb.sweeps import sweep_config  # noqa: E402

__all__ = ["agent", "import_sweep", "sweep_config"]
