"""From arrays to splits: stratified, seeded, and scaled by what the train split alone shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np

from kt_hpo.datasets import labels, preprocessing
from kt_hpo.datasets.dataset import Dataset, Splits, Task
from kt_hpo.datasets.findings import tell

# Fewer samples than these may be alike by chance.
_FEWEST_WINDOWS = 10
_WINDOWS = (
    "The samples are windows of one series that overlap: trials are compared on the latest of the "
    "windows to train on, and not on random ones, whose steps the model would know."
)


def check_fractions(validation: float, test: float) -> None:
    """Refuses fractions that cannot be split off, before anything is read.

    Args:
        validation: Fraction of the samples for validation.
        test: Fraction of the samples for the test.

    Raises:
        ValueError: If one is not a number in [0, 1) or nothing would be left to train on.

    Example:
        >>> check_fractions(0.15, 0.0)
    """
    for name, value in (("validation", validation), ("test", test)):
        if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value < 1:
            raise ValueError(
                f"{name}={value!r} is not a fraction of the samples: give a number from 0 "
                "(no such split) up to, but not including, 1, for example 0.15."
            )
    if validation + test >= 1:
        raise ValueError(
            f"validation={validation} and test={test} leave nothing to train on: "
            "their sum must be below 1."
        )


def split(
    x: Any,
    y: np.ndarray,
    *,
    name: str,
    validation: float,
    test: float,
    seed: int,
    normalize: bool,
    task: Task | None = None,
    class_names: Sequence[str] | None = None,
    fixed: Mapping[str, np.ndarray] | None = None,
    learn: Callable[[Any], preprocessing.Preprocessing] | None = None,
    target: str | None = None,
    findings: Sequence[str] = (),
) -> Splits:
    """Splits raw samples and brings them into the form that models are trained on.

    Args:
        x: Raw inputs: an array, shape `(samples, ...)`, of any numeric type; with `learn` a data
            frame or texts too.
        y: Targets, shape `(samples,)`.
        name: Name of the data set.
        validation: Fraction of the samples for validation.
        test: Fraction of the samples for the test.
        seed: Same seed, same splits.
        normalize: Whether to standardize arrays (images are scaled always).
        task: The task, where the targets' type does not tell it.
        class_names: Names of the classes in the order of their labels.
        fixed: Rows of `"validation"` or `"test"` where the data set itself says which they are.
        learn: Gives the preprocessing that the train split's raw rows teach; None for arrays.
        target: Name of the target's column.
        findings: What the data show, for `Dataset.findings`.

    Returns:
        The three splits.

    Raises:
        ValueError: If the arrays, the fractions or the classes do not allow it. Says why.

    Example:
        >>> options = dict(name="toy", validation=0.2, test=0.2, seed=0, normalize=True)
        >>> parts = split(np.arange(20.0).reshape(10, 2), np.arange(10.0), **options)
        >>> [len(part) for part in parts]
        [6, 2, 2]
    """
    check_fractions(validation, test)
    _check_samples(x, y)
    if learn is None:
        _check_numbers(x)
        x = x[:, None] if x.ndim == 1 else x
    y, task, names = labels.encode(y, task, class_names)
    fractions, fixed = {"validation": validation, "test": test}, fixed or {}
    rest = np.setdiff1d(np.arange(len(y)), np.concatenate([np.empty(0, np.int64), *fixed.values()]))
    in_order = learn is None and _are_windows(x, rest)
    if in_order:
        findings = (*findings, _WINDOWS)
        tell([_WINDOWS])
    rows = _partition(y, names, fractions, fixed, rest, None if in_order else seed)
    train = _take(x, rows["train"])
    learned = learn(train) if learn else _learn_of_array(train, normalize)
    whole = Dataset(
        train[:0],
        y[:0],
        name,
        task,
        names,
        preprocessing=learned,
        target_scale=_scale(y[rows["train"]]) if task == "regression" else None,
        target=target,
        findings=tuple(findings),
    )
    return Splits(
        **{
            key: replace(whole, x=learned.transform(_take(x, part)), y=y[part])
            for key, part in rows.items()
        }
    )


def _are_windows(x: np.ndarray, rows: np.ndarray) -> bool:
    """Whether samples are windows of one series, each of which goes on where the one before was."""
    if x.ndim != 3 or len(rows) < _FEWEST_WINDOWS:
        return False
    first, second, *_ = x[rows[:2]]
    for by in range(1, x.shape[1] // 2 + 1):
        if (first[by:] == second[:-by]).all():
            rest = x[rows]
            return bool((rest[:-1, by:] == rest[1:, :-by]).all() and (first != second).any())
    return False


def _take(x: Any, rows: np.ndarray) -> Any:
    """Rows of an array or a data frame."""
    return x.iloc[rows] if hasattr(x, "iloc") else x[rows]


def _learn_of_array(train: np.ndarray, normalize: bool) -> preprocessing.Preprocessing:
    """Learns how to prepare numbers: pixels are unsigned integers in images."""
    shape = train.shape[1:]
    if train.ndim > 2 and train.dtype in (np.uint8, np.uint16):
        return preprocessing.ImagePreprocessing(shape, str(train.dtype))
    # Floats in [0, 1] are scaled already, as pixels divided by 255 are.
    is_sequences = (
        train.ndim == 3 and train.dtype.kind == "f" and (train.min() < 0 or train.max() > 1)
    )
    if normalize and (train.ndim == 2 or is_sequences):
        return preprocessing.ArrayPreprocessing.learn(train)
    return preprocessing.NoPreprocessing(shape)


def _scale(y: np.ndarray) -> tuple[float, float] | None:
    """Mean and standard deviation of single targets; 1 for a constant."""
    if y.size != len(y):
        return None
    std = float(y.std(dtype=np.float64))
    return float(y.mean(dtype=np.float64)), std or 1.0


def _check_samples(x: Any, y: np.ndarray) -> None:
    """Refuses samples that are none, of unequal lengths, or without a target."""
    if x.ndim == 0 or y.ndim == 0 or x.size == 0 or y.size == 0:
        raise ValueError(f"There are no samples: x has shape {x.shape} and y has shape {y.shape}.")
    if len(x) != len(y):
        raise ValueError(
            f"x has {len(x)} samples and y has {len(y)}: give one target for each sample."
        )
    _check_complete("y", y)


def _check_numbers(x: np.ndarray) -> None:
    """Refuses arrays that are not numeric or not complete."""
    if x.dtype.kind not in "biuf":
        raise ValueError(f"x of type {x.dtype} is not numeric: encode it as numbers first.")
    _check_complete("x", x)


def _check_complete(name: str, values: np.ndarray) -> None:
    """Refuses missing and infinite values, saying how many and where."""
    if values.dtype.kind == "O":
        bad = np.array([value is None or value != value for value in values.ravel()])
    elif values.dtype.kind == "f":
        bad = ~np.isfinite(values)
    else:
        return
    if bad.any():
        where = np.flatnonzero(bad.reshape(len(values), -1).any(axis=1))
        raise ValueError(
            f"{name} has {int(bad.sum())} missing or infinite values in {len(where)} samples "
            f"(the first: {where[:5].tolist()}). Fill them in or leave those samples out."
        )


def _partition(
    y: np.ndarray,
    names: tuple[str, ...] | None,
    fractions: Mapping[str, float],
    fixed: Mapping[str, np.ndarray],
    rest: np.ndarray,
    seed: int | None,
) -> dict[str, np.ndarray]:
    """Draws the rows of each split that is not fixed, classes in proportion, in a random order.

    Without a seed they are not drawn: all stay in their order.
    """
    sizes = {
        key: max(1, round(fraction * len(rest))) if fraction else 0
        for key, fraction in fractions.items()
        if key not in fixed
    }
    sizes = {"train": len(rest) - sum(sizes.values()), **sizes}
    if sizes["train"] < 1:
        raise ValueError(f"{len(rest)} samples are too few for splits of these sizes: {sizes}.")
    if seed is None:
        ends = np.cumsum(list(sizes.values()))[:-1]
        return {**fixed, **dict(zip(sizes, np.split(rest, ends), strict=True))}
    strata = np.zeros(len(rest), np.int64) if names is None else y[rest]
    present, totals = np.unique(strata, return_counts=True)
    counts = _counts(totals, np.array(list(sizes.values())))
    if counts is None:
        raise _crowded(y[rest], names or (), sizes)
    random = np.random.default_rng(seed)
    pieces = [
        np.split(random.permutation(rest[strata == label]), np.cumsum(count)[:-1])
        for label, count in zip(present, counts, strict=True)
    ]
    drawn = {
        key: random.permutation(np.concatenate(piece))
        for key, piece in zip(sizes, zip(*pieces, strict=True), strict=True)
    }
    return {**fixed, **drawn}


def _counts(totals: np.ndarray, sizes: np.ndarray) -> np.ndarray | None:
    """Gives the samples of each class in each split, the train split first; None if none fit.

    Each is the proportional number rounded up or down such that all sums are exact: controlled
    rounding (Cox, 1987). Cutting off one split after another, as one has to with scikit-learn's
    `train_test_split`, rounds twice: classes are off by more than one sample then.
    """
    from scipy.optimize import linprog
    from scipy.sparse import identity, kron, vstack

    used = sizes[sizes > 0]
    if len(used) > 1 and (totals.min() < len(used) or used.min() < len(totals)):
        return None
    exact = np.outer(totals, sizes)
    low, high = exact // sizes.sum(), -(-exact // sizes.sum())
    low[:, 0] = np.maximum(low[:, 0], 1)
    cost = 1 - 2 * (exact / sizes.sum() - low)
    by_class = kron(identity(len(totals)), np.ones((1, len(sizes))))
    by_split = kron(np.ones((1, len(totals))), identity(len(sizes)))
    # A transportation problem: the corners, where the simplex method ends, are whole numbers.
    solution = linprog(
        cost.ravel(),
        A_eq=vstack([by_class, by_split]),
        b_eq=np.concatenate([totals, sizes]),
        bounds=np.stack([low.ravel(), high.ravel()], axis=1),
        method="highs-ds",
    )
    return np.rint(solution.x).astype(int).reshape(exact.shape) if solution.success else None


def _crowded(y: np.ndarray, names: tuple[str, ...], sizes: Mapping[str, int]) -> ValueError:
    """Says which classes do not fit into which splits, and what to do."""
    counts = np.bincount(y, minlength=len(names))
    rarest = [place for place in np.argsort(counts, kind="stable") if counts[place]][:3]
    rare = ", ".join(f"{names[place]!r} with {counts[place]}" for place in rarest)
    return ValueError(
        f"{np.count_nonzero(counts)} classes do not fit into splits of these sizes: {dict(sizes)} "
        f"(the rarest classes: {rare}). Every class needs a sample for each split, and every split "
        "room for each class: add samples, leave rare classes out, or change validation= or test= "
        '(0 for no such split). If the targets are quantities, pass task="regression".'
    )
