"""Data sets by name, through TFDS: offline ones at once, others where they are or can be fetched."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Any

from kt_hpo.datasets.dataset import Splits, Task
from kt_hpo.datasets.optional import require
from kt_hpo.datasets.sources import from_csv, from_images
from kt_hpo.datasets.splits import check_fractions

OFFLINE = ("digits", "mnist5k", "breast_cancer", "wine", "diabetes")


def load(
    name: str | Path,
    *,
    validation: float = 0.15,
    test: float = 0.15,
    seed: int = 0,
    data_dir: str | Path | None = None,
    normalize: bool = True,
    target: str | None = None,
    image_size: tuple[int, int] | None = None,
    task: Task | None = None,
) -> Splits:
    """Loads a data set into memory as train, validation and test splits.

    Args:
        name: One of `OFFLINE`; any name of TFDS with supervised keys, such as `"fashion_mnist"`; the
            path of a `.csv` file; or the path of a folder with a subfolder of images for each class
            (a `Path`, or written with a slash: `"./pets"`).
        validation: Fraction of the samples for validation; 0 for none. Official splits come first.
        test: Fraction of the samples for the test; 0 for none. Official splits come first.
        seed: Same seed, same splits.
        data_dir: Where TFDS keeps its files; None for its own folder.
        normalize: Whether to standardise tables with the train split's mean and deviation.
        target: For a `.csv` file: the column to predict; None takes the last.
        image_size: Height and width in pixels to resize images to; needed where sizes differ.
        task: `"classification"` or `"regression"`, where the type of the targets misleads.

    Returns:
        The splits.

    Raises:
        ValueError: If the name is unknown (suggests the nearest) or its data cannot be split.
        ConnectionError: If the data set has to be downloaded and no server answers.
        FileNotFoundError: If a path leads nowhere.
        ImportError: If `kt-hpo[datasets]` is not installed.

    Example:
        >>> load("wine").train
        <Dataset 'wine': 124 samples of shape (13,), classification, 3 classes>
    """
    check_fractions(validation, test)
    given: dict[str, Any] = {"target": target, "image_size": image_size, "task": task}
    split = {"validation": validation, "test": test, "seed": seed}
    if str(name).endswith(".csv"):
        _refuse("a .csv file", image_size=image_size)
        return from_csv(name, target, normalize=normalize, task=task, **split)
    if isinstance(name, Path) or (os.sep in name and Path(name).is_dir()):
        _refuse("a folder of images", target=target, task=task)
        return from_images(name, image_size, **split)
    _refuse("a named data set", target=target)
    return None
