"""Which models can share a program: those that differ only in scalars that are lifted.

Learning rates and schedules are not looked at: the rate of every step is given to the program.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from types import FunctionType
from typing import Any

import keras
import numpy as np

from kt_hpo.training.vectorized import lifted


def signature(model: keras.Model) -> Hashable:
    """Describes a model without the scalars that may differ within a group.

    Args:
        model: A built and compiled model of Keras' own kinds.

    Returns:
        Something that is equal for models that can train in one group.

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
    return _describe(model, lifted.places(model, model.optimizer))


def family(model: keras.Model) -> Hashable:
    """Describes a model without the sizes of its layers too, where a program is good for any size.

    Args:
        model: A model as in `signature`.

    Returns:
        Something that is equal for models that one program can calculate.
    """
    sizes = lifted.units(model)
    if not sizes:
        return signature(model)
    return _describe(
        model, {**lifted.places(model, model.optimizer), **sizes}, "build_config", "shape"
    )


def _describe(
    model: keras.Model, without: Mapping[lifted.Name, lifted.Place], *left_out: str
) -> Hashable:
    optimizer = model.optimizer
    with lifted.replaced(without, dict.fromkeys(without, math.nan)):
        parts = [
            _pruned(model.get_config(), left_out),
            [output.shape for output in model.outputs],
            [_own_scalars(layer) for layer in model._flatten_layers(include_self=False)],
            [(variable.path, variable.trainable) for variable in model.variables],
            {**optimizer.get_config(), "learning_rate": None},
            type(optimizer),
            model._compile_loss and model._compile_loss._user_loss,
            model._compile_loss and model._compile_loss._user_loss_weights,
            model._compile_metrics and model._compile_metrics._user_metrics,
            model._compile_metrics and model._compile_metrics._user_weighted_metrics,
        ]
        return _freeze(parts)


def _pruned(config: Any, left_out: tuple[str, ...]) -> Any:
    """A config without the entries of some names."""
    if isinstance(config, Mapping):
        return {
            name: _pruned(one, left_out) for name, one in config.items() if name not in left_out
        }
    if isinstance(config, list | tuple):
        return [_pruned(one, left_out) for one in config]
    return config


def _freeze(value: Any) -> Hashable:
    """Makes something comparable by value, or by identity where there is no telling."""
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    if isinstance(value, Mapping):
        return tuple(sorted((str(key), _freeze(one)) for key, one in value.items()))
    if isinstance(value, list | tuple):
        return tuple(map(_freeze, value))
    if isinstance(value, FunctionType) and not _is_keras(value):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        return (value.__code__, _freeze(value.__defaults__), _freeze(cells))
    if isinstance(value, keras.losses.Loss | keras.metrics.Metric):
        return (type(value), _freeze(value.get_config()), _freeze(_own_scalars(value)))
    if hasattr(value, "__array__"):
        array = np.asarray(value)
        return (array.shape, array.tobytes())
    # What cannot be compared by value is like nothing but itself.
    return value if isinstance(value, Hashable) else object()


def _own_scalars(value: Any) -> dict[str, Any]:
    """Attributes of a user's class, whose config may not tell all that makes a difference."""
    if _is_keras(type(value)):
        return {}
    simple = bool | int | float | str
    return {
        name: one
        for name, one in vars(value).items()
        if not name.startswith("_") and isinstance(one, simple)
    }


def _is_keras(value: Any) -> bool:
    return value.__module__.partition(".")[0] == "keras"
