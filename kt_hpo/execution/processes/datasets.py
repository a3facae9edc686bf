"""Pipelines of `tf.data`, saved by the search's process and loaded by the workers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any


class SavedDatasets:
    """Pipelines in a folder.

    Args:
        folder: The folder; made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[int, tuple[Any, str]] = {}

    def add(self, dataset: Any) -> str:
        """Saves a pipeline's elements, once however often it is given.

        Args:
            dataset: A `tf.data.Dataset`.

        Returns:
            The path they are saved at.

        Raises:
            ValueError: If it never ends.
        """
        if id(dataset) not in self._known:
            if dataset.cardinality() < -1:
                raise ValueError(
                    "A tf.data pipeline that never ends cannot be saved for the workers. Give "
                    "search() a function that makes it, such as x=make_dataset: each worker calls "
                    "it for itself."
                )
            path = str(self._folder / str(len(self._known)))
            dataset.save(path)
            self._known[id(dataset)] = dataset, path
        return self._known[id(dataset)][1]


def load(path: str) -> Any:
    """Loads a pipeline.

    Args:
        path: Where it was saved.

    Returns:
        A `tf.data.Dataset` of the same elements.
    """
    import tensorflow as tf

    return tf.data.Dataset.load(path).prefetch(tf.data.AUTOTUNE)


def is_dataset(value: Any) -> bool:
    """Tells whether a value is a pipeline; whoever has one has TensorFlow imported."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(value, tensorflow.data.Dataset)
