"""The way from Ray Tune's loop and its workers to the search's process, which has no port.

An actor keeps their questions until that process fetches them, and hands out the answers. This
module travels to the actor as it is: to import its package there would import TensorFlow.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Mapping
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

# How many may wait for an answer at once.
_MOST = 10_000

ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])


class ClosedError(Exception):
    """The search has ended, nothing is answered any more."""


class RequestBroker:
    """The actor between the search's process and all others."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._requests: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()
        self._answers: dict[int, asyncio.Future[bytes]] = {}
        self._workers: dict[str, Any] = {}
        self._is_closed = False

    async def register(self, ray_id: str, worker: Any) -> None:
        """Takes note of a worker, which a client of a cluster cannot be given.

        Args:
            ray_id: The trial of Ray's that it begins.
            worker: Its handle.
        """
        self._workers[ray_id] = worker

    async def kill(self, ray_id: str) -> None:
        """Ends a worker whatever it does, if it has not been ended before.

        Args:
            ray_id: The trial of Ray's that it runs.
        """
        worker = self._workers.pop(ray_id, None)
        if worker is not None:
            ray.kill(worker)

    async def unregister(self, ray_id: str) -> None:
        """Forgets a worker.

        Args:
            ray_id: The trial of Ray's that it has run.
        """
        self._workers.pop(ray_id, None)

    async def ask(self, request: bytes) -> bytes:
        """Waits for the answer of the search's process.

        Args:
            request: The question.

        Returns:
            The answer.

        Raises:
            ClosedError: If there will be none.
        """
        if self._is_closed:
            raise ClosedError
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        self._requests.put_nowait((number, request))
        return await answer

    async def exchange(
        self, answers: Mapping[int, bytes], seconds: float
    ) -> list[tuple[int, bytes]]:
        """Hands out answers and gives the questions that have come, for the search's process.

        Args:
            answers: Answers by the numbers of their questions.
            seconds: How long to wait for a question.

        Returns:
            The questions and their numbers; none if none came in time.
        """
        for number, answer in answers.items():
            self._answers.pop(number).set_result(answer)
        try:
            requests = [await asyncio.wait_for(self._requests.get(), seconds)]
        except TimeoutError:
            return []
        while not self._requests.empty():
            requests.append(self._requests.get_nowait())
        return requests

    async def close(self) -> None:
        """Leaves all who wait, and all who come, without an answer."""
        self._is_closed = True
        for answer in self._answers.values():
            answer.set_exception(ClosedError())


class BrokerConnection:
    """Asks the search's process, as `kt_hpo.execution.processes.remote.Questions` does.

    Args:
        broker: The actor's handle.
    """

    def __init__(self, broker: Any) -> None:
        self._broker = broker
        self._reply: Any = None

    def register(self, ray_id: str) -> None:
        """Makes this worker known.

        Args:
            ray_id: The trial of Ray's that it begins.
        """
        ray.get(self._broker.register.remote(ray_id, ray.get_runtime_context().current_actor))

    def send(self, request: bytes) -> None:
        """Asks something.

        Args:
            request: The question.
        """
        self._reply = self._broker.ask.remote(request)

    def receive(self) -> bytes:
        """Waits for the answer to what was asked last.

        Returns:
            The answer.

        Raises:
            EOFError: If the search has ended, or its process is gone.
        """
        try:
            return ray.get(self._reply)
        except (ClosedError, ray.exceptions.RayActorError) as error:
            raise EOFError("The search has ended.") from error


def open_broker() -> Any:
    """Starts the actor beside the search's process, or beside the head of the cluster.

    Returns:
        Its handle.
    """
    actor: Any = ray.remote(RequestBroker)
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return actor.options(num_cpus=0, max_concurrency=_MOST, scheduling_strategy=here).remote()
