"""Whether the code of a build does no more than a watched value would notice.

A watched value (see `watched`) notices Python's operators. It does not notice `math.log`, NumPy or
a class of the user's that keeps it, nor does it know of a counter, a random number or the time. So
the code of a build is read, with all functions it can reach: it may use Keras' layers, optimizers
and the like, plain constants, and what the value notices. Code that uses anything else is not
wrong; its models are all built.
"""

from __future__ import annotations

import builtins
import dis
import functools
import types
from typing import Any

import keras_tuner
import numpy as np

from kt_hpo._private_apis.keras_tuner import build_of
from kt_hpo.training.library import is_library

_PACKAGES = {
    "activations", "applications", "constraints", "initializers", "layers", "losses", "metrics",
    "models", "optimizers", "regularizers",
}  # fmt: skip
# Attributes through which a value could be read unnoticed, or something else than values matter.
_FORBIDDEN = {
    "Variable", "adapt", "as_integer_ratio", "assign", "backend", "conjugate", "config",
    "datasets", "distribution", "evaluate", "export", "fit", "get_weights", "hex", "imag",
    "is_integer", "load_model", "load_weights", "numpy", "ops", "predict", "random", "real",
    "saving", "set_weights", "src", "train_on_batch", "tree", "utils",
}  # fmt: skip
_CHANGING = {
    "append", "clear", "extend", "insert", "pop", "popitem", "remove", "reverse", "setdefault",
    "sort", "update", "add", "discard",
}  # fmt: skip
_BUILTINS = {
    bool, dict, enumerate, float, int, list, range, set, str, tuple, zip, reversed, map, filter,
    abs, all, any, isinstance, len, max, min, print, round, sorted, sum,
}  # fmt: skip
_CONSTANTS = (type(None), bool, int, float, str, bytes, type(Ellipsis))
_SHAPES = {"dtype", "ndim", "shape", "size"}


class _UnknownError(Exception):
    """Something that may do more."""


def hands_values_on(hypermodel: Any) -> bool:
    """Reads the code of a build.

    Args:
        hypermodel: A `keras_tuner.HyperModel`, or a function of `hp`.

    Returns:
        Whether the model follows from what Python's operators see of the values.

    Example:
        >>> import math
        >>> import keras
        >>> def passing(hp):
        ...     return keras.optimizers.SGD(hp.Float("rate", 0, 1))
        >>> def hiding(hp):
        ...     return keras.optimizers.SGD(math.log(hp.Float("rate", 1, 2)))
        >>> hands_values_on(passing), hands_values_on(hiding)
        (True, False)
    """
    is_function = not isinstance(hypermodel, keras_tuner.HyperModel)
    build = hypermodel if is_function else build_of(hypermodel)
    if not is_function and type(hypermodel).__module__.partition(".")[0] == "keras_tuner":
        build = hypermodel.build  # Which stands for a function of the user's.
    reader = _Reader()
    try:
        reader.value(build)
    except _UnknownError:
        return False
    return not (reader.reads_containers and reader.changes_containers)


