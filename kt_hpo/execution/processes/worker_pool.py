"""The workers of a search: who gives them trials, answers them and makes good for the lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from keras_tuner.engine.trial import TrialStatus

from kt_hpo.execution.processes import pickling
from kt_hpo.execution.processes.launcher import Ending, Launcher, StartError
from kt_hpo.execution.processes.messages import Ask, Ended, Fatal, Ready, Unfit, unpacked
from kt_hpo.execution.processes.remote import refusal, reply
from kt_hpo.execution.processes.trial_run import TrialRun
from kt_hpo.execution.processes.worker import Worker
from kt_hpo.execution.trial import begin, end

if TYPE_CHECKING:
    from kt_hpo.tuner import Tuner

# Seconds to wait for something to happen.
_BEAT = 0.1
_FAILED_STARTS = 3


class WorkerError(RuntimeError):
    """No worker can be started."""


class WorkerPool:
    """Runs the trials of a search in worker processes; this process alone asks the oracle.

    Args:
        tuner: The tuner.
        workers: The workers.
        launcher: Starts them.
        payload_location: Where the payload with the search begins, and how large it is.
        roots: The objects that workers may ask, by their names.
        trainings: How many trainings of a trial may run side by side; None if a worker runs it
            whole.
    """

    def __init__(
        self,
        tuner: Tuner,
        workers: Sequence[Worker],
        launcher: Launcher,
        payload_location: tuple[int, int],
        roots: dict[str, Any],
        trainings: int | None = None,
    ) -> None:
        self._tuner = tuner
        self._workers = workers
        self._launcher = launcher
        self._payload_location = payload_location
        self._roots = roots
        self._trainings = trainings
        # An oracle gives who asks again the trial it had, until that has ended.
        self._askers = [f"{tuner.tuner_id}:{worker.number}" for worker in workers]
        self._courses: dict[str, TrialRun] = {}
        self._packer = pickling.Packer(roots)
        self._failed_starts: list[str] = []
        self._may_be_more = True

    def run(self) -> None:
        """Runs trials until the oracle has no more.

        Raises:
            FatalError: If every other trial would fail of the same mistake.
            WorkerError: If three workers in a row could not be started.
            RuntimeError: If too many trials failed in a row.
        """
        while self._give_trials():
            self._start_workers()
            self._serve()

    def close(self) -> None:
        """Ends all workers."""
        for worker in self._workers:
            worker.end(self._launcher)

    def _give_trials(self) -> bool:
        """Gives the workers that are free something to do; tells whether there is work left."""
        if self._courses and not self._may_be_more:
            return True
        self._may_be_more = False
        free = [worker for worker in self._workers if worker.trial_run is None]
        answers = [self._give_trial(worker) for worker in free]
        stopped = all(answer == TrialStatus.STOPPED for answer in answers)
        return not stopped or bool(self._courses)

    def _give_trial(self, worker: Worker) -> str:
        trial_run = next(
            (trial_run for trial_run in self._courses.values() if trial_run.waits), None
        )
        status = TrialStatus.RUNNING
        if trial_run is None:
            trial_run, status = self._new_course()
        if trial_run is not None:
            worker.take(trial_run)
        if trial_run is not None and worker.is_ready:
            self._try(worker, self._begin)
        else:
            self._tuner.progress.worker(worker.number, None)
        return status

    def _new_course(self) -> tuple[TrialRun | None, str]:
        """Asks for a trial; gives the oracle's answer too."""
        tuner = self._tuner
        tuner.pre_create_trial()
        asker = next(name for name in self._askers if name not in self._courses)
        trial = tuner.oracle.create_trial(asker)
        if trial.status != TrialStatus.RUNNING:
            return None, trial.status
        self._courses[asker] = TrialRun(tuner, trial, self._trainings)
        return self._courses[asker], trial.status

    def _begin(self, worker: Worker) -> None:
        assert worker.trial_run is not None
        trial = worker.trial_run.trial
        if worker.trial_run.begin():
            begin(self._tuner, trial)
            self._tuner.annotate(trial, worker=worker.number)
        self._tuner.progress.worker(worker.number, int(trial.trial_id))
        worker.begin()

    def _start_workers(self) -> None:
        """Starts a process wherever a trial waits for one."""
        for worker in self._workers:
            if worker.trial_run is not None and worker.process is None:
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
            try:
                message = unpacked(content)
            except Exception as unknown:
                # Only a question may hold what this process does not know.
                worker.process.channel.send(refusal(self._packer, unknown))
                continue
            match message:
                case Ask() as question:
                    worker.process.channel.send(reply(self._packer, self._roots, question))
                case Ready():
                    worker.is_ready, self._failed_starts = True, []
                    self._begin(worker)
                case Ended() as ended:
                    self._end(worker, ended)
                case Fatal(error):
                    raise error
                case Unfit(words):
                    worker.end(self._launcher)
                    self._count_failed_start(words)

    def _end(self, worker: Worker, ended: Ended) -> None:
        trial_run = worker.finish(ended)
        self._may_be_more = True
        if trial_run.is_over:
            self._courses = {name: c for name, c in self._courses.items() if c is not trial_run}
            trial_run.settle()
            end(self._tuner, trial_run.trial)

    def _stop(self, worker: Worker) -> None:
        """Ends a worker whose trial takes too long."""
        assert worker.trial_run is not None
        words = worker.trial_run.too_long
        self._fail(worker, worker.end(self._launcher, hangs=True), words)

    def _lose(self, worker: Worker) -> None:
        """Makes good for a worker that has ended by itself, or by somebody's hand."""
        was_ready, ending = worker.is_ready, worker.end(self._launcher)
        if ending is not None and not was_ready:
            self._count_failed_start(f"{ending.stack}\n{ending.words}".strip())
        elif ending is not None and worker.trial_run is not None:
            self._fail(worker, ending, ending.words)

    def _fail(self, worker: Worker, ending: Ending | None, words: str) -> None:
        assert worker.trial is not None
        message = f"{ending.stack if ending else ''}\n{words}".strip()
        self._end(worker, Ended(TrialStatus.INVALID, message, worker.trial.hyperparameters))

    def _count_failed_start(self, words: str) -> None:
        self._failed_starts.append(words)
        if len(self._failed_starts) == _FAILED_STARTS:
            raise WorkerError(
                f"{_FAILED_STARTS} workers in a row could not start. The first one said:\n\n"
                f"{self._failed_starts[0]}"
            )
