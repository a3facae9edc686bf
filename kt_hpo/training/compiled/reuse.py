"""Programs of earlier trainings, for models that calculate the same.

A trial that goes on, a second training of one trial, values that change no more than the learning
rate: their models are equal, and tracing them again takes longer than an epoch of a small one.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from kt_hpo._private_apis.keras import build_state, forget_losses, learning_rate_of
from kt_hpo.training.build import build_optimizer
from kt_hpo.training.compiled.arguments import FitArguments, Samples
from kt_hpo.training.model_parts import CannotShareError, described, description

# How many are kept of trainings that others may continue, and of others.
_MOST, _FEW = 12, 1
# Numbers in the weights of all models that are kept: 128 MB.
_MOST_NUMBERS = 2**25
_open = threading.local()


@dataclass(frozen=True, eq=False)
class KeptProgram:
    """The programs of a training.

    Attributes:
        whole: Describes the model they are of, as it was when they were made.
        shapes: Of the weights of that model.
        train: The program that trains it.
        evaluate: The program that evaluates it, if there is one.
    """

    whole: Hashable
    shapes: list[tuple[int, ...]]
    train: Any
    evaluate: Any

    @property
    def numbers(self) -> int:
        """How many numbers its weights are."""
        return sum(map(math.prod, self.shapes))

    def is_for(self, whole: Hashable, fit: FitArguments) -> bool:
        """Tells whether the programs do what a training of a described model asks for."""
        return (
            self.whole == whole
            and self.train.suits(fit.train)
            and (not fit.validation or bool(self.evaluate and self.evaluate.suits(fit.validation)))
        )

    def over(self, fit: FitArguments) -> KeptProgram:
        """Gives the programs with the samples of a training."""
        validation = fit.validation
        evaluate = _over(self.evaluate, validation) if validation else self.evaluate
        return replace(self, train=_over(self.train, fit.train), evaluate=evaluate)


class KeptPrograms:
    """The latest programs, as many as take little memory."""

    def __init__(self) -> None:
        self._kept: deque[KeptProgram] = deque()
        self._most = _FEW

    def find(self, model: keras.Model, fit: FitArguments) -> KeptProgram | None:
        """Finds programs for a model.

        Args:
            model: A model. Where there may be some, the variables of its optimizer and its metrics
                are made.
            fit: What is asked for.

        Returns:
            Programs whose model calculates the same, with these samples; they are the latest then.
            None if there are none, or some part of the model is not Keras' own.
        """
        if not model.built:
            return None
        like = [kept for kept in self._kept if kept.shapes == _shapes(model)]
        if not like:
            return None
        try:
            _complete(model, fit)
            whole = _whole(model)
            found = next((kept for kept in like if kept.is_for(whole, fit)), None)
            over = found and found.over(fit)
        except Exception:  # Whatever a user's object raises when it is looked at.
            return None
        if found and over:
            self._kept.remove(found)
            self._kept.append(over)
        return over

    def data_of(self, samples: Samples | None, part: str) -> Any:
        """Gives what the latest programs hold of some samples, so that it is held once.

        Args:
            samples: The samples.
            part: Which program has them, `"train"` or `"evaluate"`.

        Returns:
            Their arrays as the backend has them; None if those programs have others.
        """
        program = getattr(self._kept[-1], part) if self._kept else None
        if program is None or not _are_equal(program, samples):
            return None
        return program.data

    def add(self, model: keras.Model, train: Any, evaluate: Any, is_continued: bool) -> None:
        """Keeps the programs that were made of a model, if all of it is Keras' own.

        Args:
            model: The model.
            train: The program that trains it.
            evaluate: The program that evaluates it, if there is one.
            is_continued: Whether another training may continue this one.
        """
        try:
            whole = _whole(model)
        except Exception:  # As in `find`.
            return
        self._kept.append(KeptProgram(whole, _shapes(model), train, evaluate))
        if is_continued:
            self._most = _MOST
        while (
            len(self._kept) > self._most or sum(one.numbers for one in self._kept) > _MOST_NUMBERS
        ):
            self._kept.popleft()


@contextmanager
def kept_programs() -> Iterator[None]:
    """Keeps programs from one training of this thread to the next.

    Yields:
        Nothing, while they are kept.

    Example:
        >>> with kept_programs():
        ...     latest_programs() is latest_programs()
        True
        >>> latest_programs() is None
        True
    """
    before = latest_programs()
    _open.programs = before or KeptPrograms()
    try:
        yield
    finally:
        _open.programs = before


def latest_programs() -> KeptPrograms | None:
    """Gives the programs that this thread keeps.

    Returns:
        The programs; None outside of `kept_programs`.
    """
    return getattr(_open, "programs", None)


def _complete(model: keras.Model, fit: FitArguments) -> None:
    """Make the variables that a step has, as tracing one does."""
    build_optimizer(model)
    build_state(model, keras.tree.map_structure(lambda array: array[:1], fit.train.arrays))


def _whole(model: keras.Model) -> Hashable:
    """Describe a model, what it was compiled with, and its schedule.

    A constant learning rate is a variable, as a weight is. Losses that layers have added are of the
    call that added them.
    """
    if not forget_losses(model):
        raise CannotShareError("losses of an earlier call may count")
    rate = learning_rate_of(model.optimizer)
    schedule = None if isinstance(rate, keras.Variable) else described(rate)
    own = vars(model)
    of_training = {name: own.pop(name) for name in ("fit", "history") if name in own}
    try:
        return description(model), schedule
    finally:
        own.update(of_training)


def _shapes(model: keras.Model) -> list[tuple[int, ...]]:
    return [tuple(variable.shape) for variable in model.weights]


def _over(program: Any, samples: Samples) -> Any:
    """Return a program with samples, which are held once."""
    return program if _are_equal(program, samples) else program.over(samples)


def _are_equal(program: Any, samples: Samples | None) -> bool:
    """Tell whether a program is of the same numbers, in the same batches."""
    if program is None or samples is None:
        return program is samples
    own = program.samples
    if (own.count, own.batch_size, own.steps) != (samples.count, samples.batch_size, samples.steps):
        return False
    try:  # The array of a user may have changed since; what the program has of it has not.
        same = keras.tree.map_structure(_are_same, program.data, samples.arrays)
    except (TypeError, ValueError):  # Of another structure.
        return False
    return all(keras.tree.flatten(same))


def _are_same(one: Any, other: Any) -> bool:
    first, second = (np.ascontiguousarray(keras.ops.convert_to_numpy(x)) for x in (one, other))
    return (
        first.dtype == second.dtype
        and first.shape == second.shape
        and np.array_equal(first.view(np.uint8), second.view(np.uint8))
    )
