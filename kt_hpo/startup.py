"""Keeps TensorFlow and tqdm from printing notes about themselves."""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

# What TensorFlow writes to the process's stderr before anyone can set its log level.
_NOISE = re.compile(
    rb"^(WARNING: All log messages before absl"
    rb"|[IWE]0000 "
    rb"|To enable the following instructions"
    rb"|\twhen importing GraphDef"
    rb"|.*(oneDNN|cuda_dnn|cuda_fft|cuda_blas|cpu_feature_guard|computation_placer))"
)


@contextmanager
def quiet_tensorflow() -> Iterator[None]:
    """Keeps TensorFlow's start-up notes off the terminal; everything else still gets there.

    Yields:
        Nothing, while modules are imported.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
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
                if not _NOISE.match(line):
                    os.write(2, line)


def quiet_tqdm() -> None:
    """Imports tqdm in a notebook, as Optuna will, but without its advice to install widgets."""
    if "ipykernel" in sys.modules:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "IProgress not found")
            import tqdm.auto  # type: ignore[import-untyped]  # noqa: F401


def quiet_first_import() -> None:
    """Keeps TensorFlow's notes off the terminal when the program imports it later, with Keras say.

    What is said before `kt_hpo` is imported nobody can keep back.
    """
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _FirstImport())


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


def _stderr_is_a_file() -> bool:
    """Whether file descriptor 2 is open; in some notebooks and services it is not."""
    try:
        os.fstat(2)
    except OSError:
        return False
    return sys.stderr is not None
