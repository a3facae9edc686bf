"""What is measured of a trained model, where an objective or a constraint asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import keras
import keras_tuner
import numpy as np
from keras_tuner.errors import FailedTrialError, FatalTypeError

from kt_hpo import objectives
from kt_hpo._private_apis.keras import inputs_of
from kt_hpo.constraints import Constraint
from kt_hpo.training.flops import count_flops

_WARM_UP = 3
_CALLS = 30
_SECONDS = 2.0


@dataclass(frozen=True)
class Trained:
    """A model, and how it came to be.

    Attributes:
        model: The model after its training.
        seconds: How long that took.
        x: The training data; for models that do not know the shape of their inputs.
        best_weights: The weights of the best epoch; None where they were not kept.
    """

    model: keras.Model
    seconds: float
    x: Any = None
    best_weights: list[np.ndarray] | None = None


def names_asked_for(
    objective: keras_tuner.Objective, constraints: Iterable[Constraint]
) -> list[str]:
    """Names all that objective and constraints are about, metrics included.

    Args:
        objective: What is optimized.
        constraints: What is to be kept.

    Returns:
        Each name once.
    """
    of_parts = [part.name for part in objectives.parts(objective)]
    return list(dict.fromkeys([*of_parts, *(n for one in constraints for n in one.needs)]))


def functions_of(objective: keras_tuner.Objective) -> list[objectives.Measure]:
    """Lists the user's functions among the objectives."""
    parts = objectives.parts(objective)
    return [part for part in parts if isinstance(part, objectives.Measure)]


def measure(
    trained: Trained, objective: keras_tuner.Objective, constraints: Iterable[Constraint] = ()
) -> dict[str, float]:
    """Measures what is asked for of a trained model.

    Args:
        trained: The model.
        objective: What is optimized.
        constraints: What is to be kept.

    Returns:
        Values by name; metrics, which the epochs' logs hold, are not among them.

    Raises:
        FailedTrialError: If something cannot be measured of this model.
        FatalTypeError: If a user's function returns no number.
    """
    functions = functions_of(objective)
    theirs = {part.name for part in functions}
    asked = [name for name in names_asked_for(objective, constraints) if name not in theirs]
    try:
        values = {name: float(_KNOWN[name](trained)) for name in asked if name in _KNOWN}
    except ValueError as error:
        raise FailedTrialError(str(error)) from error
    if functions:
        with _at_best_epoch(trained):
            values |= {part.name: _call(part, trained.model) for part in functions}
    return values


def count_parameters(model: keras.Model) -> int:
    """Counts the weights of a model; 0 while it is not built."""
    return int(model.count_params()) if model.built else 0


def latency(model: keras.Model, batch_size: int = 1, x: Any = None) -> float:
    """Measures how long a prediction takes.

    The objective `"latency"` is this at a batch size of 1: what a single request waits for. Another
    batch size is `kt_hpo.Measure(lambda model: latency(model, 64), name="latency")`.

    Args:
        model: The model; its own compiled `predict_on_batch` is timed.
        batch_size: Samples in a call.
        x: Data to take samples from, an array, a tree of arrays or a `tf.data.Dataset`, for a model
            that does not know the shape of its inputs.

    Returns:
        Milliseconds a sample: the median of 30 calls, or as many as 2 seconds allow, after 3 that
        warm up.

    Raises:
        ValueError: If there are neither shapes nor data to make inputs of.

    Example:
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        >>> latency(model, batch_size=8) > 0
        True
    """
    inputs = _inputs(model, batch_size, x)
    for _ in range(_WARM_UP):
        model.predict_on_batch(inputs)
    seconds: list[float] = []
    while len(seconds) < _CALLS and sum(seconds) < _SECONDS:
        started = time.perf_counter()
        model.predict_on_batch(inputs)
        seconds.append(time.perf_counter() - started)
    return 1000 * median(seconds) / batch_size


_KNOWN: dict[str, Callable[[Trained], float]] = {
    "latency": lambda trained: latency(trained.model, x=trained.x),
    "parameters": lambda trained: count_parameters(trained.model),
    "flops": lambda trained: count_flops(trained.model),
    "training_seconds": lambda trained: trained.seconds,
}


def _inputs(model: keras.Model, count: int, x: Any) -> Any:
    """Zeros in the shapes of a model's inputs, or samples of the data where it has none."""
    specs = inputs_of(model)
    if specs is not None and not any(None in spec.shape[1:] for spec in keras.tree.flatten(specs)):
        return keras.tree.map_structure(
            lambda spec: np.zeros((count, *spec.shape[1:]), spec.dtype), specs
        )
    if hasattr(x, "cardinality"):
        batch = next(iter(x.take(1)))
        x = batch[0] if isinstance(batch, tuple) else batch
    arrays = keras.tree.flatten(x)
    if not all(hasattr(array, "shape") for array in arrays):
        raise ValueError(
            f"The latency of {model.name!r} cannot be measured: it does not know the shape of its "
            "inputs, and the data are no arrays or tf.data.Dataset. Give it a keras.Input."
        )
    return keras.tree.map_structure(
        lambda array: np.resize(np.asarray(array[:count]), (count, *array.shape[1:])), x
    )


@contextmanager
def _at_best_epoch(trained: Trained) -> Iterator[None]:
    """Gives the model the weights of its best epoch meanwhile."""
    if trained.best_weights is None:
        yield
        return
    latest = trained.model.get_weights()
    trained.model.set_weights(trained.best_weights)
    try:
        yield
    finally:
        trained.model.set_weights(latest)


def _call(part: objectives.Measure, model: keras.Model) -> float:
    value = part.function(model)
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise FatalTypeError(
            f"The objective {part.name} returned {value!r} of type {type(value).__name__}; a "
            "function of the model must return a number."
        ) from error
