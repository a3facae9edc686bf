"""The one way in to data sets: a name, a table's path or a folder's."""

from __future__ import annotations

from pathlib import Path

from kt_hpo.datasets.dataset import Splits, Task
from kt_hpo.datasets.named import from_name
from kt_hpo.datasets.sources import from_csv, from_images
from kt_hpo.datasets.splits import check_fractions


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
        name: One of `OFFLINE`; any name of TFDS with supervised keys, such as `"mnist"`; the path
            of a `.csv` file; or the path of a folder with a subfolder of images for each class (a
            `Path`, or written with a slash: `"./pets"`).
        validation: Fraction of the samples for validation; 0 for none. Official splits come first.
        test: Fraction of the samples for the test; 0 for none. Official splits come first.
        seed: Same seed, same splits.
        data_dir: Where TFDS keeps its files; None for its own folder.
        normalize: Whether to standardize tables with the train split's mean and deviation.
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
    if str(name).endswith(".csv"):
        _refuse("a .csv file", image_size=image_size)
        return from_csv(
            name,
            target,
            validation=validation,
            test=test,
            seed=seed,
            normalize=normalize,
            task=task,
        )
    # A name alone is never a folder: `mnist` means the same wherever it is run.
    if isinstance(name, Path) or ("/" in name and Path(name).is_dir()):
        _refuse("a folder of images", target=target, task=task)
        return from_images(name, image_size, validation=validation, test=test, seed=seed)
    _refuse("a named data set", target=target)
    return from_name(
        name,
        validation=validation,
        test=test,
        seed=seed,
        data_dir=data_dir,
        normalize=normalize,
        image_size=image_size,
        task=task,
    )


def _refuse(source: str, **arguments: object) -> None:
    """Refuses arguments that mean nothing for this source, rather than ignore them."""
    for key, value in arguments.items():
        if value is not None:
            raise ValueError(f"{key}={value!r} means nothing for {source}: leave it out.")
