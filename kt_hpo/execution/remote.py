"""Objects of the search's process, as a worker has them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from kt_hpo.execution.messages import Answer, Ask, Method, Raised, packed, portable
from kt_hpo.execution.processes import pickling


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


def reply(packer: pickling.Packer, roots: Mapping[str, Any], question: Ask) -> bytes:
    """Answers a question, in the search's process.

    Args:
        packer: Packs the answer.
        roots: The objects by their names.
        question: The question.

    Returns:
        The answer, or the error that came of it.
    """
    try:
        found = look_up(roots, question)
        return packer.pack(found if isinstance(found, Method) else Answer(found))
    except Exception as error:
        return refusal(packer, error)


def refusal(packer: pickling.Packer, error: Exception) -> bytes:
    """Answers a question with an error.

    Args:
        packer: Packs the answer.
        error: The error.

    Returns:
        The answer.
    """
    return packer.pack(Raised(portable(error, "the process of the search")))
