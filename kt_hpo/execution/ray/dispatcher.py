"""The search's side of Ray Tune: answers its loop and its workers, and alone asks the oracle."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from keras_tuner.engine.trial import TrialStatus
from ray.tune.search import Searcher

from kt_hpo.execution.processes.messages import Ask, Ended, Fatal, packed, unpacked
from kt_hpo.execution.processes.pickling import Packer
from kt_hpo.execution.processes.remote import refusal, reply
from kt_hpo.execution.processes.trial_run import TrialRun
from kt_hpo.execution.ray.loop import Loop
from kt_hpo.execution.ray.messages import Begin, Begun, Finish
from kt_hpo.execution.ray.remote_storage import RemoteStorage
from kt_hpo.execution.trial import begin, end

if TYPE_CHECKING:
    from kt_hpo.tuner import Tuner

# Seconds to wait for a question before looking at what hangs.
_BEAT = 0.1
# Values under which a trial names those whose folders it needs.
_ORIGINS = ("tuner/trial_id", "tuner/parent")


@dataclass
class Assignment:
    """A trial that Ray runs.

    Attributes:
        trial_run: What becomes of it.
        asker: Who the oracle has given it to.
        number: The row of its worker in the display, once it has one.
        verdict: Why it was ended, if it was.
    """

    trial_run: TrialRun
    asker: str
    number: int | None = None
    verdict: str | None = None


class Dispatcher:
    """Answers questions until Ray Tune's loop has ended.

    Args:
        tuner: The tuner.
        broker: Where the questions come from.
        roots: The objects that workers may ask, by their names.
        num_workers: How many trials run at once at most.
        remote_storage: Where the folders of trials are; None if nodes write to the search's folder.
    """

    def __init__(
        self,
        tuner: Tuner,
        broker: Any,
        roots: Mapping[str, Any],
        num_workers: int,
        remote_storage: RemoteStorage | None,
    ) -> None:
        self._tuner = tuner
        self._broker = broker
        self._roots = roots
        self._remote_storage = remote_storage
        self._packer = Packer(roots)
        # An oracle gives who asks again the trial it had, until that has ended.
        self._askers = [f"{tuner.tuner_id}:{number}" for number in range(1, num_workers + 1)]
        self._assignments: dict[str, Assignment] = {}
        self._may_be_more = True

    def serve(self, loop: Loop) -> None:
        """Runs the search.

        Args:
            loop: Ray Tune's loop, which has begun.

        Raises:
            FatalError: If every other trial would fail of the same mistake.
            RuntimeError: If too many trials failed in a row.
            Exception: What has ended the loop, if it did not end by itself.
        """
        answers: dict[int, bytes] = {}
        while loop.is_alive():
            letters = ray.get(self._broker.exchange.remote(answers, _BEAT))
            answers = {number: self._answer(letter) for number, letter in letters}
            self._end_what_hangs()
        loop.check()

    def close(self) -> None:
        """Leaves everyone without an answer, and ends the workers that run a trial."""
        ray.get(self._broker.close.remote())
        for ray_id, assignment in self._assignments.items():
            if assignment.number is not None:
                self._kill(ray_id)

    def _answer(self, letter: bytes) -> bytes:
        try:
            message = unpacked(letter)
        except Exception as unknown:
            # Only a question of a worker may hold what this process does not know.
            return refusal(self._packer, unknown)
        match message:
            case Ask() as question:
                return reply(self._packer, self._roots, question)
            case Begin() as message:
                return packed(self._begin(message))
            case Finish(ray_id, ended):
                self._finish(ray_id, ended)
            # Of the loop, which may be where nothing of ours is imported.
            case ("suggest", ray_id):
                return packed(self._suggest(ray_id))
            case ("lose", ray_id, words):
                self._lose(ray_id, words)
        return packed(None)

    def _suggest(self, ray_id: str) -> dict[str, Any] | str | None:
        """The configuration of the next trial, as `ray.tune.search.Searcher.suggest` gives it."""
        taken = {assignment.asker for assignment in self._assignments.values()}
        free = [asker for asker in self._askers if asker not in taken]
        if not free or (self._assignments and not self._may_be_more):
            return None
        self._tuner.pre_create_trial()
        trial = self._tuner.oracle.create_trial(free[0])
        if trial.status == TrialStatus.RUNNING:
            self._assignments[ray_id] = Assignment(TrialRun(self._tuner, trial), free[0])
            return {"trial": trial.trial_id, "values": dict(trial.hyperparameters.values)}
        # A trial that runs may yet be tried again, or let others begin.
        self._may_be_more = False
        is_over = trial.status == TrialStatus.STOPPED and not self._assignments
        return Searcher.FINISHED if is_over else None

    def _begin(self, message: Begin) -> Begun:
        assignment = self._assignments[message.ray_id]
        taken = {assignment.number for assignment in self._assignments.values()}
        assignment.number = next(number for number in count(1) if number not in taken)
        trial = assignment.trial_run.trial
        assignment.trial_run.give()
        if assignment.trial_run.begin():
            begin(self._tuner, trial)
            self._tuner.annotate(trial, worker=assignment.number, node=message.node)
        self._tuner.progress.worker(assignment.number, int(trial.trial_id))
        if self._remote_storage is not None:
            # Trainings whose weights went with a lost worker are to be done again.
            self._tuner.annotate(trial, executions=[], history=[])
        values = trial.hyperparameters.values
        return Begun(trial, [f"trial_{values[name]}" for name in _ORIGINS if values.get(name)])

    def _finish(self, ray_id: str, ended: Ended | Fatal) -> None:
        if isinstance(ended, Fatal):
            raise ended.error
        self._end(ray_id, ended)

    def _lose(self, ray_id: str, words: str) -> None:
        assignment = self._assignments.get(ray_id)
        if assignment is not None:
            words = assignment.verdict or words
            trial = assignment.trial_run.trial
            if assignment.number is None:
                assignment.trial_run.give()
            self._end(ray_id, Ended(TrialStatus.INVALID, words, trial.hyperparameters))

    def _end(self, ray_id: str, ended: Ended) -> None:
        assignment = self._assignments.pop(ray_id)
        self._broker.leave.remote(ray_id)
        tuner, trial = self._tuner, assignment.trial_run.trial
        self._may_be_more = True
        if assignment.number is not None:
            tuner.progress.worker(assignment.number, None)
        folder = Path(tuner.project_dir)
        if self._remote_storage is not None:
            self._remote_storage.fetch([f"trial_{trial.trial_id}"], folder)
        assignment.trial_run.take_in(None, ended)
        assignment.trial_run.settle()
        end(tuner, trial)
        if self._remote_storage is not None:
            self._remote_storage.keep_only([path.name for path in folder.glob("trial_*")])

    def _end_what_hangs(self) -> None:
        now = time.monotonic()
        for ray_id, assignment in self._assignments.items():
            deadline = assignment.trial_run.deadline
            if deadline is not None and now > deadline and assignment.verdict is None:
                assignment.verdict = assignment.trial_run.too_long
                self._kill(ray_id)

    def _kill(self, ray_id: str) -> None:
        ray.get(self._broker.kill.remote(ray_id))
