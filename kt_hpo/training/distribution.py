"""Over which devices one trial is spread.

Keras on TensorFlow trains under a `tf.distribute.Strategy`. The batch size of `fit` is the global
one: every device gets its share of each batch, and the losses are those of one device.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias

import keras

from kt_hpo.arguments import did_you_mean

# A name, or a `tf.distribute.Strategy`.
Distribution: TypeAlias = Any
NAMES = ("auto", "one_device", "mirrored")
_NOT_IN_KERAS = {
    "multi_worker": "MultiWorkerMirroredStrategy",
    "parameter_server": "ParameterServerStrategy",
}


def check_distribution(distribution: Distribution) -> None:
    """Refuses a distribution that Keras cannot train under.

    Args:
        distribution: A name, a `tf.distribute.Strategy`, or None.

    Raises:
        ValueError: If it is none of them, or not supported by Keras 3 or its backend.
    """
    if distribution is None:
        return
    name = distribution if isinstance(distribution, str) else type(distribution).__name__
    missing = _NOT_IN_KERAS.get(name, name)
    if missing.removesuffix("V1").removesuffix("V2") in _NOT_IN_KERAS.values():
        raise ValueError(
            f"distribution={name!r} is not possible: model.fit of Keras 3 does not train under "
            f"tf.distribute.{missing}. 'mirrored' spreads a trial over the GPUs of one machine; "
            "executor=Workers(n) trains n trials at once; of other backends "
            "keras.distribution.DataParallel reaches several machines under JAX."
        )
    if isinstance(distribution, str):
        if distribution not in NAMES:
            raise ValueError(
                f"distribution={distribution!r} is not one of {', '.join(NAMES)}."
                f"{did_you_mean(distribution, NAMES)} A tf.distribute.Strategy is taken as well."
            )
    elif not hasattr(distribution, "scope"):
        raise ValueError(
            f"distribution={distribution!r} is neither one of {', '.join(NAMES)} nor a "
            "tf.distribute.Strategy."
        )
    if distribution not in ("auto", "one_device") and keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"distribution={name!r} needs Keras on TensorFlow, and it runs on "
            f"{keras.backend.backend()}. Set the distribution of the program instead: "
            "keras.distribution.set_distribution(keras.distribution.DataParallel())."
        )


def strategy_named(
    distribution: Distribution, distribution_strategy: Distribution, one_at_a_time: bool
) -> Any:
    """Makes the strategy of what a tuner is given under our name or under Keras Tuner's.

    Args:
        distribution: What `distribution=` is.
        distribution_strategy: What `distribution_strategy=` is.
        one_at_a_time: As in `make_strategy`.

    Returns:
        As `make_strategy`.

    Raises:
        ValueError: If both are given, or Keras cannot train under it.
    """
    if distribution_strategy is not None and distribution is not None:
        raise ValueError(
            "distribution= and distribution_strategy=, Keras Tuner's name for it, say the "
            "same: leave one of the two out."
        )
    given = distribution if distribution_strategy is None else distribution_strategy
    check_distribution(given)
    return make_strategy(given, one_at_a_time)


def make_strategy(distribution: Distribution, one_at_a_time: bool = True) -> Any:
    """Makes the strategy that models are built and trained under.

    Args:
        distribution: As in `TrainingOptions`.
        one_at_a_time: Whether a trial has the machine for itself; otherwise `"auto"` is one device.

    Returns:
        A `tf.distribute.Strategy`; None for one device.

    Raises:
        ValueError: If there is but one device to mirror a trial on.
    """
    if distribution in (None, "one_device"):
        return None
    if not isinstance(distribution, str):
        return distribution
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    devices = _devices(tf)
    if distribution == "auto":
        is_worth_it = one_at_a_time and len(devices) > 1 and ":GPU:" in devices[0]
        return tf.distribute.MirroredStrategy(devices) if is_worth_it else None
    if len(devices) < 2:
        raise ValueError(
            f"distribution='mirrored' needs several devices, and there is {', '.join(devices)}. "
            "Leave distribution out, or give 'auto', which mirrors where it can."
        )
    return tf.distribute.MirroredStrategy(devices)


def scope(strategy: Any) -> AbstractContextManager[Any]:
    """Gives the context in which the variables of a model are made.

    Args:
        strategy: A `tf.distribute.Strategy`, or None.

    Returns:
        The context.
    """
    return nullcontext() if strategy is None else strategy.scope()


def _devices(tf: Any) -> list[str]:
    """The GPUs; the logical CPUs where there are none."""
    gpus = tf.config.list_logical_devices("GPU")
    return [device.name for device in gpus or tf.config.list_logical_devices("CPU")]
