"""An epoch of a group as one program: training, batch by batch, then validation.

What differs between backends is behind `Backend`; `tensorflow.py` and `jax.py` implement it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import keras
import numpy as np
from keras import ops

from kt_hpo._private_apis.keras import config_of
from kt_hpo.training.library import is_library
from kt_hpo.training.model_parts import CannotShareError, described
from kt_hpo.training.vectorized.learner import Batch, Learner, Values


class Given(NamedTuple):
    """What an epoch gives to the trials; all but `common` have the trials as their first axis.

    NumPy arrays; in a program, tensors.

    Attributes:
        rates: Learning rates, `(trials, steps)`.
        seeds: States of the random layers' seed generators, `(trials, steps, generators, 2)`.
        common: One such state for all trials, `(steps, generators, 2)`.
        scalars: The trials' own, in the order of the learner's, each `(trials,)`; then, if any, the
            weights of their classes, `(trials, classes)`.
    """

    rates: Any
    seeds: Any
    common: Any
    scalars: Values


class Sizes(NamedTuple):
    """How many samples a step takes.

    Attributes:
        batch: In training.
        validation: In validation.
    """

    batch: int
    validation: int


Logs = dict[str, Any]

TRACING = threading.RLock()
"""Held while a model is traced, which changes it for that time: one thread at a time."""


class Run(Protocol):
    """A program: an epoch of all trials of a group."""

    def prepare(
        self, state: Values, given: Given, train: Batch, validation: Batch | None, order: Any
    ) -> None:
        """Does what the first call would do before it runs, in whatever thread.

        Args:
            state: As in a call; so are all others.
            given: What the epoch gives to the trials.
            train: The samples to train with.
            validation: The samples to validate with, if any.
            order: The order of the samples.
        """

    def __call__(
        self, state: Values, given: Given, train: Batch, validation: Batch | None, order: Any
    ) -> tuple[Values, Logs, Logs]:
        """Runs an epoch.

        Args:
            state: Weights and optimizers of the trials, or of as many places.
            given: What the epoch gives to the trials.
            train: The samples to train with.
            validation: The samples to validate with, if any.
            order: The order of the samples.

        Returns:
            The state, and the metrics of training and validation. Each may have more rows than
            there are trials: those of empty places, behind the others.
        """


class Backend(Protocol):
    """The few things that TensorFlow and JAX do differently.

    Attributes:
        groups_at_once: How many groups train at a time at most.
    """

    groups_at_once: int

    def twin(self, optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
        """Makes an optimizer like another that changes no variable outside of a scope.

        Args:
            optimizer: The other. Its learning rate is left out.

        Returns:
            The optimizer, not built.
        """

    def each(self, function: Callable[[Any], Any], numbers: np.ndarray) -> np.ndarray:
        """Traces a function, as a training would, and applies it to numbers one by one.

        Args:
            function: The function, such as a learning-rate schedule.
            numbers: Numbers of steps.

        Returns:
            A float for each.
        """

    def compile(self, learner: Learner, sizes: Sizes) -> Run:
        """Makes the program of a model.

        Args:
            learner: The model.
            sizes: The sizes of its batches.

        Returns:
            The program.
        """


def with_rate(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """Copies an optimizer, a number in the place of its schedule, if it has one.

    Args:
        optimizer: The optimizer.

    Returns:
        The copy, not built.

    Raises:
        CannotShareError: If the copy is another, its config not telling all of the optimizer.
    """
    kind = type(optimizer)
    if is_library(kind):
        made = kind.from_config({**config_of(optimizer), "learning_rate": 1.0})
        if described(made) == described(optimizer):
            return made
    raise CannotShareError(f"the config of {kind.__name__} does not tell all of it")


def take(data: Batch, rows: Any) -> Batch:
    """Takes samples out of arrays.

    Args:
        data: All samples.
        rows: Their indices, or a slice of them.

    Returns:
        The samples.
    """

    def taken(array: Any) -> Any:
        if array is None:
            return None
        return array[rows] if isinstance(rows, slice) else ops.take(array, rows, axis=0)

    return keras.tree.map_structure(taken, data)


def places(trials: int) -> int:
    """Says how many places a stack has for a number of trials: a power of two, from 8 on.

    So that a program is compiled for few sizes.

    Args:
        trials: How many trials there are.

    Returns:
        The number of places.
    """
    return max(8, 1 << (trials - 1).bit_length())


def padded(state: Values, given: Given, number: int) -> tuple[Values, Given]:
    """Fills the places of a stack that no trial has with the first trial, time and again.

    Args:
        state: The state of the trials, or of as many places already.
        given: What they are given.
        number: How many places there are.

    Returns:
        Both, for as many trials as there are places.
    """
    trials = len(given.rates)
    rows = np.arange(number)
    rows[trials:] = 0
    if number > trials:
        given = given._replace(
            rates=given.rates[rows],
            seeds=given.seeds[rows],
            scalars=[scalar[rows] for scalar in given.scalars],
        )
    if len(state[0]) != number:
        state = [ops.take(column, rows, axis=0) for column in state]
    return state, given


def count(data: Batch) -> int:
    """Counts samples.

    Args:
        data: The samples.

    Returns:
        How many there are.
    """
    return int(keras.tree.flatten(data.x)[0].shape[0])
