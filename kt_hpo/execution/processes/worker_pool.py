"""The workers of a search: gives them what the dispatcher hands out, and answers them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from typing import Any

from kt_hpo.execution.context import ExecutionContext
from kt_hpo.execution.dispatcher import Dispatcher
from kt_hpo.execution.messages import Ended, Fatal, Ready, Unfit
from kt_hpo.execution.processes.launcher import Ending, Launcher, StartError
from kt_hpo.execution.processes.remote import Answers
from kt_hpo.execution.processes.worker import Worker

# Seconds to wait for something to happen.
_BEAT = 0.1
_FAILED_STARTS = 3


class WorkerError(RuntimeError):
    """No worker can be started."""


class WorkerPool:
    """Runs the trials of a search in worker processes.

    Args:
        tuner: The tuner.
        dispatcher: Hands out the trials.
        workers: The workers.
        launcher: Starts them.
        payload_location: Where the payload with the search begins, and how large it is.
        roots: The objects that workers may ask, by their names.
    """

    def __init__(
        self,
        tuner: ExecutionContext,
        dispatcher: Dispatcher,
        workers: Sequence[Worker],
        launcher: Launcher,
        payload_location: tuple[int, int],
        roots: dict[str, Any],
    ) -> None:
        self._tuner = tuner
        self._dispatcher = dispatcher
        self._workers = workers
        self._launcher = launcher
        self._payload_location = payload_location
        self._answers = Answers(roots)
        self._failed_starts: list[str] = []

    def run(self) -> None:
        """Runs trials until the oracle has no more.

        Raises:
            FatalError: If every other trial would fail of the same mistake.
            WorkerError: If three workers in a row could not be started.
            RuntimeError: If too many trials failed in a row.
        """
        for worker in self._workers:
            self._tuner.progress.worker(worker.number, None)
        while not self._dispatcher.is_over:
            self._hand_out()
            self._start_workers()
            self._serve()

    def close(self) -> None:
        """Ends all workers."""
        for worker in self._workers:
            worker.end(self._launcher)

    def _hand_out(self) -> None:
        """Gives the workers that are free something to do."""
        for worker in self._workers:
            if worker.assignment is None:
                worker.assignment = self._dispatcher.next()
                if worker.assignment is None:
                    return
                if worker.is_ready:
                    self._try(worker, self._begin)

    def _begin(self, worker: Worker) -> None:
        assert worker.assignment is not None
        self._dispatcher.begin(worker.assignment, worker.number)
        worker.begin()

    def _start_workers(self) -> None:
        """Starts a process wherever a trial waits for one."""
        for worker in self._workers:
            if worker.assignment is not None and worker.process is None:
                try:
                    worker.start(self._launcher, self._payload_location)
                except (StartError, EOFError) as error:
                    worker.end(self._launcher)
                    self._count_failed_start(str(error))

    def _serve(self) -> None:
        """Hears what the workers have to say."""
        sources: dict[Any, Worker] = {}
        for worker in self._workers:
            if worker.process is not None:
                sources[worker.process.channel] = worker
                if worker.process.output.is_open:
                    sources[worker.process.output] = worker
        left = [s for w in self._workers if (s := w.seconds_left) is not None]
        for source in wait(list(sources), max(min([_BEAT, *left]), 0)):
            worker = sources[source]
            if worker.process is not None and source is worker.process.output:
                worker.show_output()
            elif worker.process is not None:
                self._try(worker, self._hear)
        for worker in self._workers:
            if worker.seconds_left is not None and worker.seconds_left <= 0:
                self._stop(worker)

    def _try(self, worker: Worker, talk: Callable[[Worker], None]) -> None:
        """Talks with a worker, which may be gone."""
        try:
            talk(worker)
        except EOFError:
            self._lose(worker)

    def _hear(self, worker: Worker) -> None:
        assert worker.process is not None
        for content in worker.process.channel.arrived():
            match self._answers.hear(content, worker.process.channel.send):
                case Ready():
                    worker.is_ready, self._failed_starts = True, []
                    self._begin(worker)
                case (Ended() | Fatal()) as ended:
                    self._dispatcher.end(worker.finish(), ended)
                case Unfit(words):
                    worker.end(self._launcher)
                    self._count_failed_start(words)

    def _stop(self, worker: Worker) -> None:
        """Ends a worker whose trial takes too long."""
        assert worker.assignment is not None
        message = worker.assignment.run.too_long
        self._fail(worker, worker.end(self._launcher, hangs=True), message)

    def _lose(self, worker: Worker) -> None:
        """Replaces a worker that died."""
        was_ready, ending = worker.is_ready, worker.end(self._launcher)
        if ending is not None and not was_ready:
            self._count_failed_start(f"{ending.stack}\n{ending.words}".strip())
        elif ending is not None and worker.assignment is not None:
            self._fail(worker, ending, ending.words)

    def _fail(self, worker: Worker, ending: Ending | None, message: str) -> None:
        stack = ending.stack if ending else ""
        self._dispatcher.lose(worker.finish(), f"{stack}\n{message}".strip())

    def _count_failed_start(self, words: str) -> None:
        self._failed_starts.append(words)
        if len(self._failed_starts) == _FAILED_STARTS:
            raise WorkerError(
                f"{_FAILED_STARTS} workers in a row could not start. The first one said:\n\n"
                f"{self._failed_starts[0]}"
            )
