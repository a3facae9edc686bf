"""Answers Ray Tune's loop and the workers on its nodes, in the process of the search."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.tune.search import Searcher

from kt_hpo.execution.context import ExecutionContext
from kt_hpo.execution.dispatcher import Assignment, Dispatcher, lowest_free
from kt_hpo.execution.messages import Ended, Fatal, packed
from kt_hpo.execution.processes.remote import Answers
from kt_hpo.execution.ray.loop import Loop
from kt_hpo.execution.ray.messages import Begin, Begun, Finish
from kt_hpo.execution.ray.remote_storage import RemoteStorage
from kt_hpo.space.continuation import Continuation

# Seconds to wait for a question before looking at what hangs.
_BEAT = 0.1


@dataclass
class RayTrial:
    """A trial that Ray runs.

    Attributes:
        assignment: What it is for the dispatcher.
        verdict: Why it was ended, if it was.
    """

    assignment: Assignment
    verdict: str | None = None


class RayServer:
    """Answers questions until Ray Tune's loop has ended.

    Args:
        tuner: The tuner.
        dispatcher: Hands out the trials.
        broker: Where the questions come from.
        roots: The objects that workers may ask, by their names.
        remote_storage: Where the folders of trials are; None if nodes write to the search's folder.
    """

    def __init__(
        self,
        tuner: ExecutionContext,
        dispatcher: Dispatcher,
        broker: Any,
        roots: Mapping[str, Any],
        remote_storage: RemoteStorage | None,
    ) -> None:
        self._tuner = tuner
        self._dispatcher = dispatcher
        self._broker = broker
        self._remote_storage = remote_storage
        self._answers = Answers(roots)
        self._trials: dict[str, RayTrial] = {}

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
            requests = ray.get(self._broker.exchange.remote(answers, _BEAT))
            answers = {number: self._answer(request) for number, request in requests}
            self._end_what_hangs()
        loop.check()

    def close(self) -> None:
        """Leaves everyone without an answer, and ends the workers that run a trial."""
        ray.get(self._broker.close.remote())
        for ray_id, trial in self._trials.items():
            if trial.assignment.worker is not None:
                self._kill(ray_id)

    def _answer(self, request: bytes) -> bytes:
        answers: list[bytes] = []
        match self._answers.hear(request, answers.append):
            case Begin() as message:
                answers.append(packed(self._begin(message)))
            case Finish(ray_id, ended):
                self._end(ray_id, ended)
            # Of the loop, which may be where nothing of ours is imported.
            case ("suggest", ray_id):
                answers.append(packed(self._suggest(ray_id)))
            case ("lose", ray_id, words):
                self._lose(ray_id, words)
        return answers[0] if answers else packed(None)

    def _suggest(self, ray_id: str) -> dict[str, Any] | str | None:
        """The configuration of the next trial, as `ray.tune.search.Searcher.suggest` gives it."""
        assignment = self._dispatcher.next()
        if assignment is None:
            return Searcher.FINISHED if self._dispatcher.is_over else None
        self._trials[ray_id] = RayTrial(assignment)
        trial = assignment.trial
        return {"trial": trial.trial_id, "values": dict(trial.hyperparameters.values)}

    def _begin(self, message: Begin) -> Begun:
        assignment = self._trials[message.ray_id].assignment
        taken = {trial.assignment.worker for trial in self._trials.values()}
        self._dispatcher.begin(assignment, lowest_free(taken), node=message.node)
        trial = assignment.trial
        if self._remote_storage is not None:
            # Trainings whose weights went with a lost worker are to be done again.
            self._tuner.annotate(trial, executions=[], history=[])
        past = Continuation.of(trial.hyperparameters.values)
        # Those whose folders it needs.
        origins = [origin for origin in (past.trial_id, past.parent) if origin is not None]
        return Begun(trial, [f"trial_{origin}" for origin in origins])

    def _lose(self, ray_id: str, words: str) -> None:
        if ray_id in self._trials:
            trial = self._leave(ray_id)
            self._dispatcher.lose(trial.assignment, trial.verdict or words)
            self._tidy()

    def _end(self, ray_id: str, ended: Ended | Fatal) -> None:
        self._dispatcher.end(self._leave(ray_id).assignment, ended)
        self._tidy()

    def _leave(self, ray_id: str) -> RayTrial:
        """Forgets a trial of Ray's; its directory is here then."""
        self._broker.unregister.remote(ray_id)
        trial = self._trials.pop(ray_id)
        if self._remote_storage is not None:
            name = f"trial_{trial.assignment.trial.trial_id}"
            self._remote_storage.fetch([name], Path(self._tuner.project_dir))
        return trial

    def _tidy(self) -> None:
        """Deletes the directories that the search does not keep either."""
        if self._remote_storage is not None:
            kept = Path(self._tuner.project_dir).glob("trial_*")
            self._remote_storage.keep_only([path.name for path in kept])

    def _end_what_hangs(self) -> None:
        now = time.monotonic()
        for ray_id, trial in self._trials.items():
            run = trial.assignment.run
            if run.deadline is not None and now > run.deadline and trial.verdict is None:
                trial.verdict = run.too_long
                self._kill(ray_id)

    def _kill(self, ray_id: str) -> None:
        ray.get(self._broker.kill.remote(ray_id))
