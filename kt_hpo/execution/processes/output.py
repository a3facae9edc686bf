"""What workers print, shown where the search prints."""

from __future__ import annotations

import contextlib
import os

# As much as a pipe holds: one read takes all that is there.
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

    def show(self, whose: str) -> None:
        """Prints the whole lines that there are.

        Args:
            whose: What stands before each line.
        """
        try:
            content = os.read(self._pipe, _CHUNK)
        except BlockingIOError:
            return
        self.is_open = bool(content)
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            _print(whose, line)

    def close(self, whose: str) -> None:
        """Prints what is left, and closes it.

        Args:
            whose: What stands before each line.
        """
        self.show(whose)
        if self._rest:
            _print(whose, self._rest)
        os.close(self._pipe)


def _print(whose: str, line: bytes) -> None:
    # A progress bar draws over itself; its last state counts.
    text = line.decode(errors="replace").rstrip("\r").rpartition("\r")[2]
    # A search does not end because nobody reads what is printed.
    with contextlib.suppress(OSError, ValueError):
        print(f"[{whose}] {text}", flush=True)
