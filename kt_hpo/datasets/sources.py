"""A user's own data: arrays, a table in a CSV file, a folder of images."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np

from kt_hpo.arguments import is_one_of, is_whole
from kt_hpo.datasets import frames, tables
from kt_hpo.datasets.dataset import Splits, Task
from kt_hpo.datasets.splits import check_fractions, split

IMAGE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


def from_arrays(
    x: Any,
    y: Any,
    *,
    validation: float = 0.15,
    test: float = 0.15,
    seed: int = 0,
    normalize: bool = True,
    name: str = "arrays",
    class_names: Sequence[str] | None = None,
    task: Task | None = None,
) -> Splits:
    """Splits a user's own arrays.

    Args:
        x: Inputs, shape `(samples, ...)`, or a data frame (see `from_frame`). Images of unsigned
            integers are scaled to [0, 1]; floats of images are taken as they are.
        y: Targets, one a sample: floats are quantities (regression); integers, booleans and strings
            are classes.
        validation: Fraction of the samples for validation; 0 for none.
        test: Fraction of the samples for the test; 0 for none.
        seed: Same seed, same splits.
        normalize: Whether to standardize the columns of tables (`x` of two dimensions) and the
            features of sequences (floats of three) with the mean and standard deviation of the
            train split.
        name: Name of the data set.
        class_names: Names of the classes in the order of their labels.
        task: `"classification"` or `"regression"`, where the type of `y` misleads.

    Returns:
        The splits, classes in proportion in each.

    Raises:
        ValueError: If lengths differ, values are missing, fractions do not add up, or classes are
            too small to be split.

    Example:
        >>> x, y = np.arange(40.0).reshape(20, 2), ["no", "yes"] * 10
        >>> from_arrays(x, y, validation=0.2, test=0.2).train
        <Dataset 'arrays': 12 samples of shape (2,), classification, 2 classes>
    """
    options: dict[str, Any] = {
        "name": name,
        "validation": validation,
        "test": test,
        "seed": seed,
        "normalize": normalize,
        "task": task,
        "class_names": class_names,
    }
    if hasattr(x, "columns"):
        return frames.split_frame(x, _array("y", y), **options)
    return split(_array("x", x), _array("y", y), **options)


def from_frame(
    frame: Any,
    target: str | None = None,
    *,
    validation: float = 0.15,
    test: float = 0.15,
    seed: int = 0,
    normalize: bool = True,
    name: str = "table",
    class_names: Sequence[str] | None = None,
    task: Task | None = None,
) -> Splits:
    """Splits a data frame of numbers, booleans, dates, categories and texts.

    What each column becomes is learnt from the train split alone; see
    `kt_hpo.datasets.preprocessing.TablePreprocessing`, which is the splits' `preprocessing` and
    goes into the saved model. Missing values are allowed, in inputs. Columns that are empty,
    constant or an identifier are left out. What is found is warned of (`DataWarning`) and kept as
    `Dataset.findings`.

    Args:
        frame: A `pandas.DataFrame`.
        target: The column to predict; None takes the last. Rows without it are left out.
        validation: Fraction of the rows for validation; 0 for none.
        test: Fraction of the rows for the test; 0 for none.
        seed: Same seed, same splits.
        normalize: Whether to standardize numbers with the train split's mean and deviation.
        name: Name of the data set.
        class_names: Names of the classes in the order of their labels.
        task: `"classification"` or `"regression"`; None takes floats for quantities, and whole
            numbers of many different values.

    Returns:
        The splits.

    Raises:
        ValueError: If the target is not a column, a value is not of its column's kind (says where),
            or the splits cannot be made.

    Example:
        >>> import pandas
        >>> pets = {"size": [1, 2] * 10, "home": ["yard", "sofa"] * 10, "pet": ["dog", "cat"] * 10}
        >>> train = from_frame(pandas.DataFrame(pets), validation=0, test=0).train
        >>> train.input_shape, train.class_names  # size, home_sofa, home_yard
        ((3,), ('cat', 'dog'))
    """
    check_fractions(validation, test)
    return frames.split_table(
        frame,
        target,
        source="The table",
        name=name,
        validation=validation,
        test=test,
        seed=seed,
        normalize=normalize,
        task=task,
        class_names=class_names,
    )


def from_csv(
    path: str | Path,
    target: str | None = None,
    *,
    validation: float = 0.15,
    test: float = 0.15,
    seed: int = 0,
    normalize: bool = True,
    name: str | None = None,
    class_names: Sequence[str] | None = None,
    task: Task | None = None,
) -> Splits:
    """Splits a table in a file; see `from_frame` for what becomes of its columns.

    Args:
        path: A CSV file with a header, its separator, quotes and encoding as they may be; or a
            Parquet file (`.parquet`, with pyarrow installed).
        target: The column to predict; None takes the last. Rows without it are left out.
        validation: Fraction of the rows for validation; 0 for none.
        test: Fraction of the rows for the test; 0 for none.
        seed: Same seed, same splits.
        normalize: Whether to standardize numbers with the train split's mean and deviation.
        name: Name of the data set; None takes the file's.
        class_names: Names of the classes in the order of their labels.
        task: `"classification"` or `"regression"`; None takes floats for quantities, and whole
            numbers of many different values.

    Returns:
        The splits.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file cannot be read, the target is not a column, a value is not of its
            column's kind (says in which line), or the splits cannot be made.

    Example:
        >>> import pandas, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "pets.csv"
        >>> pets = {"size": [1, 2] * 10, "home": ["yard", "sofa"] * 10, "pet": ["dog", "cat"] * 10}
        >>> pandas.DataFrame(pets).to_csv(path, index=False)
        >>> from_csv(path, "pet").train.input_shape  # size, home_sofa, home_yard
        (3,)
    """
    check_fractions(validation, test)
    return frames.split_table(
        tables.read_table(path),
        target,
        source=str(path),
        name=name or Path(path).stem,
        validation=validation,
        test=test,
        seed=seed,
        normalize=normalize,
        task=task,
        class_names=class_names,
    )


def from_images(
    folder: str | Path,
    image_size: tuple[int, int] | None = None,
    *,
    color_mode: Literal["rgb", "grayscale", "rgba"] = "rgb",
    validation: float = 0.15,
    test: float = 0.15,
    seed: int = 0,
    name: str | None = None,
) -> Splits:
    """Splits a folder that has a subfolder of images for each class.

    Args:
        folder: For example `pets`, with `pets/cat/1.png` and `pets/dog/1.png` in it.
        image_size: Height and width in pixels to resize to; None needs images of one size.
        color_mode: `"rgb"`, `"grayscale"` or `"rgba"`: 3, 1 or 4 channels.
        validation: Fraction of the images for validation; 0 for none.
        test: Fraction of the images for the test; 0 for none.
        seed: Same seed, same splits.
        name: Name of the data set; None takes the folder's.

    Returns:
        The splits, the classes in the order of the subfolders' names.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If it has no images in subfolders, one cannot be read, or sizes differ.

    Example:
        >>> import pathlib, tempfile
        >>> from PIL import Image
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> for pet in ("cat", "dog"):
        ...     (folder / pet).mkdir()
        ...     for number in range(10):
        ...         Image.new("RGB", (6, 6)).save(folder / pet / f"{number}.png")
        >>> from_images(folder, image_size=(4, 4)).train.input_shape
        (4, 4, 3)
    """
    check_fractions(validation, test)
    _check_images(image_size, color_mode)
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    by_class = {
        entry.name: files
        for entry in sorted(folder.iterdir())
        if entry.is_dir() and entry.name[0] != "." and (files := _image_files(entry))
    }
    if not by_class:
        raise ValueError(
            f"{folder} has no images in subfolders: put those of each class into a folder of its "
            f"own, as {'*' + ', *'.join(IMAGE_SUFFIXES)} files."
        )
    return from_arrays(
        _read_images([*chain(*by_class.values())], image_size, color_mode),
        [label for label, files in by_class.items() for _ in files],
        validation=validation,
        test=test,
        seed=seed,
        name=name or folder.resolve().name,
        class_names=list(by_class),
    )


def _array(name: str, values: Any) -> np.ndarray:
    """An array of what a user gives as one."""
    try:
        array = np.asarray(values)
    except Exception as error:  # Lists of unlike lengths; whatever an object's `__array__` raises.
        raise ValueError(
            f"{name}, a {type(values).__name__}, cannot be made an array: {error}. Give a NumPy "
            "array, a data frame or lists of one length."
        ) from error
    if array.ndim == 0:
        raise ValueError(f"{name}={values!r} is not allowed; give an array, a row for each sample.")
    return array


def _check_images(image_size: Any, color_mode: Any) -> None:
    if not is_one_of(color_mode, ("rgb", "grayscale", "rgba")):
        raise ValueError(f"color_mode={color_mode!r} is not one of rgb, grayscale, rgba.")
    if image_size is None:
        return
    sizes = list(image_size) if isinstance(image_size, tuple | list) else []
    if len(sizes) != 2 or not all(is_whole(size) and size > 0 for size in sizes):
        raise ValueError(
            f"image_size={image_size!r} is not allowed; give height and width in pixels, such as "
            "(64, 64)."
        )


def _image_files(folder: Path) -> list[Path]:
    """Lists the images of a class, at any depth, in the order of their paths."""
    found = (file for file in folder.rglob("*") if file.suffix.lower() in IMAGE_SUFFIXES)
    return sorted(file for file in found if file.name[0] != ".")


def _read_images(
    files: Sequence[Path], image_size: tuple[int, int] | None, color_mode: str
) -> np.ndarray:
    """Reads images of one size, or resized to it."""
    import keras

    images = []
    for file in files:
        try:
            image = keras.utils.load_img(file, color_mode=color_mode, target_size=image_size)
        except Exception as error:  # Pillow raises of many kinds on damaged files.
            raise ValueError(
                f"{file} cannot be read as an image: {error}. Replace it, or take it away."
            ) from error
        images.append(keras.utils.img_to_array(image, data_format="channels_last", dtype="uint8"))
    sizes = sorted({image.shape[:2] for image in images})
    if len(sizes) > 1:
        raise ValueError(
            f"The images have {len(sizes)} sizes, {sizes[0]} and {sizes[-1]} among them: "
            "give the height and width to resize to, for example image_size=(64, 64)."
        )
    return np.stack(images)
