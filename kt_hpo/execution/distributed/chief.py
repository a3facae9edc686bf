"""The executor of the chief: workers that connect to its port run the trials."""

from __future__ import annotations

import math
import queue
import socket
import threading
import time
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from kt_hpo.execution.context import ExecutionContext
from kt_hpo.execution.dispatcher import Assignment, Dispatcher, lowest_free
from kt_hpo.execution.distributed import authentication
from kt_hpo.execution.distributed.cluster_config import IP, PORT, TUNER_ID, ClusterConfig
from kt_hpo.execution.messages import (
    ChiefError,
    Ended,
    Fatal,
    Ready,
    SearchOverError,
    TrialTask,
    packed,
)
from kt_hpo.execution.processes import payload
from kt_hpo.execution.processes.channel import Channel
from kt_hpo.execution.processes.remote import Answers
from kt_hpo.training.interruption import TimeIsUpError

# Seconds between two looks at what else there is to do.
_POLL = 0.1
# Seconds that workers have to end their epoch when the search ends.
_GRACE = 30.0
# Seconds without a worker after which the user is told.
_TOLD = 60.0
# How many connections may be unproved at once.
_MOST_PENDING = 64


class Chief:
    """Has workers, in processes anywhere, run the trials of a search, as Keras Tuner's chief does.

    Not to be made by hand: `KERASTUNER_TUNER_ID=chief` makes it the executor of a process.

    Args:
        cluster: The cluster of this process.
    """

    def __init__(self, cluster: ClusterConfig) -> None:
        self._cluster = cluster

    def run(
        self, tuner: ExecutionContext, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]
    ) -> None:
        """Serves workers until the oracle has no more trials, and all of them know.

        Args:
            tuner: The tuner.
            fit_args: Not used: the workers have the same program, and their own data.
            fit_kwargs: Likewise.

        Raises:
            ValueError: If the chief cannot listen where it shall.
            FatalError: If every other trial would fail of the same mistake.
            RuntimeError: If too many trials failed in a row.
        """
        project_dir = Path(tuner.project_dir)
        with _open_port(self._cluster) as port:
            listener = Listener(port, authentication.write_key(project_dir))
            try:
                tuner.progress.note(f"Workers connect to {self._cluster.address}.")
                ChiefServer(tuner, self._cluster, listener).run()
            finally:
                authentication.key_path(project_dir).unlink(missing_ok=True)
                # Closing alone would not end the thread that waits for connections.
                port.shutdown(socket.SHUT_RDWR)

    def __repr__(self) -> str:
        return f"Chief({self._cluster.address!r})"


class Listener:
    """Accepts connections that prove they have the key, and closes all others.

    Args:
        port: The socket that listens.
        key: The key.

    Attributes:
        accepted: The connections that have proved it.
    """

    def __init__(self, port: socket.socket, key: bytes) -> None:
        self.accepted: queue.Queue[Channel] = queue.Queue()
        self._port = port
        self._key = key
        self._pending = threading.Semaphore(_MOST_PENDING)
        threading.Thread(target=self._listen, name="kt_hpo_chief", daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):  # The search has ended, and closed the port.
            while True:
                self._pending.acquire()
                connected, _ = self._port.accept()
                threading.Thread(target=self._authenticate, args=(connected,), daemon=True).start()

    def _authenticate(self, connected: socket.socket) -> None:
        try:
            # A stranger may send anything.
            with suppress(AuthenticationError, OSError, EOFError, ValueError):
                self.accepted.put(authentication.accept(connected, self._key))
        finally:
            self._pending.release()


class SocketWorker:
    """A worker as the chief sees it.

    Args:
        number: Its number, counted from 1.
        channel: The connection to it.

    Attributes:
        number: As given.
        channel: As given.
        name: Its `KERASTUNER_TUNER_ID`, once it has told it and takes trials.
        assignment: What it has to run, while it has something.
    """

    def __init__(self, number: int, channel: Channel) -> None:
        self.number = number
        self.channel = channel
        self.name: str | None = None
        self.assignment: Assignment | None = None


