"""What Keras Tuner's environment variables make of a process."""

from __future__ import annotations

import os
from typing import NamedTuple

IP, PORT, TUNER_ID = "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT", "KERASTUNER_TUNER_ID"


class ClusterConfig(NamedTuple):
    """What a process is in a distributed search.

    Attributes:
        tuner_id: Its name, with "chief" in that of the chief.
        ip: Where the chief is.
        port: The chief's port.

    Example:
        >>> ClusterConfig("tuner0", "::1", 8000).address
        '[::1]:8000'
    """

    tuner_id: str
    ip: str
    port: int

    @property
    def is_chief(self) -> bool:
        """Whether it is the chief."""
        return "chief" in self.tuner_id

    @property
    def address(self) -> str:
        """Where the chief is, with its port."""
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


def current_cluster() -> ClusterConfig | None:
    """Reads the cluster of this process.

    Returns:
        The cluster; None where `KERASTUNER_ORACLE_IP` is not set: the search is not distributed.

    Raises:
        ValueError: If one of the other variables is missing, or the port is none.

    Example:
        >>> current_cluster() is None
        True
    """
    if IP not in os.environ:
        return None
    missing = [name for name in (PORT, TUNER_ID) if not os.environ.get(name)]
    if missing:
        raise ValueError(
            f"{IP} is set, for a distributed search, and {' and '.join(missing)} not. Set the port "
            f"of the chief, and {TUNER_ID}=chief in one process, tuner0, tuner1, ... in the "
            f"others; or unset {IP}."
        )
    port = os.environ[PORT]
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 2**16):
        raise ValueError(f"{PORT}={port!r} is not allowed; give a number from 1 to 65535.")
    return ClusterConfig(os.environ[TUNER_ID], os.environ[IP], int(port))


def is_worker() -> bool:
    """Tells whether this process is a worker of a distributed search.

    Returns:
        False for its chief, and where the search is not distributed.

    Example:
        >>> is_worker()
        False
    """
    cluster = current_cluster()
    return cluster is not None and not cluster.is_chief
