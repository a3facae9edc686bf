"""Targets: which task they are for, and classes as integers from 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kt_hpo.arguments import is_one_of
from kt_hpo.datasets.dataset import Task

TASKS: tuple[Task, ...] = ("classification", "regression")


def encode(
    y: np.ndarray, task: Task | None, class_names: Sequence[str] | None
) -> tuple[np.ndarray, Task, tuple[str, ...] | None]:
    """Brings targets into the form that models are trained on.

    Args:
        y: Targets, one a sample: booleans, integers, floats or strings.
        task: The task; None takes floats for regression and all else for classification.
        class_names: Names of the classes in the order of their labels, if known.

    Returns:
        The targets (int64 labels from 0, or float32), the task and the names of the classes (None
        for regression).

    Raises:
        ValueError: If the targets do not fit the task or the names.

    Example:
        >>> encode(np.array(["cat", "dog", "cat"]), None, None)
        (array([0, 1, 0]), 'classification', ('cat', 'dog'))
    """
    is_known = is_one_of(task, TASKS)
    if task is not None and not is_known:
        raise ValueError(f"task={task!r} is unknown: give one of {TASKS}, or leave it out.")
    if task is None:
        task = "regression" if y.dtype.kind == "f" and class_names is None else "classification"
    if task == "regression":
        return _quantities(y), task, None
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise ValueError(
            f"y has shape {y.shape}, but a classification needs one label a sample. "
            "From one-hot rows, pass y.argmax(axis=1)."
        )
    if y.dtype.kind == "S" or (y.dtype.kind == "O" and isinstance(y[0], bytes)):
        y = np.array([label.decode() for label in y])
    labels, names = _labels(y) if class_names is None else _named_labels(y, tuple(class_names))
    if len(names) < 2:
        raise ValueError(f"y holds one class only ({names[0]!r}): there is nothing to learn.")
    return labels, task, names


def _quantities(y: np.ndarray) -> np.ndarray:
    """Gives numeric targets as float32."""
    if y.dtype.kind not in "biuf":
        raise ValueError(f"y of type {y.dtype} is no quantity: a regression needs numbers.")
    return y.astype(np.float32)


def _labels(y: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Numbers the values that occur, in their sorted order."""
    try:
        values, labels = np.unique(y, return_inverse=True)
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in y})
        raise ValueError(f"y mixes labels of types {kinds}: give all of them one type.") from error
    return labels.astype(np.int64), tuple(str(value) for value in values)


def _named_labels(y: np.ndarray, names: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Numbers labels by the place of their name; integers are such places already."""
    if y.dtype.kind in "biu":
        unknown = [str(label) for label in np.setdiff1d(y, np.arange(len(names)))]
        labels = y
    else:
        places = {name: place for place, name in enumerate(names)}
        unknown = sorted({str(label) for label in y} - set(places))
        labels = np.array([places.get(str(label), -1) for label in y])
    if unknown:
        raise ValueError(
            f"y holds labels without a class name: {unknown[:5]}. class_names={list(names)} must "
            f"name every class; integer labels go from 0 to {len(names) - 1}."
        )
    return labels.astype(np.int64), names
