"""The port of the chief: what arrives there waits in a queue for the one thread that answers."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc

from kt_hpo.execution.distributed.messages import packed, raised, unpacked

ASK, ATTEND = "Ask", "Attend"
ARRIVE, LEAVE = "arrive", "leave"
SERVICE = "kt_hpo.Oracle"
# A worker takes one thread as long as it is there, and one while it waits for an answer.
_THREADS = 2000
_LARGEST = 64 * 2**20
# A machine that is switched off closes no connection: it does not answer these.
_PING = 20_000
_OPTIONS = [
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", _LARGEST),
    ("grpc.keepalive_time_ms", _PING),
    ("grpc.keepalive_timeout_ms", _PING),
    ("grpc.http2.max_pings_without_data", 0),
]


@dataclass
class Request:
    """Something a worker wants, and the answer it waits for.

    Attributes:
        tuner_id: The worker's name.
        method: What it asks for.
        arguments: With which arguments, by position.
        keywords: And by name.
        connection: The number of its connection where it comes or goes; None where it asks.
        is_refused: Whether it was answered with an error.
    """

    tuner_id: str
    method: str
    arguments: list[Any] = field(default_factory=list)
    keywords: dict[str, Any] = field(default_factory=dict)
    connection: int | None = None
    is_refused: bool = False
    _answer: Future[bytes] = field(default_factory=Future)

    def begin(self) -> bool:
        """Tells whether an answer is still wanted; it has to be given then."""
        return self._answer.set_running_or_notify_cancel()

    def answer(self, value: Any) -> None:
        """Answers; a TypeError if the value cannot be sent."""
        self._answer.set_result(packed({"answer": value}))

    def refuse(self, error: Exception) -> None:
        """Answers with an error."""
        self.is_refused = True
        self._answer.set_result(packed(raised(error)))

    def give_up(self) -> None:
        """Says that nobody waits for an answer any more."""
        self._answer.cancel()

    def wait(self) -> bytes | None:
        """Waits for the answer, on the side of the worker; None if it was given up."""
        try:
            return self._answer.result()
        except CancelledError:
            return None


class Server:
    """Listens on a port, from its making until it is closed.

    Args:
        address: Where to listen.

    Raises:
        ValueError: If that is not possible.
    """

    def __init__(self, address: str) -> None:
        self._requests: queue.Queue[Request] = queue.Queue()
        self._numbers = itertools.count()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="kt_hpo_chief")
        handlers = {
            ASK: grpc.unary_unary_rpc_method_handler(self._ask, unpacked),
            ATTEND: grpc.unary_stream_rpc_method_handler(self._attend, unpacked),
        }
        self._server = grpc.server(
            self._threads,
            handlers=[grpc.method_handlers_generic_handler(SERVICE, handlers)],
            options=_OPTIONS,
        )
        try:
            self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise ValueError(
                f"The chief cannot listen on {address}: the port is in use, or the address is none "
                "of this machine. Set KERASTUNER_ORACLE_IP and KERASTUNER_ORACLE_PORT to those of "
                "the chief, in all processes."
            ) from error
        self._server.start()

    def next(self, seconds: float) -> Request | None:
        """Waits for a request.

        Args:
            seconds: How long.

        Returns:
            The next one, to be answered; None if there was none.
        """
        try:
            return self._requests.get(timeout=seconds)
        except queue.Empty:
            return None

    def close(self, grace: float | None = None) -> None:
        """Closes the port.

        Args:
            grace: Seconds for workers to hear their last answer and to leave.
        """
        self._server.stop(grace).wait()
        while (request := self.next(0)) is not None:
            request.give_up()
        self._threads.shutdown()

    def _ask(self, asked: dict[str, Any], context: grpc.ServicerContext) -> bytes | None:
        name, method = str(asked["tuner_id"]), str(asked["method"])
        request = Request(name, method, asked["arguments"], asked["keywords"])
        if context.add_callback(request.give_up):
            self._requests.put(request)
            return request.wait()
        return None  # Nobody hears it any more.

    def _attend(self, name: str, context: grpc.ServicerContext) -> Iterator[bytes]:
        """Keeps the connection as long as the worker is there; it ends with its process."""
        number, gone = next(self._numbers), threading.Event()
        arrival = Request(str(name), ARRIVE, connection=number)

        def leave() -> None:
            arrival.give_up()
            gone.set()
            self._requests.put(Request(str(name), LEAVE, connection=number))

        if context.add_callback(leave):
            self._requests.put(arrival)
            if answer := arrival.wait():
                yield answer
            if not arrival.is_refused:
                gone.wait()
