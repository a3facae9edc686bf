"""A user's own data: arrays, data frames, tables in files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kt_hpo.datasets import frames, tables
from kt_hpo.datasets.dataset import Splits, Task
from kt_hpo.datasets.preprocessing import TextPreprocessing
from kt_hpo.datasets.splits import check_fractions, split


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
        x: Inputs, shape `(samples, ...)`; a data frame (see `from_frame`); or a text a sample,
            which become sequences of token ids. Images of unsigned integers are scaled to [0, 1];
            floats of images are taken as they are.
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
    inputs = _array("x", x)
    is_text = inputs.ndim == 1 and len(inputs) and all(isinstance(one, str) for one in inputs)
    learn = TextPreprocessing.learn if is_text else None
    return split(
        inputs.astype(object) if is_text else inputs, _array("y", y), learn=learn, **options
    )


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

    What each column becomes is learned from the train split alone; see
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
