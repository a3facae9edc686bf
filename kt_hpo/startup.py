"""TensorFlow's first steps: no notes of it or of tqdm, and no more of a GPU than is needed."""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from kt_hpo._private_apis.tensorflow import log_errors_only

# What TensorFlow writes to the process's stderr before anyone can set its log level.
_NOISE = re.compile(
    rb"^(WARNING: All log messages before absl"
    rb"|[IWE]0000 "
    rb"|To enable the following instructions"
    rb"|\twhen importing GraphDef"
    rb"|.*(oneDNN|cuda_dnn|cuda_fft|cuda_blas|cpu_feature_guard|computation_placer))"
)
# What it writes as an error where there is no GPU: no driver, or none that may be seen.
_NO_GPU = re.compile(
    rb"^(WARNING: All log messages before absl"
    rb"|.*failed call to cuInit.*(UNKNOWN ERROR \(303\)|CUDA_ERROR_NO_DEVICE))"
)
_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


@contextmanager
def quiet_tensorflow() -> Iterator[None]:
    """Keeps TensorFlow's start-up notes off the terminal; everything else still gets there.

    Yields:
        Nothing, while modules are imported.
    """
    os.environ.setdefault(_LEVEL, "2")
    with _without(_NOISE):
        yield


def tensorflow_gpus() -> list[Any]:
    """Has TensorFlow look for GPUs, and keeps its error back that this machine has none.

    Returns:
        TensorFlow's physical devices; none where Keras has another backend.

    Example:
        >>> gpus = tensorflow_gpus()
        >>> [gpu.device_type for gpu in gpus] == ["GPU"] * len(gpus)
        True
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return []
    import tensorflow as tf

    with _without(_NO_GPU):
        return tf.config.list_physical_devices("GPU")


def grow_memory() -> None:
    """Lets TensorFlow take GPU memory as it needs it, not all at once.

    Only before the first use of a GPU: of one in use the program's own setting stays.
    """
    if not (gpus := tensorflow_gpus()):
        return
    import tensorflow as tf

    for gpu in gpus:
        if tf.config.get_logical_device_configuration(gpu) is None:
            with suppress(RuntimeError):  # It is in use.
                tf.config.experimental.set_memory_growth(gpu, True)


def quiet_tqdm() -> None:
    """Imports tqdm in a notebook, as Optuna will, but without its advice to install widgets."""
    if "ipykernel" in sys.modules:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "IProgress not found")
            import tqdm.auto  # type: ignore[import-untyped]  # noqa: F401


def quiet_first_import() -> None:
    """Keeps TensorFlow's notes off the terminal when the program imports it later, with Keras say.

    What is said before `kt_hpo` is imported nobody can keep back. The level that the environment
    would have set is set then; one that the user has set stays.
    """
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _FirstImport())
    elif _LEVEL not in os.environ:
        log_errors_only()


class _FirstImport(MetaPathFinder):
    """Finds TensorFlow as it is found anyhow, and is gone once it has."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                with quiet_tensorflow():
                    execute(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


@contextmanager
def quiet_retracing() -> Iterator[None]:
    """Silences TensorFlow's advice not to trace a graph again: every trial has a new one.

    Yields:
        Nothing, while trials run.
    """
    logger = logging.getLogger("tensorflow")

    def is_other(record: logging.LogRecord) -> bool:
        return "tf.function retracing" not in record.getMessage()

    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)


@contextmanager
def _without(noise: re.Pattern[bytes]) -> Iterator[None]:
    """Keep what the process writes to stderr, and then write all lines but those."""
    if not _stderr_is_a_file():
        yield
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            held.seek(0)
            for line in held:
                if not noise.match(line):
                    os.write(2, line)


def _stderr_is_a_file() -> bool:
    """Whether file descriptor 2 is open; in some notebooks and services it is not."""
    try:
        os.fstat(2)
    except OSError:
        return False
    return sys.stderr is not None
