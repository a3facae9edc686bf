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

Update = Callable[[Any, Any, Any], None]


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
        make
        for kind, make in _KERNELS
        if getattr(type(optimizer), "update_step", None) is kind.update_step
    ]
    if not kernels:
        yield
        return
    own: Update = optimizer.update_step

    def update_step(gradient: Any, variable: Any, learning_rate: Any) -> None:
        if isinstance(gradient, tf.IndexedSlices) or not kernels[0](
            optimizer, gradient, variable, learning_rate
        ):
            own(gradient, variable, learning_rate)

    optimizer.update_step = update_step
    try:
        yield
    finally:
        del optimizer.update_step


def _handle(variable: Any) -> Any:
    """Return what a kernel takes a variable by, of Keras' or of TensorFlow's."""
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle


def _slots(optimizer: Any, variable: Any, *names: str) -> list[Any]:
    """Return what kernels take the slots of a variable by; nothing if one is missing."""
    try:
        place = optimizer._get_variable_index(variable)
        return [_handle(getattr(optimizer, name)[place]) for name in names]
    except (AttributeError, IndexError, KeyError, TypeError):
        return []  # Another version of Keras names its slots otherwise.


def _adam(optimizer: Any, gradient: Any, variable: Any, learning_rate: Any) -> bool:
    """Kingma and Ba (2015), algorithm 1, in the order of its section 2."""
    slots = _slots(optimizer, variable, "_momentums", "_velocities")
    if optimizer.amsgrad or not slots:
        return False
    step = tf.cast(keras.ops.convert_to_tensor(optimizer.iterations) + 1, variable.dtype)
    beta_1, beta_2 = (
        tf.cast(beta, variable.dtype) for beta in (optimizer.beta_1, optimizer.beta_2)
    )
    tf.raw_ops.ResourceApplyAdam(
        var=_handle(variable),
        m=slots[0],
        v=slots[1],
        beta1_power=tf.pow(beta_1, step),
        beta2_power=tf.pow(beta_2, step),
        lr=tf.cast(learning_rate, variable.dtype),
        beta1=beta_1,
        beta2=beta_2,
        epsilon=tf.cast(optimizer.epsilon, variable.dtype),
        grad=tf.cast(gradient, variable.dtype),
    )
    return True


def _sgd(optimizer: Any, gradient: Any, variable: Any, learning_rate: Any) -> bool:
    """Gradient descent, with the momentum of Sutskever et al. (2013), equations 1 to 4."""
    rate, gradient = (tf.cast(each, variable.dtype) for each in (learning_rate, gradient))
    if not optimizer.momentum:
        tf.raw_ops.ResourceApplyGradientDescent(var=_handle(variable), alpha=rate, delta=gradient)
        return True
    slots = _slots(optimizer, variable, "momentums")
    if not slots:
        return False
    tf.raw_ops.ResourceApplyKerasMomentum(
        var=_handle(variable),
        accum=slots[0],
        lr=rate,
        grad=gradient,
        momentum=tf.cast(optimizer.momentum, variable.dtype),
        use_nesterov=optimizer.nesterov,
    )
    return True


_KERNELS = ((keras.optimizers.Adam, _adam), (keras.optimizers.SGD, _sgd))
