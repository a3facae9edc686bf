"""What models compute in, and how their steps are compiled.

All of this may be a hyperparameter too: `kt_hpo.Training(build, precision=[...], ...)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from kt_hpo.arguments import did_you_mean, is_one_of

PRECISIONS = ("auto", "float32", "mixed_float16", "mixed_bfloat16")
MOST_STEPS = 32
# Tensor cores came with compute capability 7.0, Volta.
_TENSOR_CORES = (7, 0)


def check_precision(precision: str | None) -> None:
    """Refuses a precision that is not known.

    Args:
        precision: One of `PRECISIONS`, or None.

    Raises:
        ValueError: If it is something else.

    Example:
        >>> check_precision("mixed_bfloat16")
    """
    is_known = is_one_of(precision, PRECISIONS)
    if precision is not None and not is_known:
        raise ValueError(
            f"precision={precision!r} is not one of {', '.join(PRECISIONS)}."
            f"{did_you_mean(str(precision), PRECISIONS)}"
        )


def check_jit_compile(jit_compile: bool | str | None) -> None:
    """Refuses anything but True, False, `"auto"` and None.

    Args:
        jit_compile: What was given.

    Raises:
        ValueError: If it is something else.
    """
    if not (jit_compile is None or isinstance(jit_compile, bool) or str(jit_compile) == "auto"):
        raise ValueError(f'jit_compile={jit_compile!r} is not allowed; give True, False or "auto".')


@contextmanager
def using(precision: str | None) -> Iterator[None]:
    """Has models built with a precision; that of the program comes back.

    Args:
        precision: One of `PRECISIONS`; None for the program's.

    Yields:
        Nothing, while a model is built and compiled.

    Example:
        >>> with using("mixed_bfloat16"):
        ...     layer = keras.layers.Dense(1)
        >>> layer.compute_dtype, layer.variable_dtype, keras.config.dtype_policy().name
        ('bfloat16', 'float32', 'float32')
    """
    if precision is None:
        yield
        return
    programs = keras.config.dtype_policy()
    keras.config.set_dtype_policy(chosen(precision))
    try:
        yield
    finally:
        keras.config.set_dtype_policy(programs)


def chosen(precision: str) -> str:
    """Chooses a precision for `"auto"`.

    Args:
        precision: One of `PRECISIONS`.

    Returns:
        The same; for `"auto"` mixed_float16 where all GPUs have tensor cores, else float32.

    Example:
        >>> chosen("float32")
        'float32'
    """
    if precision != "auto":
        return precision
    return "mixed_float16" if _all_have_tensor_cores() else "float32"


def compile_steps(
    model: keras.Model, jit_compile: bool | str | None, steps_per_execution: int | str | None
) -> None:
    """Sets how the steps of a compiled model are compiled.

    Args:
        model: The model.
        jit_compile: As in `TrainingOptions`.
        steps_per_execution: Likewise.
    """
    if jit_compile is not None:
        # None is Keras' own choice, made as it is asked for.
        model.jit_compile = None if jit_compile == "auto" else jit_compile
    if steps_per_execution is not None:
        steps = MOST_STEPS if steps_per_execution == "auto" else steps_per_execution
        model.steps_per_execution = steps


def _all_have_tensor_cores() -> bool:
    if keras.backend.backend() != "tensorflow":
        return any(":gpu" in device or ":cuda" in device for device in _other_devices())
    import tensorflow as tf

    gpus: list[Any] = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    return bool(gpus) and all(
        one.get("compute_capability", (0, 0)) >= _TENSOR_CORES for one in details
    )


def _other_devices() -> list[str]:
    return [device.lower() for device in keras.distribution.list_devices()]
