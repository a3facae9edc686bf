"""Arrays that processes share without copies: pages of one file that has no name.

A file without a name is gone when the last process that uses it is, however that ends.
"""

from __future__ import annotations

import math
import mmap
import os
import tempfile
from typing import Any, NamedTuple

import numpy as np

# TensorFlow takes memory as it is only from addresses that are multiples of this.
_ALIGNMENT = 64
# Bytes from which on an array is shared, not sent.
LEAST = 1 << 16


class ArrayLocation(NamedTuple):
    """Where an array lies in the file."""

    offset: int
    dtype: np.dtype
    shape: tuple[int, ...]


class SharedArray(np.ndarray):
    """An array in shared memory, of which TensorFlow makes a tensor without a copy.

    Writing to it is possible and changes it in the one process that writes.
    """

    def __array_wrap__(
        self, array: np.ndarray, context: Any = None, return_scalar: bool = False
    ) -> Any:
        """What is computed of it is an ordinary array."""
        plain = np.asarray(array)
        return plain[()] if plain.ndim == 0 else plain

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        """A tensor of the same memory, where TensorFlow can take it as it is."""
        import tensorflow as tf

        plain = np.asarray(self)
        if self._can_be_lent():
            tensor = tf.experimental.dlpack.from_dlpack(plain.__dlpack__())
            return tensor if dtype in (None, tensor.dtype) else tf.cast(tensor, dtype)
        return tf.convert_to_tensor(plain, dtype, name=name)

    def _can_be_lent(self) -> bool:
        owner: Any = self
        while isinstance(owner, np.ndarray):
            owner = owner.base
        shared = isinstance(owner, memoryview)
        numeric = self.dtype.kind in "iuf" and self.dtype.isnative
        aligned = self.ctypes.data % _ALIGNMENT == 0 and self.flags.c_contiguous
        return shared and numeric and aligned and self.size > 0


class SharedFile:
    """The file: the search's process writes to it, workers map it.

    Example:
        >>> file = SharedFile()
        >>> place = file.add(np.arange(3.0))
        >>> Pages(file.fileno()).array(place)
        SharedArray([0., 1., 2.])
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._places: dict[int, tuple[np.ndarray, ArrayLocation]] = {}

    def fileno(self) -> int:
        """The file descriptor."""
        return self._file.fileno()

    def add(self, array: np.ndarray) -> ArrayLocation:
        """Writes an array, once however often it is given.

        Args:
            array: An array of anything but Python objects.

        Returns:
            Where it lies.

        Raises:
            OSError: If there is no room for it.
        """
        if id(array) not in self._places:
            offset = self._aligned()
            try:
                array.tofile(self._file)
                self._file.flush()
            except OSError as error:
                raise OSError(
                    error.errno,
                    f"{array.nbytes / 1e6:,.0f} MB of data for the workers do not fit in "
                    f"{tempfile.gettempdir()} ({error}). Make room, or name another folder in the "
                    "environment variable TMPDIR",
                ) from error
            # The array is kept, so that no other gets its id.
            self._places[id(array)] = array, ArrayLocation(offset, array.dtype, array.shape)
        return self._places[id(array)][1]

    def write(self, content: bytes) -> tuple[int, int]:
        """Writes bytes.

        Args:
            content: The bytes.

        Returns:
            Where they begin, and how many they are.
        """
        offset = self._aligned()
        self._file.write(content)
        self._file.flush()
        return offset, len(content)

    def close(self) -> None:
        """Gives the file up; workers that have mapped it keep it."""
        self._file.close()

    def _aligned(self) -> int:
        end = self._file.seek(0, os.SEEK_END)
        return self._file.seek(math.ceil(end / _ALIGNMENT) * _ALIGNMENT)


class Pages:
    """The file as a worker has it in its memory.

    Args:
        fileno: The file descriptor.
    """

    def __init__(self, fileno: int) -> None:
        protection = mmap.PROT_READ | mmap.PROT_WRITE
        self._pages = mmap.mmap(fileno, 0, flags=mmap.MAP_PRIVATE, prot=protection)

    def array(self, place: ArrayLocation) -> SharedArray:
        """Gives an array without reading it.

        Args:
            place: Where it lies.

        Returns:
            The array.
        """
        count = math.prod(place.shape)
        flat = np.frombuffer(self._pages, place.dtype, count, place.offset)
        return flat.reshape(place.shape).view(SharedArray)

    def read(self, begin: int, size: int) -> bytes:
        """Reads bytes.

        Args:
            begin: Where they begin.
            size: How many they are.

        Returns:
            The bytes.
        """
        return self._pages[begin : begin + size]


def is_shared(value: Any) -> bool:
    """Tells whether a value is an array to be shared, not sent."""
    ordinary = type(value) in (np.ndarray, np.memmap, SharedArray)
    return ordinary and value.nbytes >= LEAST and not value.dtype.hasobject
