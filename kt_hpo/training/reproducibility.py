"""What makes a training repeatable: its seed, and operations without chance."""

from __future__ import annotations

import keras
import numpy as np
from keras_tuner.engine.trial import Trial


def seed_of(seed: int, trial: Trial, execution: int = 0, fold: int = 0) -> int:
    """Derives the seed of a training from its trial's number, independent of all others.

    Args:
        seed: The seed of the search.
        trial: The trial.
        execution: The execution, counted from 0.
        fold: The fold of the cross-validation, likewise.

    Returns:
        A number below 2**32.
    """
    place = [execution, fold] if fold else [execution]
    sequence = np.random.SeedSequence([seed, int(trial.trial_id), *place])
    return int(sequence.generate_state(1)[0])


def make_deterministic() -> None:
    """Has the backend compute with deterministic operations only, in all of this process.

    They may be slower, and an operation that has no deterministic form fails; see
    `tf.config.experimental.enable_op_determinism` and `torch.use_deterministic_algorithms`. JAX
    decides on this when it starts, by `XLA_FLAGS=--xla_gpu_deterministic_ops=true`; on the CPU it
    is deterministic in any case.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        # It asks for a seed: each training sets its own before it begins.
        tf.random.set_seed(0)
        tf.config.experimental.enable_op_determinism()
    elif backend == "torch":
        import torch

        torch.use_deterministic_algorithms(True)
