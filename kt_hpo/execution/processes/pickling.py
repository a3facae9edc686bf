"""User code and all it refers to, as bytes for the workers.

Functions and classes of a script or of a notebook's cells travel by value, and the text they were
written as goes with them: TensorFlow's AutoGraph reads it, and tracebacks show it. What belongs to
the search stays where it is, and large arrays and pipelines are shared.
"""

from __future__ import annotations

import io
import linecache
import marshal
import pickle
from collections.abc import Callable, Iterable, Mapping
from types import CodeType
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
    """Makes payloads.

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
            The payload.
        """
        content = io.BytesIO()
        pickler = _Pickler(content)
        pickler.token = self._token
        pickler.dump(thing)
        pickle.dump(_texts(pickler.files), content)
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

    def __init__(self, content: io.BytesIO) -> None:
        super().__init__(content)
        self.files: set[str] = set()

    def persistent_id(self, obj: Any) -> Any:
        return self.token(obj)

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, CodeType):
            try:
                code = marshal.dumps(obj)
            except ValueError:  # A tool has put into it what no compiler does.
                return NotImplemented
            # Otherwise it would be of a file called <dynamic-code>.
            self.files.add(obj.co_filename)
            return marshal.loads, (code,)
        return super().reducer_override(obj)


def _texts(files: Iterable[str]) -> dict[str, list[str]]:
    """The lines of files of code; a notebook's cells, too, are in the line cache by their names."""
    return {file: lines for file in sorted(files) if (lines := linecache.getlines(file))}


class Unpacker(pickle.Unpickler):
    """Opens a payload.

    Args:
        content: The payload.
        openers: What becomes of a thing that was not sent, by its kind.
    """

    def __init__(self, content: bytes, openers: Mapping[str, Callable[[Any], Any]]) -> None:
        self._content = io.BytesIO(content)
        super().__init__(self._content)
        self._openers = openers

    def load(self) -> Any:
        """Gives what was packed, and lets everyone read the text of the code in it."""
        thing = super().load()
        for file, lines in pickle.load(self._content).items():
            # Without a time it stays as it is, even if the user edits the file meanwhile.
            linecache.cache[file] = sum(map(len, lines)), None, lines, file
        return thing

    def persistent_load(self, pid: Any) -> Any:
        """Gives what stands for a thing that was not sent."""
        kind, what = pid
        return self._openers[kind](what)
