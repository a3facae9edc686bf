"""User code and all it refers to, as bytes for the workers.

Functions and classes of a script or of a notebook's cells travel by value. What belongs to the
search stays where it is, and large arrays and pipelines are shared.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import cloudpickle
import numpy as np

from kt_hpo.execution.processes.arrays import is_shared
from kt_hpo.execution.processes.datasets import is_dataset

STAYS, ARRAY, DATASET = "stays", "array", "dataset"


class ArrayStore(Protocol):
    """Takes arrays that are shared and not sent."""

    def add(self, array: np.ndarray) -> Any:
        """Takes one, and says where it lies."""


class DatasetStore(Protocol):
    """Takes pipelines that are shared and not sent."""

    def add(self, dataset: Any) -> Any:
        """Takes one, and says where it lies."""


class Packer:
    """Makes parcels.

    Args:
        stays: What is not to be sent, by the name it has for the workers.
        arrays: Takes the arrays.
        datasets: Takes the pipelines.
    """

    def __init__(
        self,
        stays: Mapping[str, Any],
        arrays: ArrayStore | None = None,
        datasets: DatasetStore | None = None,
    ) -> None:
        self._names = {id(thing): name for name, thing in stays.items()}
        self._arrays = arrays
        self._datasets = datasets

    def pack(self, thing: Any) -> bytes:
        """Makes bytes of something.

        Args:
            thing: Anything that can be pickled.

        Returns:
            The parcel.
        """
        content = io.BytesIO()
        pickler = _Pickler(content)
        pickler.token = self._token
        pickler.dump(thing)
        return content.getvalue()

    def find_obstacle(self, parts: Mapping[str, Any]) -> str | None:
        """Finds what cannot be packed.

        Args:
            parts: What may be the reason, by what it is called in messages.

        Returns:
            The name of the first, and the reason; None if each can be packed.
        """
        for name, part in parts.items():
            try:
                self.pack(part)
            except Exception as error:
                return f"{name} cannot be sent to the workers: {error}."
        return None

    def _token(self, thing: Any) -> tuple[str, Any] | None:
        if id(thing) in self._names:
            return STAYS, self._names[id(thing)]
        if self._arrays is not None and is_shared(thing):
            return ARRAY, self._arrays.add(thing)
        if self._datasets is not None and is_dataset(thing):
            return DATASET, self._datasets.add(thing)
        return None


class _Pickler(cloudpickle.Pickler):
    token: Callable[[Any], Any]

    def persistent_id(self, obj: Any) -> Any:
        return self.token(obj)


class Unpacker(pickle.Unpickler):
    """Opens a parcel.

    Args:
        content: The parcel.
        openers: What becomes of a thing that was not sent, by its kind.
    """

    def __init__(self, content: bytes, openers: Mapping[str, Callable[[Any], Any]]) -> None:
        super().__init__(io.BytesIO(content))
        self._openers = openers

    def persistent_load(self, pid: Any) -> Any:
        """Gives what stands for a thing that was not sent."""
        kind, what = pid
        return self._openers[kind](what)
