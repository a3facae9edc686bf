"""The search as a worker has it: its objects are asked in the search's own process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, Protocol

from keras_tuner import errors
from keras_tuner.engine.trial import Trial

from kt_hpo.execution.messages import (
    Answer,
    Ask,
    Ended,
    Fatal,
    Method,
    Raised,
    packed,
    portable,
    unpacked,
)
from kt_hpo.execution.processes import pickling
from kt_hpo.execution.trial import run_trial

_HERE = "the process of the search"


class Remote:
    """Stands for an object of the search's process: its methods are called there.

    Args:
        ask: Sends a question and gives the answer.
        place: The object's name.
        known: Attributes that never change.
    """

    def __init__(
        self, ask: Callable[[Ask], Any], place: str, known: Mapping[str, Any] | None = None
    ) -> None:
        vars(self).update(known or {}, _ask=ask, _place=place)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        answer = self._ask(Ask(self._place, name))
        if isinstance(answer, Method):
            answer = vars(self)[name] = partial(self._call, name)
        return answer

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return self._ask(Ask(self._place, name, args, kwargs))


class Connection(Protocol):
    """A way to the search's process."""

    def send(self, message: bytes, /) -> None:
        """Sends a message."""

    def receive(self) -> bytes:
        """Waits for the next message."""


class Questions:
    """Asks the search's process, one question at a time, whichever thread has it.

    Args:
        channel: The way there.
    """

    def __init__(self, channel: Connection) -> None:
        self._channel = channel
        self._lock = threading.Lock()

    def ask(self, question: Ask) -> Any:
        """Asks for an attribute or a call.

        Args:
            question: Of which object, and which.

        Returns:
            The answer; `Method` for an attribute that is to be called.
        """
        with self._lock:
            self._channel.send(packed(question))
            content = self._channel.receive()
        answer = pickling.Unpacker(content, {pickling.STAYS: partial(Remote, self.ask)}).load()
        if isinstance(answer, Raised):
            raise answer.error
        return answer if isinstance(answer, Method) else answer.value


def look_up(roots: Mapping[str, Any], question: Ask) -> Any:
    """Finds the answer to a question, in the search's process.

    Args:
        roots: The objects by their names.
        question: The question.

    Returns:
        An attribute, what a call returned, or `Method`.
    """
    attribute = getattr(roots[question.place], question.name)
    if question.arguments is not None:
        return attribute(*question.arguments, **(question.keywords or {}))
    return Method() if callable(attribute) else attribute


class Answers:
    """Answers what workers ask of the objects of a search, in its process.

    Args:
        roots: The objects by their names.
    """

    def __init__(self, roots: Mapping[str, Any]) -> None:
        self._roots = roots
        self._packer = pickling.Packer(roots)

    def hear(self, content: bytes, send: Callable[[bytes], Any]) -> Any:
        """Unpacks a message, and answers it if it is a question.

        Args:
            content: The message.
            send: Sends the answer, or the error that came of it.

        Returns:
            The message; None if it was a question.
        """
        try:
            message = unpacked(content)
        except Exception as unknown:
            # Only a question may hold what this process does not know.
            send(self.error(portable(unknown, _HERE)))
            return None
        if not isinstance(message, Ask):
            return message
        send(self._reply(message))
        return None

    def error(self, error: Exception) -> bytes:
        """Makes an answer that raises an error, whatever was asked.

        Args:
            error: The error.

        Returns:
            The answer.
        """
        return self._packer.pack(Raised(error))

    def _reply(self, question: Ask) -> bytes:
        try:
            found = look_up(self._roots, question)
            return self._packer.pack(found if isinstance(found, Method) else Answer(found))
        except Exception as error:
            return self.error(portable(error, _HERE))


class WorkerSearch(NamedTuple):
    """What there is to run."""

    tuner: Any
    fit_args: tuple[Any, ...]
    fit_kwargs: dict[str, Any]

    def run(self, trial: Trial, training: int | None = None) -> Ended | Fatal:
        """Runs a trial as `Inline` does, up to its end; or one of its trainings.

        Args:
            trial: The trial.
            training: The number of the training; None for the whole trial.

        Returns:
            How it ended.
        """
        trial.hyperparameters.propose = partial(self.tuner.oracle.meet, trial.trial_id)
        try:
            return run_trial(self.tuner, trial, self.fit_args, self.fit_kwargs, training)
        except errors.FatalError as error:
            return Fatal(portable(error, "the worker"))


def open_search(content: bytes, openers: Mapping[str, Callable[[Any], Any]]) -> WorkerSearch:
    """Opens the payload with a search.

    Args:
        content: What `kt_hpo.execution.processes.payload.pack` made.
        openers: What becomes of a thing that was not sent, by its kind.

    Returns:
        The search.
    """
    tuner, dispatcher, known, fit_args, fit_kwargs = pickling.Unpacker(content, openers).load()
    vars(tuner.oracle).update(known)
    report_to_search(tuner, dispatcher)
    return WorkerSearch(tuner, fit_args, fit_kwargs)


def report_to_search(tuner: Any, dispatcher: Any) -> None:
    """Has a worker's tuner report to the process of the search, whose tuner's `report` is called.

    Args:
        tuner: The tuner of a worker.
        dispatcher: The dispatcher, in the process of the search.
    """

    def report(trial: Trial, epoch: int, metrics: dict[str, float]) -> bool:
        return dispatcher.report(trial.trial_id, epoch, metrics)

    tuner.report = report
