"""Data as a Python program has them: a name, a path, a frame, arrays, or splits."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import fill
from typing import Any

from kt_hpo.datasets.catalog import load
from kt_hpo.datasets.dataset import Dataset, Splits
from kt_hpo.datasets.findings import DataWarning
from kt_hpo.datasets.frames import split_frame
from kt_hpo.datasets.sources import from_arrays, from_frame
from kt_hpo.datasets.splits import split

_PARTS = {2: ("train", "test"), 3: ("train", "validation", "test")}
_FRACTION = 0.15


def given(
    data: Any,
    *,
    target: str | None = None,
    task: Any = None,
    image_size: tuple[int, int] | None = None,
    seed: int = 0,
) -> Splits:
    """Splits whatever a program has.

    Args:
        data: The name of a data set; the path of a table or of a folder; a `pandas.DataFrame` with
            `target`; or what `to_splits` takes.
        target: The column of a table to predict; its last if not given.
        task: `"classification"` or `"regression"`, where the type of the targets misleads.
        image_size: Height and width in pixels to resize images to.
        seed: Same seed, same splits.

    Returns:
        Train, validation and test data.

    Raises:
        ValueError: If they are something else, or cannot be split.
        FileNotFoundError: If a path leads nowhere.

    Example:
        >>> import pandas
        >>> pets = {"size": [1, 2] * 10, "pet": ["dog", "cat"] * 10}
        >>> [len(part) for part in given(pandas.DataFrame(pets), target="pet")]
        [14, 3, 3]
    """
    if isinstance(data, str | Path):
        return load(data, target=target, task=task, image_size=image_size, seed=seed)
    if image_size is not None:
        raise ValueError(f"image_size={image_size!r} is for folders of images: leave it out.")
    if hasattr(data, "columns"):
        return from_frame(data, target, task=task, seed=seed)
    if target is not None:
        raise ValueError(f"target={target!r} is the column of a table: leave it out for arrays.")
    return to_splits(data, "arrays", seed, task, said="data is")


@contextmanager
def findings_printed(verbose: int) -> Iterator[None]:
    """Prints what data show as plain lines instead of as warnings.

    Args:
        verbose: 0 prints nothing.

    Yields:
        Nothing, while data are loaded.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        yield
    for warning in caught:
        if not issubclass(warning.category, DataWarning):
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
        elif verbose:
            print(fill(str(warning.message), 100))


def to_splits(made: Any, name: str, seed: int, task: Any = None, said: str | None = None) -> Splits:
    """Splits arrays, alone or in pairs.

    Args:
        made: `kt_hpo.datasets.Splits`; arrays `(x, y)`; pairs of these to train and to test with,
            as the functions of `keras.datasets` return them; or three pairs, the second to validate
            with. What is missing is cut off the training data.
        name: Name of the data set.
        seed: Same seed, same splits.
        task: `"classification"` or `"regression"`, where the type of `y` misleads.
        said: How they were given, for the message of an error; by a function of the user's if not.

    Returns:
        Train, validation and test data.

    Raises:
        ValueError: If it is something else, or cannot be split.

    Example:
        >>> import numpy as np
        >>> pair = np.zeros((20, 2)), np.arange(20) % 2
        >>> [len(part) for part in to_splits((pair, pair), "zeros", seed=0)]
        [17, 3, 20]
    """
    if isinstance(made, tuple) and all(isinstance(part, Dataset) for part in made):
        if len(made) == 3:
            return Splits(*made)
    elif isinstance(made, tuple) and len(made) in _PARTS and all(map(_is_pair, made)):
        return _joined(made, name, seed, task)
    elif _is_pair(made):
        return from_arrays(*made, name=name, seed=seed, task=task)
    raise ValueError(
        f"{said or f'--data {name} returned'} {_kind(made)}; give arrays (x, y), pairs of them to "
        "train and to test with, three pairs to train, validate and test with, or "
        "kt_hpo.datasets.Splits. Search data of other kinds with a tuner."
    )


def _joined(pairs: Sequence[Any], name: str, seed: int, task: Any) -> Splits:
    """Parts that are given, as splits of one data set."""
    import numpy as np
    import pandas as pd

    ys = [np.asarray(y) for _, y in pairs]
    are_frames = all(hasattr(x, "columns") for x, _ in pairs)
    xs: list[Any] = [x if are_frames else np.asarray(x) for x, _ in pairs]
    ends = np.cumsum([len(y) for y in ys])
    rows = dict(zip(_PARTS[len(pairs)], np.split(np.arange(ends[-1]), ends[:-1]), strict=True))
    del rows["train"]
    cut: Any = split_frame if are_frames else split
    return cut(
        pd.concat(xs, ignore_index=True) if are_frames else np.concatenate(xs),
        np.concatenate([y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y for y in ys]),
        name=name,
        validation=_FRACTION,
        test=_FRACTION,
        seed=seed,
        normalize=True,
        task=task,
        fixed=rows,
    )


def _is_pair(made: Any) -> bool:
    return (
        isinstance(made, tuple) and len(made) == 2 and not any(isinstance(p, tuple) for p in made)
    )


def _kind(made: Any) -> str:
    if isinstance(made, tuple):
        return f"a tuple of {', '.join(_kind(part) for part in made) or 'nothing'}"
    return type(made).__name__
