"""Values of hyperparameters that notice who looks at them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras_tuner

# What Keras and its backends do with a number is known; see `hoisted`.
_PASS_ON = ("keras", "tensorflow", "jax", "numpy")
_OPERATORS = (
    "abs add bool ceil divmod eq float floor floordiv format ge gt hash int le lt mod mul ne neg "
    "pos pow radd rdivmod repr rfloordiv rmod rmul round rpow rsub rtruediv str sub truediv trunc"
)


class Watched(float):
    """A float that knows whether other code than Keras' has looked at it.

    A build that only hands a number on to Keras makes the same model of every such number. One
    that calculates with it, compares it or writes it into a name may make another.

    Attributes:
        was_looked_at: Whether some code has.

    Example:
        >>> rate = Watched(0.5)
        >>> rate.was_looked_at, rate > 0.1, rate.was_looked_at
        (False, True, True)
    """

    was_looked_at = False


def _watching(name: str) -> Callable[..., Any]:
    own = getattr(float, name)

    def method(self: Watched, *args: Any) -> Any:
        module = sys._getframe(1).f_globals.get("__name__", "")
        if module.partition(".")[0] not in _PASS_ON:
            self.was_looked_at = True
        return own(self, *args)

    return method


for _name in _OPERATORS.split():
    setattr(Watched, f"__{_name}__", _watching(f"__{_name}__"))


@contextmanager
def watching(hp: keras_tuner.HyperParameters) -> Iterator[dict[str, Watched]]:
    """Watches the floats among the values of hyperparameters during a build.

    Args:
        hp: The hyperparameters.

    Yields:
        The watched values by name.
    """
    own = {name: value for name, value in hp.values.items() if type(value) is float}
    watched = {name: Watched(value) for name, value in own.items()}
    hp.values.update(watched)
    try:
        yield watched
    finally:
        hp.values.update({name: own[name] for name in own if name in hp.values})
