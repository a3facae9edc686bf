"""New rows to predict from, in files of the kinds that searches read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from kt_hpo.datasets.folders import TEXT_SUFFIXES, read_images, read_texts
from kt_hpo.datasets.tables import SUFFIXES, decode, read_table
from kt_hpo.trained_model import TrainedModel


class NewRows(NamedTuple):
    """Raw rows of a file.

    Attributes:
        raw: What `TrainedModel.predict` takes.
        files: The file of each row, where each is one; else empty.
        remarks: What the user should know of them, a sentence each.
    """

    raw: Any
    files: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def read_rows(path: str | Path, trained: TrainedModel) -> NewRows:
    """Reads rows as a model takes them.

    Args:
        path: A table (`.csv`, `.tsv`, `.parquet`), an array (`.npy`), an image or a folder of
            images, a text or a folder of texts: of the kind that the model was trained on. A `.txt`
            file for the text column of a table has a text in each line.
        trained: The model.

    Returns:
        The rows.

    Raises:
        FileNotFoundError: If there is nothing there.
        ValueError: If it is of another kind, or cannot be read.
    """
    path, kind = Path(path), trained.preprocessing.kind
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {path}.")
    suffix = path.suffix.lower()
    if suffix == ".npy" and kind in ("array", "none", "image"):
        return NewRows(_array(path))
    if kind == "image" and suffix not in SUFFIXES:
        return _images(path, trained)
    if kind == "text" and suffix not in SUFFIXES:
        return _texts(path, trained)
    if path.is_dir() or suffix not in SUFFIXES:
        raise ValueError(
            f"{path} is not what the model of {trained.path} takes: give {_allowed(kind)}."
        )
    return _table(path, trained)


def _allowed(kind: str) -> str:
    table = f"a table ({', '.join(SUFFIXES)})"
    return {
        "image": "an image, a folder of images, or an array (.npy)",
        "text": f"{table}, a text or a folder of texts",
        "table": table,
    }.get(kind, f"an array (.npy), or {table} of numbers")


def _table(path: Path, trained: TrainedModel) -> NewRows:
    frame = read_table(path, trained.preprocessing.text_columns)
    if not trained.columns:
        return _numbers(path, frame, trained)
    unused = trained.unused_columns(frame)
    words = f"Not looked at in {path}: {', '.join(map(repr, unused))}."
    return NewRows(frame, remarks=(words,) if unused else ())


def _numbers(path: Path, frame: pd.DataFrame, trained: TrainedModel) -> NewRows:
    """The columns of a table in their order, for a model of arrays."""
    try:
        return NewRows(trained.as_array(frame).astype(np.float64))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} holds what is no number: {error}.") from error


def _array(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"{path} cannot be read as an array: {error}.") from error


def _images(path: Path, trained: TrainedModel) -> NewRows:
    shape = trained.description["preprocessing"]["shape"]
    images, files, resized = read_images(path, shape)
    words = f"{resized} of {len(files)} images had another size and are resized to {shape[:2]}."
    return NewRows(images, tuple(map(str, files)), (words,) if resized else ())


def _texts(path: Path, trained: TrainedModel) -> NewRows:
    if trained.columns and path.is_file() and path.suffix.lower() in TEXT_SUFFIXES:
        lines = [line for line in decode(path)[0].splitlines() if line.strip()]
        return NewRows(pd.DataFrame({trained.columns[0]: lines}))
    texts, files = read_texts(path)
    raw = pd.DataFrame({trained.columns[0]: texts}) if trained.columns else texts
    return NewRows(raw, tuple(map(str, files)))
