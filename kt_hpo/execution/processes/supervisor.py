"""The process that starts and ends the workers of a search.

It has TensorFlow imported and has run nothing with it, so that a worker is a fork of it and there
in a moment. Where that is not safe, or GPUs are to be hidden before anything is imported, a worker
is a fresh interpreter. The supervisor runs no code of the user's, hence never hangs; when the
search's process is gone, however that ended, it takes all workers with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import struct
import sys
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn

from kt_hpo.execution.processes import worker_process

NUMBER = struct.Struct("=q")
NUMBER_ERROR = struct.error
_REQUEST = 1 << 16
# Seconds between two looks at whether the search's process is still there: somebody who was forked
# from it may keep the connection open.
_LOOK = 1.0
# What a fork leaves in order though it is not alone: the memory allocator's own thread.
_HARMLESS = {"jemalloc_bg_thd"}


def main(control: int, shared: int, folder: str, preload: bool) -> NoReturn:
    """Serves the search's process until that is gone.

    Args:
        control: File descriptor of the socket to that process.
        shared: File descriptor of the shared file.
        folder: What is to be deleted at the end.
        preload: Whether to import all that a worker needs.
    """
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.SIG_IGN)
    if preload:
        import kt_hpo

        kt_hpo.Tuner  # noqa: B018
    Supervisor(socket.socket(fileno=control), shared, preload and _can_fork()).serve()
    shutil.rmtree(folder, ignore_errors=True)
    # TensorFlow takes a second to tidy up, while the search's process waits.
    os._exit(0)


class Supervisor:
    """Starts and ends workers as it is asked.

    Args:
        control: The control socket.
        shared: File descriptor of the shared file.
        forks: Whether a worker is a fork of this process, or else a fresh interpreter.
    """

    def __init__(self, control: socket.socket, shared: int, forks: bool) -> None:
        self._control = control
        self._shared = shared
        self._forks = forks
        self._workers: set[int] = set()

    def serve(self) -> None:
        """Answers requests until the other end is closed; then ends all workers."""
        parent = os.getppid()
        self._control.settimeout(_LOOK)
        while os.getppid() == parent:
            try:
                request, descriptors, _, _ = socket.recv_fds(self._control, _REQUEST, 3)
            except TimeoutError:
                continue
            if not request:
                break
            asked = json.loads(request)
            if "end" in asked:
                answer = self._end(asked["end"])
            else:
                answer = self._start(asked["environment"], descriptors)
            try:
                self._control.sendall(NUMBER.pack(answer))
            except OSError:
                break
        for worker in list(self._workers):
            self._end(worker)

    def _start(self, environment: dict[str, str], descriptors: list[int]) -> int:
        worker = os.fork()
        if worker == 0:
            self._become_worker(environment, descriptors)
        with contextlib.suppress(OSError):
            os.setpgid(worker, worker)
        for descriptor in descriptors:
            os.close(descriptor)
        self._workers.add(worker)
        return worker

    def _end(self, worker: int) -> int:
        """Ends a worker and the processes it has started; how it ended, if it had before."""
        self._workers.discard(worker)
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError):
                kill(worker, signal.SIGKILL)
        return os.waitpid(worker, 0)[1]

    def _become_worker(self, environment: dict[str, str], descriptors: list[int]) -> NoReturn:
        status = 1
        try:
            os.setpgid(0, 0)
            self._control.close()
            os.environ.update(environment)
            channel, faults, output = descriptors
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.close(output)
            status = self._work(channel, faults)
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(status)

    def _work(self, channel: int, faults: int) -> int:
        arguments = (channel, faults, self._shared)
        if not self._forks:
            for descriptor in arguments:
                os.set_inheritable(descriptor, True)
            os.execv(sys.executable, program("worker_process", *arguments))
        return worker_process.main(*arguments)


def program(module: str, *arguments: Any) -> list[str]:
    """Gives the command of a fresh interpreter that finds what this one does.

    The user's script is not run again: the main module is ours.

    Args:
        module: A module of this package.
        *arguments: Arguments of its `main`.

    Returns:
        The command.
    """
    code = f"""
import sys
sys.path[:] = {sys.path!r}
from kt_hpo.startup import quiet_tensorflow
with quiet_tensorflow():
    from kt_hpo.execution.processes import {module}
sys.exit({module}.main(*{arguments!r}))
"""
    return [sys.executable, "-c", code]


def _can_fork() -> bool:
    """Whether this process has no thread that a fork would lose; known on Linux only.

    What expects forks ends its threads at one, and starts them again when they are needed: those
    of OpenBLAS, one for each core, would else be in the way.
    """
    tasks = Path("/proc/self/task")
    if not tasks.is_dir():
        return False
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)
    for _ in range(20):  # A thread that has ended is seen for a moment.
        with contextlib.suppress(OSError):
            names = [(task / "comm").read_text().strip() for task in tasks.iterdir()]
            if len([name for name in names if name not in _HARMLESS]) == 1:
                return True
        time.sleep(0.01)
    return False
