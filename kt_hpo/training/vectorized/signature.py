"""Which models can share a program: those that differ only in scalars that are hoisted.

All of a model has to be Keras' own for that; see `parts`. Learning rates and schedules are not
looked at: the rate of every step is given to the program.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping

import keras

from kt_hpo.training.model_parts import description
from kt_hpo.training.vectorized import hoisted_scalars


def signature(model: keras.Model) -> Hashable:
    """Describes a model without the scalars that may differ within a group.

    Args:
        model: A built and compiled model.

    Returns:
        Something that is equal for models that can train in one group.

    Raises:
        CannotShareError: If some of it is not Keras' own.

    Example:
        >>> def model(rate, units=4):
        ...     layers = [keras.Input((2,)), keras.layers.Dense(units), keras.layers.Dropout(rate)]
        ...     made = keras.Sequential(layers, name="mlp")
        ...     made.compile(keras.optimizers.Adam(rate), "mse")
        ...     return made
        >>> keras.utils.clear_session()
        >>> one = signature(model(0.1))
        >>> keras.utils.clear_session()
        >>> one == signature(model(0.2))
        True
        >>> one == signature(model(0.1, units=5))
        False
    """
    return _describe(model, hoisted_scalars.places(model, model.optimizer))


def family(model: keras.Model) -> Hashable:
    """Describes a model without the sizes of its layers too, where a program is good for any size.

    Args:
        model: A model as in `signature`.

    Returns:
        Something that is equal for models that one program can calculate.
    """
    sizes = hoisted_scalars.units(model)
    if not sizes:
        return signature(model)
    return _describe(
        model, {**hoisted_scalars.places(model, model.optimizer), **sizes}, sizes=False
    )


def _describe(
    model: keras.Model,
    without: Mapping[hoisted_scalars.Name, hoisted_scalars.ScalarLocation],
    sizes: bool = True,
) -> Hashable:
    with hoisted_scalars.replaced(without, dict.fromkeys(without, math.nan)):
        return (tuple(without), description(model, sizes))
