"""A worker's end of its connection to the chief."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import grpc

from kt_hpo.execution.distributed.cluster_config import ClusterConfig
from kt_hpo.execution.distributed.messages import (
    ChiefError,
    NameTakenError,
    SearchOverError,
    error_of,
    packed,
    unpacked,
)
from kt_hpo.execution.distributed.server import ASK, ATTEND, SERVICE

# Seconds in which the chief may be started, in which it may be started again, and after which it
# has noticed that a worker is gone whose machine was switched off.
_FIRST, _AGAIN, _NOTICED = 3600.0, 600.0, 60.0
_PAUSE = 1.0
_OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_reconnect_backoff_ms", 5_000),
]
_MAY_PASS = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


class Connection:
    """Asks the chief, and waits for one that is not there yet or is started again.

    Args:
        cluster: The worker's cluster.
        is_over: Tells whether the search has ended, as far as can be seen without the chief.

    Attributes:
        was_answered: Whether there has been a chief.
    """

    def __init__(self, cluster: ClusterConfig, is_over: Callable[[], bool]) -> None:
        self._cluster = cluster
        self._is_over = is_over
        self._patience = _FIRST
        self.was_answered = False
        self._channel = grpc.insecure_channel(cluster.address, _OPTIONS)
        self._ask = self._channel.unary_unary(f"/{SERVICE}/{ASK}")
        self._attend = self._channel.unary_stream(f"/{SERVICE}/{ATTEND}")
        self._attendance: Any = None
        self._is_open = True

    def ask(self, method: str, *arguments: Any, **keywords: Any) -> Any:
        """Asks for what a method gives, called with these arguments.

        Args:
            method: Its name.
            *arguments: Anything that `messages.packed` takes.
            **keywords: Likewise.

        Returns:
            The answer.

        Raises:
            ChiefError: If the search has ended, or there is no chief.
            SearchOverError: If it has ended in peace.
            TrialLostError: If the trial asked about is not that of this worker.
            RuntimeError: If anything else was raised there.
            TypeError: If an argument cannot be sent.
        """
        if not self._is_open:
            raise ChiefError(f"The search is over, and so is its chief at {self._cluster.address}.")
        question = {
            "tuner_id": self._cluster.tuner_id,
            "method": method,
            "arguments": arguments,
            "keywords": keywords,
        }
        return _read(self._answer(packed(question)))

    def attend(self) -> None:
        """Tells the chief that this worker is there, unless it knows.

        Raises:
            NameTakenError: If another worker has its name.
            ChiefError: If there is no chief.
        """
        refused_until = time.monotonic() + _NOTICED
        while self._attendance is None or not self._attendance.is_active():
            self.ask("seed")  # Waits until there is a chief.
            try:
                self._attendance = self._attend(packed(self._cluster.tuner_id))
                _read(next(self._attendance))
            except (grpc.RpcError, StopIteration):
                time.sleep(_PAUSE)
            except NameTakenError:
                # It may be this very worker, before its connection broke.
                if time.monotonic() > refused_until:
                    raise
                time.sleep(_PAUSE)

    def close(self) -> None:
        """Closes the connection, so that the chief need not wait for this worker."""
        self._is_open = False
        self._channel.close()

    def _answer(self, question: bytes) -> bytes:
        deadline = time.monotonic() + self._patience
        while True:
            left = deadline - time.monotonic()
            try:
                answer = self._ask(question, timeout=max(left, _PAUSE))
            except grpc.RpcError as error:
                if self._is_over():
                    raise SearchOverError("The search is over.") from error
                if left > 0 and error.code() in _MAY_PASS:
                    time.sleep(_PAUSE)
                    continue
                raise ChiefError(
                    f"The chief at {self._cluster.address} does not answer: {error.details()}. "
                    "Start it again, then its workers: the search goes on."
                ) from error
            self._patience, self.was_answered = _AGAIN, True
            return answer


def _read(content: bytes) -> Any:
    answer = unpacked(content)
    if "error" in answer:
        raise error_of(*answer["error"])
    return answer["answer"]
