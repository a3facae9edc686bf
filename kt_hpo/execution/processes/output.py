"""What workers print, shown where the search prints."""

from __future__ import annotations

import os
from collections.abc import Iterator

_CHUNK = 1 << 16


class Output:
    """The standard output and error of a worker.

    Args:
        pipe: File descriptor of where they can be read.

    Attributes:
        is_open: Whether more may come.
    """

    def __init__(self, pipe: int) -> None:
        os.set_blocking(pipe, False)
        self.is_open = True
        self._pipe = pipe
        self._rest = b""

    def fileno(self) -> int:
        """The file descriptor, for `select` and its kind."""
        return self._pipe

    def show(self, whose: str) -> bool:
        """Prints what there is.

        Args:
            whose: What stands before each line.

        Returns:
            Whether there was anything.
        """
        try:
            content = os.read(self._pipe, _CHUNK)
        except BlockingIOError:
            return False
        self.is_open = bool(content)
        for line in self._lines(content):
            # A progress bar draws over itself; its last state counts.
            text = line.decode(errors="replace").rstrip("\r").rpartition("\r")[2]
            print(f"[{whose}] {text}", flush=True)
        return self.is_open

    def close(self) -> None:
        """Closes it."""
        os.close(self._pipe)

    def _lines(self, content: bytes) -> Iterator[bytes]:
        """The whole lines; at the end also one that is not."""
        *lines, self._rest = (self._rest + content).split(b"\n")
        yield from lines
        if not content and self._rest:
            yield self._rest
            self._rest = b""
