"""Keras Tuner's distributed search: a chief with the oracle, and workers that ask it over gRPC.

Three environment variables make a process one of them; the program is the same everywhere. Kept for
programs that are run this way; the port is open to everybody who reaches it.

    cluster_config.py   the variables
    chief.py            the executor of the chief, which serves instead of training
    dispatcher.py       what it answers
    server.py           its port
    client.py           the oracle as a worker has it
    connection.py       the worker's end of the connection
    worker.py           a search in a worker
    messages.py         what both say: JSON, so that nothing that arrives is ever executed
"""

from __future__ import annotations

from kt_hpo.execution.distributed.chief import Chief
from kt_hpo.execution.distributed.cluster_config import (
    ClusterConfig,
    current_cluster,
    is_worker,
    warn_of_open_port,
)
from kt_hpo.execution.distributed.worker import make_worker, work

__all__ = [
    "Chief",
    "ClusterConfig",
    "current_cluster",
    "is_worker",
    "make_worker",
    "warn_of_open_port",
    "work",
]
