"""What a model is made of, where all of it is known; and what is not, by its name.

A config does not tell a model: a class of the user's may keep a number where no config shows it,
and its code may read what `build` has set elsewhere. So nothing is asked for its config. Whatever
can be reached from a model is looked at: every attribute of every part. A part is known if its
class or function is what Keras, or the backend it runs on, has under its name; of such a part the
code is the same in every trial, and its attributes say the rest. Anything else is not known.
"""

from __future__ import annotations

import functools
import math
import types
from collections import OrderedDict, defaultdict
from collections.abc import Hashable, Mapping
from enum import Enum
from typing import Any

import keras
import numpy as np

from kt_hpo._private_apis.keras import (
    COMPILED,
    STATE,
    STEP_FUNCTIONS,
    UNLESS_TRUE,
    UNUSED,
    WRAPPERS,
    given_to_compile,
    has_added_losses,
)
from kt_hpo.training.library import is_library

_CONTAINERS = (list, tuple, set, frozenset, dict, OrderedDict, defaultdict)
_CONSTANTS = (type(None), bool, int, str, bytes, complex, type(Ellipsis), np.dtype, np.ufunc)


class CannotShareError(Exception):
    """A model that cannot share a program with another; the message completes "because"."""


def description(model: keras.Model, sizes: bool = True) -> Hashable:
    """Describes a model and what it was compiled with, the learning rate left out.

    Args:
        model: A built and compiled model.
        sizes: Whether the shapes of tensors and variables are told, too.

    Returns:
        Something that is equal for models that calculate the same of the same weights.

    Raises:
        CannotShareError: If there is a part of which that cannot be said.

    Example:
        >>> def model(activation):
        ...     dense = keras.layers.Dense(2, activation=activation)
        ...     made = keras.Sequential([keras.Input((3,)), dense], name="dense")
        ...     made.compile("sgd", "mse")
        ...     return made
        >>> keras.utils.clear_session()
        >>> relu = description(model("relu"))
        >>> keras.utils.clear_session()
        >>> relu == description(model(keras.activations.relu)), relu == description(model("tanh"))
        (True, False)
        >>> description(model(lambda x: x))
        Traceback (most recent call last):
            ...
        kt_hpo.training.model_parts.CannotShareError: the model uses the function ...
    """
    config = (keras.config.epsilon(), keras.config.floatx(), keras.config.image_data_format())
    outputs = [output.shape for output in model.outputs]
    told = _Describer(model, sizes)
    return (told.of(config), told.of(outputs), told.of(model), told.of(_paths(model)))


def described(value: Any) -> Hashable:
    """Describes an optimizer, a schedule or another part of a model by itself.

    Args:
        value: The part.

    Returns:
        Something that is equal for parts that calculate the same.

    Raises:
        CannotShareError: If that cannot be said of it.
    """
    return _Describer(None, sizes=True).of(value)


def _paths(model: keras.Model) -> list[tuple[str, bool]]:
    return [(variable.path, variable.trainable) for variable in model.variables]


