"""What TensorFlow keeps to itself."""

from __future__ import annotations

import ctypes
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_LOCK = threading.Lock()
# The threads that convert now.
_converting: list[int] = []


def log_errors_only() -> bool:
    """Does what `TF_CPP_MIN_LOG_LEVEL=2` does, which comes too late once TensorFlow is imported.

    The logger is Abseil's, in TensorFlow's own library; the namespace within its name is in the
    header that comes with it.

    Returns:
        Whether it is done: not where TensorFlow is built in another way.

    Example:
        >>> log_errors_only() in (True, False)
        True
    """
    try:
        import tensorflow as tf

        header = Path(tf.sysconfig.get_include(), "absl", "base", "options.h").read_text()
        (space,) = re.findall(r"^#define ABSL_OPTION_INLINE_NAMESPACE_NAME (\w+)", header, re.M)
        library = min(Path(tf.sysconfig.get_lib()).glob("libtensorflow_framework.*"))
        name = f"_ZN4absl{len(space)}{space}14SetMinLogLevelENS0_18LogSeverityAtLeastE"
        getattr(ctypes.CDLL(str(library)), name)(2)
    except (ImportError, AttributeError, OSError, ValueError):
        return False
    return True


def gradient_registry() -> dict[str, Any]:
    """Gives the table in which TensorFlow keeps the gradients of all graphs.

    Returns:
        The table; an empty one without the name of today: graphs stay in memory then.

    Example:
        >>> isinstance(gradient_registry(), dict)
        True
    """
    try:
        from tensorflow.python.framework import ops

        return ops.gradient_registry._registry
    except (ImportError, AttributeError):
        return {}


@contextmanager
def in_sequence() -> Iterator[None]:
    """Has this thread trace and call functions whose kernels run in it, one after the other.

    TensorFlow otherwise hands each kernel to a pool of threads, which takes longer than a small one
    does. Without the name of today it does so here, too.

    Yields:
        Nothing, while there is no pool.

    Example:
        >>> import tensorflow as tf
        >>> with in_sequence():
        ...     int(tf.function(lambda: tf.constant(1) + 1)())
        2
    """
    try:
        from tensorflow.python.eager import context

        choose = context.function_executor_type
    except (ImportError, AttributeError):
        yield
        return
    with choose("SINGLE_THREADED_EXECUTOR"):
        yield


@contextmanager
def converting_bitcasts() -> Iterator[None]:
    """Teaches `tf.vectorized_map` the bitcast in Keras' argmax, which accuracies are made of.

    Without the name of today, and where TensorFlow knows it, all stays as it is: a model whose
    operations do not convert trains in a loop.

    Yields:
        Nothing, while it knows the bitcast.
    """
    try:
        import tensorflow as tf
        from tensorflow.python.ops.parallel_for import pfor

        known, wrap = pfor._pfor_converter_registry, pfor.wrap
    except (ImportError, AttributeError):
        yield
        return
    with _LOCK:
        is_ours = bool(_converting) or "Bitcast" not in known
        if is_ours:
            _converting.append(threading.get_ident())
            known["Bitcast"] = lambda op: wrap(
                tf.bitcast(op.stacked_input(0), op.get_attr("type")), True
            )
    try:
        yield
    finally:
        with _LOCK:
            if is_ours:
                _converting.pop()
                if not _converting:
                    del known["Bitcast"]
