"""Keras Tuner's distributed search: a chief that has the oracle, and workers that run its trials.

Three environment variables make a process one of them; the program is the same everywhere. All
share a directory, in which the chief leaves the key that a worker needs at its port.

    cluster_config.py   the variables
    authentication.py   the key, and how both sides prove that they have it
    chief.py            the executor of the chief, which serves instead of training
    worker.py           a search in a worker
"""

from __future__ import annotations

from kt_hpo.execution.distributed.chief import Chief
from kt_hpo.execution.distributed.cluster_config import ClusterConfig, current_cluster, is_worker
from kt_hpo.execution.distributed.worker import make_worker, work

__all__ = ["Chief", "ClusterConfig", "current_cluster", "is_worker", "make_worker", "work"]
