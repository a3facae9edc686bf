"""What chief and workers say to each other.

The port is open to everybody who reaches it, so what goes over it is JSON. Of Keras Tuner's objects
it holds descriptions, from which the other side makes objects of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner import errors
from keras_tuner.engine.trial import Trial

from kt_hpo.space.hyperparameters import HyperParameter, HyperParameters

_KIND = "__kind__"


class ChiefError(errors.FatalError):
    """Ends a worker: the search has failed, or its chief is gone."""


class SearchOverError(ChiefError):
    """Ends a worker in peace: the search has stopped."""


class TrialLostError(errors.FailedTrialError):
    """The trial is not, or no longer, that of the worker that speaks of it."""


class NameTakenError(ValueError):
    """Another worker has the name of this one."""


# What may be raised over there by its name; all else arrives as a RuntimeError.
_RAISED: dict[str, type[Exception]] = {
    error.__name__: error
    for error in (
        ChiefError,
        SearchOverError,
        TrialLostError,
        NameTakenError,
        errors.FatalError,
        errors.FatalRuntimeError,
        errors.FatalTypeError,
        errors.FatalValueError,
    )
}


def packed(message: Any) -> bytes:
    """Makes bytes of a message.

    Args:
        message: Numbers, texts, lists and dicts; trials and hyperparameters among them.

    Returns:
        The bytes.

    Raises:
        TypeError: If it holds anything else.
    """
    return json.dumps(message, default=_described).encode()


def unpacked(content: bytes) -> Any:
    """Makes a message of bytes.

    Args:
        content: The bytes.

    Returns:
        The message.

    Raises:
        ValueError: If they are none of `packed`.

    Example:
        >>> hp = HyperParameters()
        >>> unpacked(packed({"rate": np.float32(0.5), "flag": hp.Choice("flag", [True, False])}))
        {'rate': 0.5, 'flag': True}
    """
    return json.loads(content, object_hook=_made)


def raised(error: Exception) -> dict[str, list[str]]:
    """Makes an answer of an error.

    Args:
        error: The error.

    Returns:
        The answer.
    """
    name, words = type(error).__name__, str(error)
    return {"error": [name, words if name in _RAISED else f"{name}: {words}"]}


def error_of(name: str, words: str) -> Exception:
    """Makes an error that was raised by the other side.

    Args:
        name: The name of its class.
        words: What it says.

    Returns:
        The error; a RuntimeError if its class is not one of those that are told apart.

    Example:
        >>> error_of("KeyError", "KeyError: 'units'")
        RuntimeError("KeyError: 'units'")
    """
    return _RAISED.get(name, RuntimeError)(words)


def _described(thing: Any) -> Any:
    match thing:
        case np.generic():
            return thing.item()
        case Trial():
            return {_KIND: "Trial", **thing.get_state(), "hyperparameters": thing.hyperparameters}
        case keras_tuner.HyperParameters():
            return {_KIND: "HyperParameters", **thing.get_config()}
        case HyperParameter():
            name = type(thing).__name__
            return {_KIND: "HyperParameter", "class_name": name, "config": thing.get_config()}
    raise TypeError(f"{thing!r} of type {type(thing).__name__} cannot be sent to another process.")


def _made(found: dict[str, Any]) -> Any:
    make = _MAKERS.get(found.get(_KIND, ""))
    return found if make is None else make(found)


def _trial(state: Mapping[str, Any]) -> Trial:
    trial = Trial(
        state["hyperparameters"],
        state["trial_id"],
        status=state["status"],
        message=state["message"],
    )
    trial.metrics = trial.metrics.from_config(state["metrics"])
    trial.score, trial.best_step = state["score"], state["best_step"]
    return trial


def _hyperparameter(entry: dict[str, Any]) -> HyperParameter:
    return HyperParameters.from_config({"space": [entry], "values": {}}).space[0]


_MAKERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "Trial": _trial,
    "HyperParameters": HyperParameters.from_config,
    "HyperParameter": _hyperparameter,
}
