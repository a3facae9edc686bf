"""Which of the backends compiles programs."""

from __future__ import annotations

import keras

from kt_hpo.training.vectorized.program import Backend


def backend() -> Backend:
    """The one that Keras runs on.

    Returns:
        The backend, imported now.

    Raises:
        NotImplementedError: If there is none for Keras' backend.
    """
    name = keras.backend.backend()
    if name == "tensorflow":
        from kt_hpo.training.vectorized.tensorflow import TensorFlow

        return TensorFlow()
    if name == "jax":
        from kt_hpo.training.vectorized.jax import Jax

        return Jax()
    raise NotImplementedError(f"there is no vectorized training on Keras' backend {name!r}")
