"""The one way in to data sets: a name, a table's path or a folder's."""

from __future__ import annotations

from pathlib import Path

from kt_hpo.datasets import named
from kt_hpo.datasets.dataset import Splits, Task
from kt_hpo.datasets.findings import tell
from kt_hpo.datasets.folders import from_folder
from kt_hpo.datasets.sources import from_csv
from kt_hpo.datasets.splits import check_fractions
from kt_hpo.datasets.tables import SUFFIXES


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
            of a table (`.csv`, `.tsv`, `.parquet`); or the path of a folder with a subfolder of
            images or texts for each class. A folder that is called as a data set is written with a
            slash, `"./mnist"`.
        validation: Fraction of the samples for validation; 0 for none. Official splits come first.
        test: Fraction of the samples for the test; 0 for none. Official splits come first.
        seed: Same seed, same splits.
        data_dir: Where TFDS keeps its files; None for its own folder.
        normalize: Whether to standardize tables with the train split's mean and deviation.
        target: For a table: the column to predict; None takes the last.
        image_size: Height and width in pixels to resize images to; needed where those of a named
            data set differ.
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
    path = Path(name)
    if path.suffix.lower() in SUFFIXES:
        _refuse("a table", image_size=image_size)
        return from_csv(
            name,
            target,
            validation=validation,
            test=test,
            seed=seed,
            normalize=normalize,
            task=task,
        )
    if path.is_file():
        raise ValueError(
            f"{name} is no {', '.join(SUFFIXES)} file. Save a table as one of these; images and "
            "texts are a folder, with a subfolder for each class."
        )
    if _is_folder(name):
        _refuse("a folder of images or texts", target=target, task=task)
        return from_folder(name, image_size, validation=validation, test=test, seed=seed)
    _refuse("a named data set", target=target)
    return named.from_name(
        str(name),
        validation=validation,
        test=test,
        seed=seed,
        data_dir=data_dir,
        normalize=normalize,
        image_size=image_size,
        task=task,
    )


def _is_folder(name: str | Path) -> bool:
    """Whether a folder is meant, rather than a data set by its name."""
    if isinstance(name, Path) or "/" in name or "\\" in name:
        return isinstance(name, Path) or Path(name).is_dir()
    if not Path(name).is_dir():
        return False
    if not named.may_exist(name):
        return True
    tell(
        [
            f"{name!r} is the name of a data set and of a folder here: the data set is taken. "
            f"For the folder, write './{name}'."
        ]
    )
    return False


def _refuse(source: str, **arguments: object) -> None:
    """Refuses arguments that mean nothing for this source, rather than ignore them."""
    for key, value in arguments.items():
        if value is not None:
            raise ValueError(f"{key}={value!r} means nothing for {source}: leave it out.")
