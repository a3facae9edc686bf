"""Data in Ray's object store: written once, and read on every node without copies."""

from __future__ import annotations

import io
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import ray

from kt_hpo.execution.processes import datasets
from kt_hpo.execution.processes.datasets import SavedDatasets


class ObjectStore:
    """Takes arrays; in place of `kt_hpo.execution.processes.arrays.SharedFile`.

    Attributes:
        references: What Ray calls them, in the order they came.
    """

    def __init__(self) -> None:
        self.references: list[Any] = []
        self._known: dict[int, tuple[np.ndarray, int]] = {}

    def add(self, array: np.ndarray) -> int:
        """Puts an array into the store, once however often it is given.

        Args:
            array: The array.

        Returns:
            Its place among the references.
        """
        if id(array) not in self._known:
            # The array is kept, so that no other gets its id.
            self._known[id(array)] = array, len(self.references)
            self.references.append(ray.put(np.asarray(array)))
        return self._known[id(array)][1]


class StoredDatasets:
    """Takes pipelines of `tf.data`; in place of `kt_hpo.execution.processes.datasets`.

    Args:
        store: The object store.
        folder: Where they are saved on their way.
    """

    def __init__(self, store: ObjectStore, folder: Path) -> None:
        self._store = store
        self._saved = SavedDatasets(folder)
        self._known: dict[str, int] = {}

    def add(self, dataset: Any) -> int:
        """Puts a pipeline's elements into the store, once however often it is given.

        Args:
            dataset: A `tf.data.Dataset`.

        Returns:
            Its place among the references.

        Raises:
            ValueError: If it never ends.
        """
        path = self._saved.add(dataset)
        if path not in self._known:
            content = io.BytesIO()
            with tarfile.open(fileobj=content, mode="w") as archive:
                archive.add(path, arcname=".")
            self._known[path] = self._store.add(np.frombuffer(content.getbuffer(), np.uint8))
        return self._known[path]


class ObjectReader:
    """The data as a worker has them.

    Args:
        references: Those of the object store.
    """

    def __init__(self, references: list[Any]) -> None:
        self._references = references

    def array(self, place: int) -> np.ndarray:
        """Gives an array without a copy; it cannot be written to.

        Args:
            place: Its place among the references.

        Returns:
            The array.
        """
        return ray.get(self._references[place])

    def dataset(self, place: int) -> Any:
        """Gives a pipeline.

        Args:
            place: Its place among the references.

        Returns:
            A `tf.data.Dataset` of the same elements.
        """
        folder = tempfile.mkdtemp()
        with tarfile.open(fileobj=io.BytesIO(self.array(place).tobytes())) as archive:
            archive.extractall(folder, filter="data")
        return datasets.load(folder)
