"""Arrays in shared memory: like any others, and lent to TensorFlow only where that is safe."""

import numpy as np
import pytest
import tensorflow as tf

from kt_hpo.execution.processes.arrays import LEAST, Pages, SharedArray, SharedFile, is_shared


def shared(array):
    file = SharedFile()
    file.write(b"odd")
    place = file.add(array)
    assert file.add(array) == place
    return Pages(file.fileno()).array(place)


def address(tensor):
    return tensor._numpy().ctypes.data  # `numpy()` copies.


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype="float32").reshape(3, 4),
        np.arange(12).reshape(3, 4).T,
        np.arange(12)[::2],
        np.array(["a", "bc"]),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        np.arange(3, dtype=">i4"),
        np.array([1 + 2j]),
        np.array([True, False]),
    ],
    ids=str,
)
def test_any_array_comes_back_as_it_was(array):
    back = shared(array)
    np.testing.assert_array_equal(back, array)
    assert back.dtype == array.dtype and back.flags.writeable
    if array.dtype.names is None:
        np.testing.assert_array_equal(
            tf.convert_to_tensor(back).numpy().astype(str), array.astype(str)
        )


def test_a_tensor_takes_the_memory_where_that_is_safe():
    x = shared(np.ones((100, 32), "float32"))
    assert address(tf.convert_to_tensor(x)) == x.ctypes.data
    assert address(tf.convert_to_tensor(x[2:])) == x[2:].ctypes.data
    assert tf.convert_to_tensor(x, tf.float64).dtype == tf.float64
    # A step between the rows, an odd address, and memory of its own are copied.
    for part in (x[:, :16], x.ravel()[1:], x[np.arange(100)]):
        part[...] = 1
        tensor = tf.convert_to_tensor(part)
        part[...] = 7
        assert float(tf.reduce_max(tensor)) == 1


def test_what_is_computed_is_an_ordinary_array():
    x = shared(np.ones(4))
    assert type(x * 2) is np.ndarray and type(x > 0) is np.ndarray
    assert isinstance(x.sum(), np.float64) and isinstance(x[0], np.float64)
    assert type(x[1:]) is SharedArray


def test_only_large_arrays_are_shared():
    assert is_shared(np.zeros(LEAST, "int8"))
    assert not is_shared(np.zeros(10))
    assert not is_shared(np.array([None] * LEAST))
    assert not is_shared(np.ma.zeros(LEAST))
