"""The key of a chief, and how chief and workers prove to each other that they have it.

The proof is that of `multiprocessing.connection`: each side answers a random challenge with its
HMAC (Bellare, Canetti and Krawczyk, 1996) under the key, which itself is never sent.
"""

from __future__ import annotations

import os
import secrets
import socket
import struct
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from pathlib import Path

from kt_hpo.execution.processes.channel import Channel

# Seconds that the other side has for each step of its proof.
_PATIENCE = 10
# Seconds after which a machine that was switched off is asked whether it is there, and between
# two such questions, of which three go unanswered.
_KEEP_ALIVE = {"TCP_KEEPIDLE": 20, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


def key_path(project_dir: Path) -> Path:
    """Names the file with the key of a search's chief.

    Args:
        project_dir: The directory of the search.

    Returns:
        The file, which is there while a chief is.
    """
    return project_dir / "chief.key"


def write_key(project_dir: Path) -> bytes:
    """Makes a key that only this user can read.

    Args:
        project_dir: The directory of the search.

    Returns:
        The key.
    """
    path, key = key_path(project_dir), secrets.token_bytes(32)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
    return key


def accept(connected: socket.socket, key: bytes) -> Channel:
    """Has a worker prove that it has the key, then proves it to the worker.

    Args:
        connected: A socket that somebody has connected to.
        key: The chief's key.

    Returns:
        The connection to the worker.

    Raises:
        AuthenticationError: If the other side does not have the key.
        OSError: If it says something else, or nothing.
    """
    return _authenticated(connected, key, (deliver_challenge, answer_challenge))


def connect(ip: str, port: int, key: bytes) -> Channel:
    """Connects to a chief.

    Args:
        ip: Its address.
        port: Its port.
        key: Its key.

    Returns:
        The connection to the chief.

    Raises:
        AuthenticationError: If the other side does not have the key, or has another one.
        OSError: If nobody listens there, or says something else, or nothing.
    """
    connected = socket.create_connection((ip, port), _PATIENCE)
    return _authenticated(connected, key, (answer_challenge, deliver_challenge))


def _authenticated(connected: socket.socket, key: bytes, steps: tuple) -> Channel:
    """Makes a connection of a socket once each side has proved that it has the key."""
    connected.setblocking(True)
    try:
        _set_patience(connected, _PATIENCE)
        with Connection(os.dup(connected.fileno())) as connection:
            for step in steps:
                step(connection, key)
        _set_patience(connected, 0)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEP_ALIVE.items():
            if hasattr(socket, name):
                connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except EOFError as error:
        connected.close()
        raise AuthenticationError("The other side has closed the connection.") from error
    except BaseException:
        connected.close()
        raise
    return Channel(connected)


def _set_patience(connected: socket.socket, seconds: int) -> None:
    """Limits how long a read or write may wait; 0 is no limit.

    A timeout of Python's own would make the descriptor one that never waits, and the proof reads
    from the descriptor.
    """
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        connected.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", seconds, 0))