class _Describer:
    """Describes values, each object once."""

    def __init__(self, model: keras.Model | None, sizes: bool) -> None:
        self._sizes = sizes
        self._met: dict[int, int] = {}
        self._known: set[int] | None = None
        if model is not None:
            everywhere = [*model.variables, *model.metrics_variables, *model.optimizer.variables]
            self._known = {id(variable) for variable in everywhere}

    def of(self, value: Any) -> Hashable:
        """Describes a value."""
        kind = type(value)
        if isinstance(value, float | np.floating):
            number = value if isinstance(value, float) else float(value)
            return "nan" if math.isnan(number) else ("float", number)
        if kind in _CONSTANTS or isinstance(value, np.dtype):
            return (kind, value)
        if isinstance(value, np.ndarray | np.generic):
            return self._array(value)
        if isinstance(value, Enum) and is_library(kind):
            return (kind, value.name)
        if _is_container(kind):
            return self._container(value)
        if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
            return self._code(value)
        if kind is types.MethodType:
            return self._method(value)
        if kind is functools.partial:
            return (kind, self.of([value.func, value.args, value.keywords, vars(value)]))
        if id(value) in self._met:
            return ("again", self._met[id(value)])
        number = self._met[id(value)] = len(self._met)
        return (kind, number, self._object(value))

    def _array(self, value: Any) -> Hashable:
        array = np.asarray(value)
        if array.dtype == object:
            return self.of(array.tolist())
        return (str(array.dtype), array.shape, array.tobytes())

    def _container(self, value: Any) -> Hashable:
        if isinstance(value, Mapping):
            items = [(str(key), self.of(key), self.of(one)) for key, one in value.items()]
            return ("mapping", *sorted(items, key=lambda item: item[0]))
        if isinstance(value, set | frozenset):
            return ("set", *sorted(map(repr, map(self.of, value))))
        return ("tuple" if isinstance(value, tuple) else "list", *map(self.of, value))

    def _code(self, value: Any) -> Hashable:
        builtin = isinstance(value, types.BuiltinFunctionType) and isinstance(
            value.__self__, types.ModuleType | type(None)
        )
        if builtin or is_library(value) or value in (bool, int, float, str):
            return (types.FunctionType, value)
        raise _unknown(value)

    def _method(self, value: Any) -> Hashable:
        owner, name = value.__self__, value.__func__.__name__
        if is_library(type(owner)) and getattr(type(owner), name, None) is value.__func__:
            return (types.MethodType, name, self.of(owner))
        raise _unknown(value.__func__)

    def _object(self, value: Any) -> Hashable:
        if not is_library(type(value)):
            raise _unknown(value)
        if isinstance(value, keras.random.SeedGenerator):
            return None  # Its state is given at every step.
        if isinstance(value, keras.KerasTensor):
            tensor = (value.dtype, value.sparse, len(value.shape))
            return (*tensor, tuple(value.shape)) if self._sizes else tensor
        if isinstance(value, keras.Variable):
            return self._variable(value)
        if hasattr(value, "numpy") or type(value).__module__.startswith("jaxlib"):
            return self._array(keras.ops.convert_to_numpy(value))
        if isinstance(value, keras.Metric) and self._known is not None:
            self._known |= {id(variable) for variable in value.variables}
        own = vars(value)
        if isinstance(value, keras.optimizers.Optimizer):
            own = {name: one for name, one in own.items() if not _is_state(name, one)}
        if has_added_losses(value):
            raise CannotShareError(f"a loss was added to {type(value).__name__}")
        if isinstance(value, keras.layers.Layer) and not value.built:
            raise CannotShareError(f"{value.name} has no weights before it has seen data")
        names = sorted(name for name, one in own.items() if not _is_unused(name, one))
        return tuple((name, self._attribute(name, own[name])) for name in names)

    def _attribute(self, name: str, value: Any) -> Hashable:
        if name in COMPILED and value is not None:
            return self._compiled(value)
        return self.of(value)

    def _compiled(self, value: Any) -> Hashable:
        """What the user gave to `compile`: the rest is made of it at the first batch."""
        if not is_library(type(value)):
            raise _unknown(value)
        given = given_to_compile(value)
        if not given:
            raise CannotShareError("what the model was compiled with is not to be seen")
        resolved = {name: _resolved(name, one) for name, one in given.items()}
        return (type(value), self.of(given), self.of(resolved), getattr(value, "reduction", None))

    def _variable(self, value: Any) -> Hashable:
        if self._known is not None and id(value) not in self._known:
            raise CannotShareError(f"the variable {value.path} is nobody's weight")
        size = tuple(value.shape) if self._sizes else len(value.shape)
        attributes = [
            value.dtype, value.trainable, value.regularizer, value.constraint,
            value.overwrite_with_gradient,
        ]  # fmt: skip
        return (size, self.of(attributes))


def _is_container(kind: type) -> bool:
    """Whether a class is a container of Python's, or one in which a library keeps watch of one."""
    if kind in _CONTAINERS:
        return True
    kept = issubclass(kind, list | tuple | dict | set) or kind.__name__ in WRAPPERS
    return kept and is_library(kind)


def _is_unused(name: str, value: Any) -> bool:
    if name in UNLESS_TRUE:
        return not value
    if name in STEP_FUNCTIONS:
        return value is None or value.__module__.startswith("keras.")
    return name in UNUSED or name.startswith("_self_") or name.endswith("initializer")


def _is_state(name: str, value: Any) -> bool:
    """Whether an attribute of an optimizer is what it has after its first step, not before."""
    if name in STATE:
        return True
    values = value if isinstance(value, list) else [value]
    return name.startswith("_") and all(isinstance(one, keras.Variable) for one in values)


def _resolved(name: str, given: Any) -> list[Any]:
    """What the names of losses and metrics mean, which a user may have registered."""
    get = keras.losses.get if "loss" in name else keras.metrics.get
    found = []
    for one in keras.tree.flatten(given):
        if isinstance(one, str):
            try:
                found.append(get(one))
            except ValueError:  # Such as "accuracy", which follows from the targets.
                found.append(one)
    return found


def _unknown(value: Any) -> CannotShareError:
    code = isinstance(value, type | types.FunctionType | types.BuiltinFunctionType)
    name = getattr(value, "__qualname__", repr(value)) if code else type(value).__qualname__
    what = "the function " if code and not isinstance(value, type) else ""
    name = name.replace("<locals>.", "").rpartition(".")[2] or name
    return CannotShareError(
        f"the model uses {what}{name}, which is not Keras' own: what another trial's calculates "
        "may differ"
    )