class ChiefServer:
    """Gives workers what the dispatcher hands out, and answers them.

    Args:
        tuner: The tuner of the chief.
        cluster: Its cluster.
        listener: Accepts workers.
    """

    def __init__(self, tuner: ExecutionContext, cluster: ClusterConfig, listener: Listener) -> None:
        self._tuner = tuner
        self._cluster = cluster
        self._listener = listener
        self._dispatcher = Dispatcher(tuner, math.inf)
        self._answers = Answers(payload.roots(tuner, self._dispatcher))
        self._workers: dict[Any, SocketWorker] = {}
        self._error: Exception | None = None
        self._seen, self._is_told = time.monotonic(), False

    def run(self) -> None:
        """Runs trials until the oracle has no more."""
        try:
            while not self._dispatcher.is_over:
                self._hand_out()
                self._serve()
                self._tuner.interruption.check()
                self._look_for_workers()
            self._dismiss(SearchOverError())
        except TimeIsUpError:
            self._dismiss(SearchOverError("The time of the search is up."))
            raise
        except BaseException as error:
            self._dismiss(ChiefError(f"The search has ended: {error or type(error).__name__}"))
            raise

    def _hand_out(self) -> None:
        for worker in list(self._workers.values()):
            if worker.name is not None and worker.assignment is None:
                worker.assignment = self._dispatcher.next()
                if worker.assignment is None:
                    return
                self._dispatcher.begin(worker.assignment, worker.number)
                self._send(worker, packed(TrialTask(worker.assignment.trial, None)))

    def _serve(self) -> None:
        """Hears what the workers have to say."""
        while not self._listener.accepted.empty():
            taken = {worker.number for worker in self._workers.values()}
            channel = self._listener.accepted.get()
            self._workers[channel] = SocketWorker(lowest_free(taken), channel)
        for ready in wait(list(self._workers), _POLL):
            worker = self._workers[ready]
            try:
                contents = worker.channel.arrived()
            except (EOFError, OSError):
                self._lose(worker)
            else:
                for content in contents:
                    self._hear(worker, content)

    def _hear(self, worker: SocketWorker, content: bytes) -> None:
        if self._error is not None:
            self._send(worker, self._answers.error(self._error))
            return
        match self._answers.hear(content, lambda answer: self._send(worker, answer)):
            case Ready(name):
                worker.name = name
                self._tuner.progress.worker(worker.number, None)
                self._tuner.progress.note(f"Worker {name} is there.")
            case (Ended() | Fatal()) as ended if worker.assignment is not None:
                assignment, worker.assignment = worker.assignment, None
                self._dispatcher.end(assignment, ended)

    def _send(self, worker: SocketWorker, message: bytes) -> None:
        with suppress(EOFError):  # Who is gone is lost when its connection is read.
            worker.channel.send(message)

    def _lose(self, worker: SocketWorker) -> None:
        del self._workers[worker.channel]
        worker.channel.close()
        if worker.assignment is not None and self._error is None:
            self._dispatcher.lose(
                worker.assignment, f"The worker {worker.name} is gone: killed, crashed, or cut off."
            )

    def _look_for_workers(self) -> None:
        """Tells the user, once, that nobody runs trials."""
        if self._workers:
            self._seen, self._is_told = time.monotonic(), False
        elif not self._is_told and time.monotonic() - self._seen > _TOLD:
            self._is_told = True
            self._tuner.progress.note(_no_worker(self._cluster))

    def _dismiss(self, error: Exception) -> None:
        """Tells all workers that the search has ended, and waits until they are gone."""
        self._error = error
        for worker in self._workers.values():
            self._send(worker, self._answers.error(error))
        last = time.monotonic() + _GRACE
        while self._workers and time.monotonic() < last:
            self._serve()


def _open_port(cluster: ClusterConfig) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in cluster.ip else socket.AF_INET
        return socket.create_server((cluster.ip, cluster.port), family=family)
    except OSError as error:
        raise ValueError(
            f"The chief cannot listen on {cluster.address}: the port is in use, or the address is "
            f"none of this machine. Set {IP} and {PORT} to those of the chief, in all processes."
        ) from error


def _no_worker(cluster: ClusterConfig) -> str:
    return (
        f"No worker is connected, so no trial runs. The chief keeps waiting at {cluster.address}. "
        f"To start a worker, run the same program with {IP}={cluster.ip} {PORT}={cluster.port} "
        f"{TUNER_ID}=tuner0. To stop, press Ctrl-C; the chief goes on when it is started again."
    )
