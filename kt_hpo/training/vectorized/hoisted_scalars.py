"""Scalars that may differ between the trials of a group, and how a model is made to read them.

A zero turns its term off (no momentum has no momentum variables, no dropout draws nothing), so a
zero is architecture and not hoisted. Nor is what has Keras' default, as an optimizer's betas mostly
do: a constant is cheaper.
"""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, losses, optimizers, regularizers

from kt_hpo._private_apis.keras import layers_of, set_smoothing, takes_smoothing

_NOISE = {
    layers.Dropout: ("rate",),
    layers.SpatialDropout1D: ("rate",),
    layers.SpatialDropout2D: ("rate",),
    layers.SpatialDropout3D: ("rate",),
    layers.GaussianDropout: ("rate",),
    layers.GaussianNoise: ("stddev",),
}
_PENALTIES = {
    regularizers.L1: ("l1",),
    regularizers.L2: ("l2",),
    regularizers.L1L2: ("l1", "l2"),
}
_UPDATES = {
    optimizers.SGD: ("momentum",),
    optimizers.RMSprop: ("rho", "momentum", "epsilon"),
    optimizers.Adam: ("beta_1", "beta_2", "epsilon"),
    optimizers.AdamW: ("beta_1", "beta_2", "epsilon"),
    optimizers.Adamax: ("beta_1", "beta_2", "epsilon"),
    optimizers.Adagrad: ("epsilon",),
    optimizers.Lion: ("beta_1", "beta_2"),
}
_SMOOTHED = (
    losses.BinaryCrossentropy,
    losses.BinaryFocalCrossentropy,
    losses.CategoricalCrossentropy,
    losses.CategoricalFocalCrossentropy,
)
_LIFTABLE = {**_NOISE, **_PENALTIES, **_UPDATES}

# Nothing in how these are called depends on how many units a model has.
_ANY_SIZE = {
    layers.InputLayer, layers.Flatten, layers.Dense, layers.Activation, layers.Dropout,
    layers.BatchNormalization,
}  # fmt: skip

_BELOW_ONE = {"rate", "momentum", "rho", "beta_1", "beta_2", "label_smoothing"}

Name = tuple[str | int, ...]


@dataclass(frozen=True)
class ScalarLocation:
    """Where a scalar is kept: an attribute of a layer, a regularizer or an optimizer."""

    owner: Any
    attribute: str

    def get(self) -> Any:
        """Reads it."""
        return getattr(self.owner, self.attribute)

    def put(self, value: Any) -> None:
        """Writes it."""
        setattr(self.owner, self.attribute, value)


class Smoothing(ScalarLocation):
    """The label smoothing of a loss, which Keras keeps twice."""

    def put(self, value: Any) -> None:
        """Writes it."""
        set_smoothing(self.owner, value)


def places(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> dict[Name, ScalarLocation]:
    """Finds the scalars of a model that may differ between trials.

    Args:
        model: A built model.
        optimizer: Its optimizer, or one that stands for it.

    Returns:
        Where each is, by a name that is the same in every model of the same architecture.
    """
    found: dict[Name, ScalarLocation] = {}

    def add(owner: Any, *name: str | int) -> None:
        kind = next((kind for kind in type(owner).__mro__ if kind in _LIFTABLE), None)
        if kind is None:
            return
        defaults = inspect.signature(kind).parameters
        for attribute in _LIFTABLE[kind]:
            place = ScalarLocation(owner, attribute)
            if place.get() not in (0, defaults[attribute].default):
                found[(*name, attribute)] = place

    for number, layer in enumerate(layers_of(model)):
        add(layer, "layer", number)
    for number, variable in enumerate(model.trainable_variables):
        add(variable.regularizer, "variable", number)
    for number, loss in enumerate(keras.tree.flatten(model.loss)):
        if type(loss) in _SMOOTHED and loss.label_smoothing and takes_smoothing(loss):
            found["loss", number, "label_smoothing"] = Smoothing(loss, "label_smoothing")
    add(optimizer, "optimizer")
    if optimizer.weight_decay:
        found["optimizer", "weight_decay"] = ScalarLocation(optimizer, "weight_decay")
    return found


def units(model: keras.Model) -> dict[Name, ScalarLocation]:
    """Finds the sizes in which models may differ and still be calculated by one program.

    Args:
        model: A built and compiled model.

    Returns:
        Where each is; none where the model has other layers or another optimizer.
    """
    made_of = layers_of(model)
    if type(model.optimizer) not in _UPDATES or {type(one) for one in made_of} - _ANY_SIZE:
        return {}
    return {
        ("layer", number, "units"): ScalarLocation(layer, "units")
        for number, layer in enumerate(made_of)
        if isinstance(layer, layers.Dense)
    }


def is_allowed(name: Name, value: float) -> bool:
    """Says whether Keras takes a number for a scalar, and it is none that is architecture.

    Args:
        name: The scalar's, as in `places`.
        value: The number.

    Returns:
        Whether it is surely so.

    Example:
        >>> is_allowed(("layer", 1, "rate"), 0.5), is_allowed(("layer", 1, "rate"), 1.5)
        (True, False)
    """
    return 0 < value < (1 if name[-1] in _BELOW_ONE else math.inf)


@contextmanager
def replaced(where: Mapping[Name, ScalarLocation], values: Mapping[Name, Any]) -> Iterator[None]:
    """Puts other values into a model, and its own back.

    Args:
        where: The places.
        values: What to put there, by the same names.

    Yields:
        Nothing, while the model has these values.
    """
    own = {name: place.get() for name, place in where.items()}
    try:
        for name, place in where.items():
            place.put(values[name])
        yield
    finally:
        for name, place in where.items():
            place.put(own[name])


class HoistedScalars:
    """A scalar of a trial, unknown while a program is made, but known not to be 0.

    Keras asks `if momentum != 0` and `if self.l2` in Python, which a tensor in a graph does not
    answer. This answers, and is the tensor for everything else.

    Args:
        tensor: The scalar.
    """

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]

    @property
    def dtype(self) -> Any:
        """The scalar's type, which Keras' operations look at."""
        return self.tensor.dtype

    @property
    def shape(self) -> Any:
        """The scalar's shape, likewise."""
        return self.tensor.shape

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        return keras.ops.convert_to_tensor(self.tensor, dtype)

    def __jax_array__(self) -> Any:
        return self.tensor


def _forward(name: str) -> Callable[..., Any]:
    """Makes an operator of `HoistedScalars` out of the tensor's."""
    apply = getattr(operator, name)

    def method(self: HoistedScalars, other: Any) -> Any:
        return apply(self.tensor, getattr(other, "tensor", other))

    return method


def _reflect(name: str) -> Callable[..., Any]:
    apply = getattr(operator, name)
    return lambda self, other: apply(other, self.tensor)


for _name in ("add", "sub", "mul", "truediv", "pow"):
    setattr(HoistedScalars, f"__{_name}__", _forward(_name))
    setattr(HoistedScalars, f"__r{_name}__", _reflect(_name))
