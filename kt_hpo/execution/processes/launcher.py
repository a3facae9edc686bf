"""Starts the supervisor of a search, and asks it for workers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from kt_hpo.execution.processes import supervisor
from kt_hpo.execution.processes.channel import Channel
from kt_hpo.execution.processes.faults import in_words
from kt_hpo.execution.processes.output import Output

# Seconds that a worker gets to write down where it hangs.
_LAST_WORDS = 0.5
# Seconds that the supervisor gets to end its workers and itself.
_PATIENCE = 10.0


class StartError(RuntimeError):
    """A worker could not be started."""


@dataclass
class Process:
    """A worker's process.

    Attributes:
        pid: Its number.
        channel: The way to it.
        output: What it prints.
        faults: Where its stack is when it has crashed.
        supervisor: Who started it.
    """

    pid: int
    channel: Channel
    output: Output
    faults: IO[bytes]
    supervisor: subprocess.Popen[bytes]

    def release(self, whose: str) -> None:
        """Closes all this process has of it, once what it has printed is shown.

        Args:
            whose: What stands before each line that it has printed.
        """
        self.channel.close()
        self.output.close(whose)
        self.faults.close()


class Ending(NamedTuple):
    """How a worker ended.

    Attributes:
        words: In a sentence.
        stack: Where it was in its program, if it could tell.
    """

    words: str
    stack: str


class Launcher:
    """Starts workers and ends them.

    Args:
        shared: File descriptor of the shared file.
        folder: What the supervisor deletes when it ends.
        environment: Environment variables of all workers.
        preload: Whether workers may be forks of a process that has imported all they need.
    """

    def __init__(
        self, shared: int, folder: Path, environment: Mapping[str, str], preload: bool
    ) -> None:
        self._shared = shared
        self._folder = folder
        self._environment = environment
        self._preload = preload
        self._supervisor: subprocess.Popen[bytes] | None = None

    def start(self, environment: Mapping[str, str]) -> Process:
        """Starts a worker.

        Args:
            environment: Environment variables of its own.

        Returns:
            Its process.

        Raises:
            StartError: If there is none now.
        """
        ours, theirs = socket.socketpair()
        reader, writer = os.pipe()
        faults = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            request = json.dumps({"environment": dict(environment)}).encode()
            pid = self._ask(request, [theirs.fileno(), faults.fileno(), writer])
        except BaseException:
            ours.close()
            os.close(reader)
            faults.close()
            raise
        finally:
            theirs.close()
            os.close(writer)
        assert self._supervisor is not None
        return Process(pid, Channel(ours), Output(reader), faults, self._supervisor)

    def end(self, process: Process, hangs: bool = False) -> Ending:
        """Ends a worker, if it has not ended by itself.

        Args:
            process: Its process.
            hangs: Whether to have it write down where it is.

        Returns:
            How it ended.
        """
        if hangs:
            self._ask_for_last_words(process)
        words = "It ended with the process that started it, which was killed."
        # Without its supervisor a worker ends by itself; its number may be another's by now.
        if process.supervisor is self._supervisor:
            with contextlib.suppress(StartError):
                words = in_words(self._ask(json.dumps({"end": process.pid}).encode()))
        process.faults.seek(0)
        return Ending(words, process.faults.read().decode(errors="replace").strip())

    def close(self) -> None:
        """Ends all workers and the supervisor."""
        if self._supervisor is None:
            return
        self._control.close()
        try:
            self._supervisor.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()
        self._words.close()
        self._supervisor = None

    def _ask_for_last_words(self, process: Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGUSR1)
        deadline, before, now = time.monotonic() + _LAST_WORDS, 0, 0
        while (now == 0 or now > before) and time.monotonic() < deadline:
            time.sleep(_LAST_WORDS / 10)
            before, now = now, os.fstat(process.faults.fileno()).st_size

    def _ask(self, request: bytes, descriptors: list[int] | None = None) -> int:
        if self._supervisor is None:
            self._start_supervisor()
        try:
            socket.send_fds(self._control, [request], descriptors or [])
            answer = self._control.recv(supervisor.NUMBER.size, socket.MSG_WAITALL)
            return supervisor.NUMBER.unpack(answer)[0]
        except (OSError, supervisor.NUMBER_ERROR) as error:
            raise StartError(self._why_it_did_not_start()) from error

    def _start_supervisor(self) -> None:
        self._control, theirs = socket.socketpair()
        self._words = tempfile.TemporaryFile()  # noqa: SIM115
        arguments = (theirs.fileno(), self._shared, str(self._folder), self._preload)
        with theirs:
            self._supervisor = subprocess.Popen(
                supervisor.program("supervisor", *arguments),
                stdin=subprocess.DEVNULL,
                stdout=self._words,
                stderr=self._words,
                pass_fds=arguments[:2],
                env={**os.environ, **self._environment},
                process_group=0,
            )

    def _why_it_did_not_start(self) -> str:
        """What the supervisor said before it ended; the next request starts another."""
        words = self._words
        assert self._supervisor is not None
        self._supervisor.kill()
        status = self._supervisor.wait()
        words.seek(0)
        said = words.read().decode(errors="replace").strip()
        self._control.close()
        words.close()
        self._supervisor = None
        return f"{said}\nThe process that starts the workers ended with status {status}.".strip()


def is_supported() -> bool:
    """Tells whether this system has what workers need: sockets that carry file descriptors."""
    return sys.platform != "win32"
