"""Models in and out of a stack: an array a variable, a row a trial."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from kt_hpo.training import checkpoints
from kt_hpo.training.vectorized.learner import Values, optimizer_state, weights

Row = list[np.ndarray]


def write(model: keras.Model, row: Row, rate: float | None, path: Path) -> None:
    """Saves a row as the checkpoint of an ordinary model.

    Args:
        model: A model of the trial's architecture; it gets the row's weights.
        row: The row.
        rate: The trial's learning rate; None where a schedule gives it.
        path: Where to.
    """
    model.optimizer.build(model.trainable_variables)
    variables = [*weights(model), *optimizer_state(model.optimizer)]
    for variable, value in zip(variables, row, strict=True):
        variable.assign(value)
    if rate is not None:
        model.optimizer.learning_rate = rate
    checkpoints.save(model, path)


def numbers(variables: Sequence[Any]) -> Row:
    """The values of variables as arrays."""
    return [ops.convert_to_numpy(variable.value) for variable in variables]


def stacked(rows: Sequence[Row]) -> Values:
    """Puts rows on top of each other.

    Args:
        rows: At least one row.

    Returns:
        A tensor a variable.
    """
    return [ops.convert_to_tensor(np.stack(column)) for column in zip(*rows, strict=True)]


def unstacked(stack: Values) -> list[Row]:
    """Takes all rows out of a stack.

    Args:
        stack: A tensor a variable.

    Returns:
        The rows.
    """
    columns = [ops.convert_to_numpy(column) for column in stack]
    return [list(row) for row in zip(*columns, strict=True)]


def chosen(stack: Values, places: Sequence[int]) -> Values:
    """Makes a stack of some rows of another.

    Args:
        stack: A tensor a variable.
        places: Which rows.

    Returns:
        The new stack.
    """
    return [ops.take(column, np.asarray(places, "int32"), axis=0) for column in stack]


def as_long(stack: Values, other: Values) -> Values:
    """Gives a stack as many rows as another has.

    Args:
        stack: A tensor a variable.
        other: The other, of at least as many rows.

    Returns:
        The stack; rows that are new are its first.
    """
    rows = np.arange(len(other[0]))
    rows[len(stack[0]) :] = 0
    return stack if len(rows) == len(stack[0]) else chosen(stack, list(rows))


def renewed(stack: Values, other: Values, replaced: np.ndarray) -> Values:
    """Replaces some rows of a stack.

    Args:
        stack: A tensor a variable.
        other: The new rows, likewise.
        replaced: Whether each is replaced.

    Returns:
        The new stack.
    """
    return [
        ops.where(replaced.reshape(-1, *[1] * (len(old.shape) - 1)), new, old)
        for old, new in zip(stack, other, strict=True)
    ]
