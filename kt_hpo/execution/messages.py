"""What the search and its workers say to each other."""

from __future__ import annotations

import pickle
import traceback
from typing import Any, NamedTuple

import cloudpickle
import keras_tuner
from keras_tuner import errors
from keras_tuner.engine.trial import Trial

from kt_hpo.training.results import Result


class ChiefError(errors.FatalError):
    """Ends a worker of a chief: the search has failed, or the chief is gone."""


class SearchOverError(ChiefError):
    """Ends a worker of a chief in peace: the search has ended."""


class Setup(NamedTuple):
    """To a worker, first of all: where the payload lies, its GPU's memory, and Keras' settings."""

    begin: int
    size: int
    gpu_memory: int | None
    settings: dict[str, Any]


class Ready(NamedTuple):
    """From a worker: trials may come; its name, if it has one."""

    name: str | None = None


class Unfit(NamedTuple):
    """From a worker: it cannot begin."""

    traceback: str


class Ask(NamedTuple):
    """From a worker: an attribute, or with arguments a call, of an object of the search."""

    place: str
    name: str
    arguments: tuple[Any, ...] | None = None
    keywords: dict[str, Any] | None = None


class Answer(NamedTuple):
    """To a worker: the attribute, or what the call returned."""

    value: Any


class Method(NamedTuple):
    """To a worker: what it asked for is to be called."""


class Raised(NamedTuple):
    """To a worker: what it asked for raised an error."""

    error: Exception


class TrialTask(NamedTuple):
    """To a worker: a trial to run; all of it, or the training of a number."""

    trial: Trial
    training: int | None


class Ended(NamedTuple):
    """How a trial, or one of its trainings, ended, and what it gave.

    Attributes:
        status: A `TrialStatus`.
        message: The traceback of its error, if it failed.
        hyperparameters: Its values, with those that it met as it ran.
        results: What it gave; None if it returned nothing.
        out_of_memory: Whether it failed because memory ran out.
    """

    status: str
    message: str | None
    hyperparameters: keras_tuner.HyperParameters
    results: list[Result] | None = None
    out_of_memory: bool = False


class Fatal(NamedTuple):
    """From a worker: an error that every other trial would meet too."""

    error: Exception


def packed(message: Any) -> bytes:
    """Makes bytes of a message, classes of a notebook's cells included."""
    return cloudpickle.dumps(message)


def unpacked(content: bytes) -> Any:
    """Makes a message of bytes."""
    return pickle.loads(content)


def portable(error: Exception, where: str) -> Exception:
    """Makes an error one that can travel, its traceback noted in it.

    Args:
        error: The error.
        where: In which process it was raised.

    Returns:
        The same, or a RuntimeError of the same words where its class cannot be sent.

    Example:
        >>> portable(ValueError("wrong"), "a worker")
        ValueError('wrong')
    """
    note = f"In {where}:\n" + "".join(traceback.format_exception(error))
    try:
        unpacked(packed(error))
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(note)
    return error
