"""`--data`: a data set by name, a file, a folder, or what a function of the user's returns."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from textwrap import fill
from typing import TYPE_CHECKING, Any

from kt_hpo.cli.settings import Settings
from kt_hpo.cli.targets import load_target
from kt_hpo.cli.values import is_target

if TYPE_CHECKING:
    from kt_hpo.datasets import Splits

_PARTS = {2: ("train", "test"), 3: ("train", "validation", "test")}
_FRACTION = 0.15


def load_data(settings: Settings) -> Splits:
    """Loads the data of a search, and prints what they show (unless `verbose` is 0).

    Args:
        settings: The settings of the search.

    Returns:
        Train, validation and test data.

    Raises:
        ValueError: If there are none of that name, or they cannot be split.
        FileNotFoundError: If a path leads nowhere.
    """
    with _findings_printed(settings.get("verbose", 1)):
        return _load(settings)


def _load(settings: Settings) -> Splits:
    from kt_hpo import datasets

    data, seed, task = settings["data"], settings["seed"], settings.get("task")
    names = ("target", "task", "image_size")
    how = {name: settings[name] for name in names if name in settings}
    if "image_size" in how:
        how["image_size"] = tuple(how["image_size"])
    if not is_target(data):
        return datasets.load(data, seed=seed, **how)
    for name in ("target", "image_size"):
        if name in how:
            raise ValueError(f"{name}={how[name]!r} means nothing for {data}: leave it out.")
    load = load_target(data, "--data")
    if not callable(load):
        raise ValueError(f"--data {data} is no function; name one that returns the data.")
    takes_seed = "seed" in inspect.signature(load).parameters
    return to_splits(load(seed=seed) if takes_seed else load(), data, seed, task)


@contextmanager
def _findings_printed(verbose: int) -> Iterator[None]:
    """Prints findings as plain lines instead of as warnings."""
    from kt_hpo.datasets import DataWarning

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


def to_splits(made: Any, name: str, seed: int, task: Any = None) -> Splits:
    """Splits what a function of the user's has returned.

    Args:
        made: `kt_hpo.datasets.Splits`; arrays `(x, y)`; pairs of these to train and to test with,
            as the functions of `keras.datasets` return them; or three pairs, the second to validate
            with. What is missing is cut off the training data.
        name: Name of the data set.
        seed: Same seed, same splits.
        task: `"classification"` or `"regression"`, where the type of `y` misleads.

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
    from kt_hpo import datasets

    if isinstance(made, tuple) and all(isinstance(part, datasets.Dataset) for part in made):
        if len(made) == 3:
            return datasets.Splits(*made)
    elif isinstance(made, tuple) and len(made) in _PARTS and all(map(_is_pair, made)):
        return _joined(made, name, seed, task)
    elif _is_pair(made):
        return datasets.from_arrays(*made, name=name, seed=seed, task=task)
    raise ValueError(
        f"--data {name} returned {_kind(made)}; it must return arrays (x, y), pairs of them to "
        "train and to test with, three pairs to train, validate and test with, or "
        "kt_hpo.datasets.Splits. Search data of other kinds from Python."
    )


def _joined(pairs: Sequence[Any], name: str, seed: int, task: Any) -> Splits:
    """Parts that are given, as splits of one data set."""
    import numpy as np
    import pandas as pd

    from kt_hpo.datasets.frames import split_frame
    from kt_hpo.datasets.splits import split

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
