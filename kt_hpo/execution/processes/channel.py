"""Messages between two processes, over a pair of sockets.

The pair has no name and no port: nobody but the two processes can connect to it.
"""

from __future__ import annotations

import socket

_LENGTH = 8
_CHUNK = 1 << 20
# Seconds to wait for a process that reads nothing more before it counts as lost.
_PATIENCE = 30.0


class Channel:
    """One end of a connection that carries whole messages.

    Args:
        connected: A connected stream socket.

    Example:
        >>> ours, theirs = map(Channel, socket.socketpair())
        >>> ours.send(b"hello")
        >>> theirs.receive()
        b'hello'
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._buffer = bytearray()

    def fileno(self) -> int:
        """The file descriptor, for `select` and its kind."""
        return self._socket.fileno()

    def send(self, message: bytes) -> None:
        """Sends a message.

        Args:
            message: The message.

        Raises:
            EOFError: If the other end is closed, or reads nothing any more.
        """
        self._socket.settimeout(_PATIENCE)
        try:
            self._socket.sendall(len(message).to_bytes(_LENGTH) + message)
        except OSError as error:
            raise EOFError("The other process does not listen any more.") from error

    def receive(self) -> bytes:
        """Waits for the next message.

        Returns:
            The message.

        Raises:
            EOFError: If the other end is closed.
        """
        while (message := self._whole()) is None:
            self._socket.settimeout(None)
            self._read()
        return message

    def arrived(self) -> list[bytes]:
        """Reads what there is, once `select` says that there is something.

        Returns:
            The messages that are there whole; a message in part waits for its rest.

        Raises:
            EOFError: If the other end is closed.
        """
        self._read()
        messages = []
        while (message := self._whole()) is not None:
            messages.append(message)
        return messages

    def close(self) -> None:
        """Closes this end."""
        self._socket.close()

    def _read(self) -> None:
        try:
            content = self._socket.recv(_CHUNK)
        except ConnectionError:
            content = b""
        if not content:
            raise EOFError("The other process has closed the connection.")
        self._buffer += content

    def _whole(self) -> bytes | None:
        """The next message, taken from the buffer; None while it is not there whole."""
        end = _LENGTH + int.from_bytes(self._buffer[:_LENGTH])
        if len(self._buffer) < max(end, _LENGTH):
            return None
        message = bytes(self._buffer[_LENGTH:end])
        del self._buffer[:end]
        return message
