"""TensorFlow's fused kernels, one operation a variable, where Keras' optimizers take ten.

Each kernel calculates what `update_step` of the optimizer does, up to the rounding of floats: the
kernel takes 1 - beta_2 of a float32, and so has 0.00100002 for Keras' 0.001.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from kt_hpo._private_apis.keras import excludes_weights_from_decay, slots_of

Update = Callable[[Any, Any, Any], None]
Scalars = dict[str, tf.Tensor]
# Gives the numbers of a step in a type, made by the function for the first variable that asks.
Once = Callable[[str, Callable[[], Scalars]], Scalars]


@contextmanager
def fused(optimizer: Any) -> Iterator[None]:
    """Has an optimizer update variables by one kernel each, while a step is traced.

    Args:
        optimizer: An optimizer or None. One whose `update_step` is not Keras' own, or whose slots
            are not as expected, stays as it is.

    Yields:
        Nothing, while the optimizer is faster.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    kernels = [
        kernel
        for kind, kernel in _KERNELS
        if getattr(type(optimizer), "update_step", None) is kind.update_step
    ]
    if not kernels:
        yield
        return
    apply: Callable[..., Any] = optimizer.apply
    own: Update = optimizer.update_step
    made: dict[tuple[tf.Graph, str], Scalars] = {}
    decay = None if excludes_weights_from_decay(optimizer) else optimizer.weight_decay

    def once(dtype: str, make: Callable[[], Scalars]) -> Scalars:
        key = tf.compat.v1.get_default_graph(), dtype
        if key not in made:
            made[key] = make()
        return made[key]

    def apply_anew(*args: Any, **kwargs: Any) -> Any:
        made.clear()
        if decay is None:
            return apply(*args, **kwargs)
        optimizer.weight_decay = None
        try:
            return apply(*args, **kwargs)
        finally:
            optimizer.weight_decay = decay

    def update_step(gradient: Any, variable: Any, learning_rate: Any) -> None:
        if decay is not None:
            _decay(variable, learning_rate, decay)
        if isinstance(gradient, tf.IndexedSlices) or not kernels[0](
            optimizer, gradient, variable, learning_rate, once
        ):
            own(gradient, variable, learning_rate)

    optimizer.apply, optimizer.update_step = apply_anew, update_step
    try:
        yield
    finally:
        del optimizer.apply, optimizer.update_step


def _handle(variable: Any) -> Any:
    """Return what a kernel takes a variable by, of Keras' or of TensorFlow's."""
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle


def _slots(optimizer: Any, variable: Any, *names: str) -> list[Any]:
    """Return what kernels take the slots of a variable by; nothing if they are not found."""
    return [_handle(slot) for slot in slots_of(optimizer, variable, *names)]


def _decay(variable: Any, learning_rate: Any, weight_decay: Any) -> None:
    """Loshchilov and Hutter (2019), algorithm 2, line 12, before the step as in Keras."""
    rate, decay = (tf.cast(one, variable.dtype) for one in (learning_rate, weight_decay))
    tf.raw_ops.ResourceApplyGradientDescent(
        var=_handle(variable), alpha=rate * decay, delta=tf.convert_to_tensor(variable)
    )


def _adam(optimizer: Any, gradient: Any, variable: Any, learning_rate: Any, once: Once) -> bool:
    """Kingma and Ba (2015), algorithm 1, in the order of its section 2."""
    slots = _slots(optimizer, variable, "_momentums", "_velocities")
    if optimizer.amsgrad or not slots:
        return False
    dtype = variable.dtype

    def scalars() -> Scalars:
        step = tf.cast(keras.ops.convert_to_tensor(optimizer.iterations) + 1, dtype)
        beta_1, beta_2 = tf.cast(optimizer.beta_1, dtype), tf.cast(optimizer.beta_2, dtype)
        return {
            "beta1_power": tf.pow(beta_1, step),
            "beta2_power": tf.pow(beta_2, step),
            "lr": tf.cast(learning_rate, dtype),
            "beta1": beta_1,
            "beta2": beta_2,
            "epsilon": tf.cast(optimizer.epsilon, dtype),
        }

    tf.raw_ops.ResourceApplyAdam(
        var=_handle(variable),
        m=slots[0],
        v=slots[1],
        grad=tf.cast(gradient, dtype),
        **once(dtype, scalars),
    )
    return True


def _sgd(optimizer: Any, gradient: Any, variable: Any, learning_rate: Any, once: Once) -> bool:
    """Gradient descent, with the momentum of Sutskever et al. (2013), equations 1 to 4."""
    dtype = variable.dtype
    slots = _slots(optimizer, variable, "momentums") if optimizer.momentum else []
    if optimizer.momentum and not slots:
        return False
    scalars = once(
        dtype,
        lambda: {
            "lr": tf.cast(learning_rate, dtype),
            "momentum": tf.cast(optimizer.momentum, dtype),
        },
    )
    handle, gradient = _handle(variable), tf.cast(gradient, dtype)
    if slots:
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=handle, accum=slots[0], grad=gradient, use_nesterov=optimizer.nesterov, **scalars
        )
    else:
        tf.raw_ops.ResourceApplyGradientDescent(var=handle, alpha=scalars["lr"], delta=gradient)
    return True


_KERNELS = ((keras.optimizers.Adam, _adam), (keras.optimizers.SGD, _sgd))