class _Reader:
    """Reads functions, each once."""

    def __init__(self) -> None:
        self._read: set[types.CodeType] = set()
        self.reads_containers = False
        self.changes_containers = False

    def value(self, value: Any, attribute: str = "") -> None:
        """Looks at something that code uses, and at which of its attributes."""
        if isinstance(value, types.ModuleType):
            self._module(value, attribute)
        elif isinstance(value, functools.partial):
            for one in (value.func, *value.args, *value.keywords.values()):
                self.value(one)
        elif isinstance(value, types.MethodType):
            self._method(value)
        elif isinstance(value, types.FunctionType) and not is_library(value):
            self._function(value)
        elif isinstance(value, np.ndarray):
            _allow(attribute in _SHAPES)
        elif isinstance(value, list | set | dict | tuple | frozenset):
            self._container(value)
        elif isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
            _allow(_is_known(value))
        else:
            known = type(value).__module__.partition(".")[0] == "kt_hpo"
            _allow(isinstance(value, _CONSTANTS) or known)

    def _module(self, module: types.ModuleType, attribute: str) -> None:
        name = module.__name__
        _allow(_is_module(name) or (name == "tensorflow" and attribute == "keras"))

    def _container(self, value: Any) -> None:
        self.reads_containers |= isinstance(value, list | set | dict)
        for one in [*value.keys(), *value.values()] if isinstance(value, dict) else value:
            self.value(one)

    def _method(self, method: types.MethodType) -> None:
        """A method, with what its code may ask its object for."""
        owner = method.__self__
        _allow(isinstance(owner, keras_tuner.HyperModel))
        todo: list[Any] = [method.__func__]
        done: set[Any] = set()
        while todo:
            function = todo.pop()
            if function in done:
                continue
            done.add(function)
            _allow(isinstance(function, types.FunctionType))
            self._function(function)
            for name in _names(function.__code__):
                if name in vars(owner) and name not in ("build", "_build"):
                    self.value(vars(owner)[name])
                elif hasattr(type(owner), name) and name != "build":
                    todo.append(_found(type(owner), name))

    def _function(self, function: types.FunctionType) -> None:
        for default in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
            self.value(default)
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        try:
            own = {name: cell.cell_contents for name, cell in cells}
        except ValueError:  # A variable that has no value yet.
            raise _UnknownError from None
        self._code(function.__code__, {**vars(builtins), **function.__globals__}, own)

    def _code(self, code: types.CodeType, outer: dict[str, Any], own: dict[str, Any]) -> None:
        if code in self._read:
            return
        self._read.add(code)
        self.changes_containers |= not _CHANGING.isdisjoint(code.co_names)
        _allow(_FORBIDDEN.isdisjoint(code.co_names))
        _allow(not any(name.startswith("__") for name in code.co_names))
        instructions = list(dis.get_instructions(code))
        for at, one in enumerate(instructions):
            follows = instructions[at + 1] if at + 1 < len(instructions) else one
            attribute = str(follows.argval) if follows.opname.startswith("LOAD_ATTR") else ""
            self._instruction(one, attribute, outer, own)
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                inner = {name: own[name] for name in constant.co_freevars if name in own}
                self._code(constant, outer, inner)

    def _instruction(
        self, one: dis.Instruction, attribute: str, outer: dict[str, Any], own: dict[str, Any]
    ) -> None:
        kind, name = one.opname, one.argval
        if kind in ("LOAD_GLOBAL", "LOAD_NAME"):
            _allow(name in outer)
            self.value(outer[name], attribute)
        elif kind in ("LOAD_DEREF", "LOAD_CLOSURE", "LOAD_CLASSDEREF") and name in own:
            self.value(own[name], attribute)
        elif kind == "STORE_DEREF":
            _allow(name not in own)
        elif kind == "IMPORT_NAME":
            _allow(_is_module(name))
        elif kind == "BINARY_OP":
            _allow(not one.argrepr.startswith("%"))  # It may write a value into a name.
        elif kind in ("STORE_SUBSCR", "DELETE_SUBSCR"):
            self.changes_containers = True
        else:
            _allow(kind not in ("LOAD_BUILD_CLASS", "STORE_GLOBAL", "DELETE_GLOBAL", "STORE_ATTR"))


def _found(kind: type, name: str) -> Any:
    """What a class has under a name, as it stands there."""
    return next(vars(one)[name] for one in kind.__mro__ if name in vars(one))


def _names(code: types.CodeType) -> set[str]:
    inner = [one for one in code.co_consts if isinstance(one, types.CodeType)]
    return set(code.co_names).union(*map(_names, inner))


def _is_module(name: str) -> bool:
    """Whether a module has only what may be used."""
    for prefix in ("keras._tf_keras.", "tensorflow.", "keras.api."):
        name = name.removeprefix(prefix)
    if name in ("keras", "keras_tuner", "kt_hpo"):
        return True
    first, _, _ = name.removeprefix("keras.src.").removeprefix("keras.").partition(".")
    return name.startswith("keras.") and first in _PACKAGES


def _is_known(value: Any) -> bool:
    """Whether a class or a function is one that builds models, or one of Python's."""
    if isinstance(value, type) and issubclass(value, Exception):
        return True
    if is_library(value):
        return _is_module(value.__module__)
    return value in _BUILTINS


def _allow(condition: bool) -> None:
    if not condition:
        raise _UnknownError
