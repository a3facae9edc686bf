"""Reads tables of learning curves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.curves.plans import PLANS
from benchmarks.spaces import Space


@dataclass(frozen=True)
class Table:
    """Learning curves of every configuration of a space.

    Attributes:
        space: The space; its rows are the tables'.
        error: Share of wrong answers in validation, or the mean absolute error of a regression, at
            most 1: `(seeds, configurations, epochs)`.
        loss: What is minimized, in validation, of the same shape.
        seconds: What an epoch of a configuration takes by itself, `(configurations,)`: seconds of
            the processor; those of digits_mlp, mnist5k_mlp, mnist5k_cnn, weather, pixels are
            of the clock.
    """

    space: Space
    error: np.ndarray
    loss: np.ndarray
    seconds: np.ndarray


def path_of(name: str) -> Path:
    """Where a table is kept."""
    return Path(__file__).parent / f"{name}.npz"


def there() -> list[str]:
    """The names of the tables that have been made."""
    return [name for name in PLANS if path_of(name).exists()]


def seeds(name: str) -> int:
    """Of how many seeds a table that is there is made."""
    with np.load(path_of(name)) as stored:
        return len(stored["loss"])


def read(name: str) -> Table:
    """Reads a table.

    Args:
        name: Its name, one of the plans'.

    Returns:
        The table.

    Raises:
        FileNotFoundError: If it has not been made yet.
    """
    if not path_of(name).exists():
        raise FileNotFoundError(f"The table {name!r} is not made yet: `make curves` makes it.")
    with np.load(path_of(name)) as stored:
        if "correct" in stored:
            error = 1 - stored["correct"] / stored["samples"]
        else:
            error = np.nan_to_num(stored["error"].astype("float64"), nan=1.0).clip(max=1.0)
        return Table(
            PLANS[name].space,
            error=error,
            loss=stored["loss"].astype("float64"),
            seconds=stored["seconds"].astype("float64"),
        )
