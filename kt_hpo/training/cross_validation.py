"""Which samples each training of a trial learns from, and which validate it.

All trials of a search have the same folds, drawn with the search's seed: what differs between two
trials on a fold are the trials, so that their comparison is a paired one.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

import keras
import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from kt_hpo.arguments import check_whole, is_whole

# A number of folds, a splitter of scikit-learn's, or a list of (train, validation) indices.
Splitter: TypeAlias = Any
Data: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]


class Fold(NamedTuple):
    """A part of the samples to train with, and another to validate with.

    Attributes:
        train: Indices of samples.
        validation: Indices of samples.
    """

    train: np.ndarray
    validation: np.ndarray


def check_splitter(splitter: Splitter) -> None:
    """Refuses what cannot split samples.

    Args:
        splitter: As `cross_validation` in `TrainingOptions`.

    Raises:
        ValueError: If it is no number of folds, splitter, or list of indices.

    Example:
        >>> check_splitter(5)
    """
    splits = callable(getattr(splitter, "split", None)) and not isinstance(splitter, str)
    if splitter is None or splits:
        return
    if is_whole(splitter):
        check_whole(2, cross_validation=splitter)
        return
    pairs = list(splitter) if isinstance(splitter, list | tuple) else []
    if not pairs or not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
        raise ValueError(
            f"cross_validation={splitter!r} is not allowed; give a number of folds from 2 on, a "
            "splitter of sklearn.model_selection such as GroupKFold(5) or TimeSeriesSplit(5), or a "
            "list of pairs (indices to train with, indices to validate with)."
        )


def make_folds(splitter: Splitter, x: Any, y: Any, groups: Any, seed: int) -> list[Fold]:
    """Splits samples into folds.

    Args:
        splitter: As `cross_validation` in `TrainingOptions`.
        x: The samples, an array or a tree of arrays.
        y: Their targets, likewise, or None.
        groups: The group of each sample, for the splitters that keep groups together.
        seed: What a splitter that shuffles is seeded with, if it has no `random_state`.

    Returns:
        The folds.

    Raises:
        ValueError: If the data are no arrays, or cannot be split this way.

    Example:
        >>> x, y = np.zeros((6, 2)), np.array([0, 1, 0, 1, 0, 1])
        >>> [len(fold.train) for fold in make_folds(3, x, y, None, seed=0)]
        [4, 4, 4]
        >>> from sklearn.model_selection import TimeSeriesSplit
        >>> make_folds(TimeSeriesSplit(2), x, y, None, seed=0)[0].validation
        array([2, 3])
    """
    count = _count(x)
    classes = classes_of(y)
    if is_whole(splitter):
        splitter = _shuffled(int(splitter), classes, seed)
    if not hasattr(splitter, "split"):
        return [Fold(np.asarray(train), np.asarray(held)) for train, held in splitter]
    if getattr(splitter, "random_state", 0) is None and getattr(splitter, "shuffle", True):
        splitter = copy.copy(splitter)
        splitter.random_state = seed
    targets = _first(y) if classes is None else classes
    return [Fold(*pair) for pair in splitter.split(np.zeros(count), targets, groups)]


def count_folds(splitter: Splitter, samples: int) -> int | None:
    """Counts the folds of a splitter.

    Args:
        splitter: As `cross_validation` in `TrainingOptions`, but not None.
        samples: How many samples it is to split.

    Returns:
        The number; None where the splitter does not say it before it splits.

    Example:
        >>> count_folds(5, 100), count_folds([(range(9), [9])], 10)
        (5, 1)
    """
    if is_whole(splitter):
        return int(splitter)
    if not hasattr(splitter, "split"):
        return len(splitter)
    try:
        return int(splitter.get_n_splits(np.zeros((samples, 1))))
    except (AttributeError, TypeError, ValueError):  # Of one's own, or by groups.
        return None


def classes_of(y: Any) -> np.ndarray | None:
    """Gives the class of each sample.

    Args:
        y: Targets: whole numbers, booleans or words, also one-hot.

    Returns:
        Array of shape `(samples,)`; None if these are no classes.

    Example:
        >>> classes_of(np.eye(3)), classes_of([0.5, 1.5])
        (array([0, 1, 2]), None)
    """
    if y is None or len(keras.tree.flatten(y)) != 1:
        y = np.asarray(y) if isinstance(y, list) else None
    values = None if y is None else np.asarray(_first(y))
    if values is None or values.ndim > 2:
        return None
    if values.ndim == 2 and values.shape[1] > 1:
        one_hot = np.isin(values, (0, 1)).all() and (values.sum(axis=1) == 1).all()
        return values.argmax(axis=1) if one_hot else None
    return None if values.dtype.kind == "f" else values.reshape(-1)


def select(data: Data, fold: Fold | None) -> Data:
    """Gives the arguments of `fit` for one fold.

    Args:
        data: Positional and keyword arguments of `search`.
        fold: The fold; None for all samples.

    Returns:
        The same arguments with the samples to train with, and `validation_data`; without `groups`.
    """
    args, kwargs = data
    kwargs = {name: value for name, value in kwargs.items() if name != "groups"}
    if fold is None:
        return args, kwargs
    x, y, weight = named_data(data)
    held = (rows(x, fold.validation), rows(y, fold.validation))
    kwargs["validation_data"] = held if weight is None else (*held, rows(weight, fold.validation))
    for name in ("x", "y", "sample_weight"):
        if name in kwargs:
            kwargs[name] = rows(kwargs[name], fold.train)
    return tuple(rows(values, fold.train) for values in args[:2]) + args[2:], kwargs


def named_data(data: Data) -> tuple[Any, Any, Any]:
    """Finds x, y and the sample weights in the arguments of `search`.

    Args:
        data: Positional and keyword arguments.

    Returns:
        x, y and the weights; None for what is not there.
    """
    args, kwargs = data
    x, y = (*args, None, None)[:2]
    return kwargs.get("x", x), kwargs.get("y", y), kwargs.get("sample_weight")


def rows(values: Any, indices: np.ndarray) -> Any:
    """Picks samples of arrays.

    Args:
        values: An array, a data frame, a tensor, a tree of these, or None.
        indices: Which samples.

    Returns:
        The same with these samples only.
    """

    def pick(leaf: Any) -> Any:
        if leaf is None:
            return None
        return leaf.iloc[indices] if hasattr(leaf, "iloc") else np.asarray(leaf)[indices]

    return keras.tree.map_structure(pick, values)


def check_data(splitter: Splitter, data: Data) -> None:
    """Refuses arguments of `search` that cannot be cross-validated.

    Args:
        splitter: As `cross_validation` in `TrainingOptions`.
        data: Positional and keyword arguments of `search`.

    Raises:
        ValueError: If there are validation data besides, the data are no arrays or cannot be split
            this way, or there are groups that nobody asks for.
    """
    kwargs = data[1]
    if splitter is None:
        if "groups" in kwargs:
            raise ValueError(
                "groups= says which samples a fold must not part. Give the tuner cross_validation="
                "GroupKFold(5), of sklearn.model_selection, or leave groups out."
            )
        return
    for name in ("validation_data", "validation_split"):
        if kwargs.get(name) is not None and not _is_zero(kwargs[name]):
            raise ValueError(
                f"{name}= cannot be used with cross_validation=, which validates on its own folds. "
                "Give search() all samples, and leave one of the two out."
            )
    x, y, _ = named_data(data)
    count = _count(x)
    try:
        folds = make_folds(splitter, x, y, kwargs.get("groups"), seed=0)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"cross_validation={splitter!r} cannot split these {count:,} samples: {error}"
        ) from error
    if any(fold.train.max() >= count or fold.validation.max() >= count for fold in folds):
        raise ValueError(f"cross_validation has indices beyond the {count:,} samples there are.")


def _is_zero(value: Any) -> bool:
    return isinstance(value, int | float) and value == 0


def _shuffled(folds: int, classes: np.ndarray | None, seed: int) -> KFold | StratifiedKFold:
    """Stratified folds where every class has a sample in each."""
    if classes is not None and np.unique(classes, return_counts=True)[1].min() >= folds:
        return StratifiedKFold(folds, shuffle=True, random_state=seed)
    return KFold(folds, shuffle=True, random_state=seed)


def _count(x: Any) -> int:
    leaves = [leaf for leaf in keras.tree.flatten(x) if leaf is not None]
    if not leaves or not all(hasattr(leaf, "__array__") for leaf in leaves):
        raise ValueError(
            f"cross_validation= needs the data as arrays, and x is a {type(x).__name__}. Give "
            "search() arrays, or validation data instead of cross-validation."
        )
    return len(leaves[0])


def _first(y: Any) -> Any:
    leaves: Sequence[Any] | Iterable[Any] = keras.tree.flatten(y)
    return next(iter(leaves), None)
