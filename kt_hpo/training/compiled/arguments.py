"""What `model.fit` is asked to do, and whether a program of the model's own can do it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

# Who overrides one of these wants to see every batch.
_BATCH_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_batch_begin",
    "on_test_batch_end",
)
_BEGIN_HOOKS = ("set_model", "on_train_begin", "on_epoch_begin")
# A model that overrides one of these trains in its own way.
_OF_TRAINING = (
    "fit",
    "evaluate",
    "make_train_function",
    "make_test_function",
    "reset_metrics",
)


class NeedsFitError(Exception):
    """A training that `model.fit` itself has to do."""


@dataclass(frozen=True)
class Samples:
    """Samples in memory, and the batches they are taken in.

    Attributes:
        arrays: What a step gets a batch of: `x`, `(x, y)` or `(x, y, sample_weight)`, each an
            array or a nested structure of arrays.
        count: How many samples there are.
        batch_size: Samples in a batch.
        steps: Batches in an epoch; None for all.
    """

    arrays: Any
    count: int
    batch_size: int
    steps: int | None

    @property
    def batches(self) -> int:
        """How many batches all samples are."""
        return math.ceil(self.count / self.batch_size)


def have_equal_batches(data: Any, arrays: Any) -> bool:
    """Tells whether batches of some arrays look like those of others.

    Args:
        data: Arrays, or a nested structure of them, as a backend has them.
        arrays: Other arrays, likewise.

    Returns:
        Whether the structures are the same, and shapes and types but for the number of samples.

    Example:
        >>> have_equal_batches((np.ones((4, 2)),), (np.ones((3, 2)),))
        True
    """

    def is_same(one: Any, other: Any) -> bool:
        types = [keras.backend.standardize_dtype(array.dtype) for array in (one, other)]
        return types[0] == types[1] and tuple(one.shape[1:]) == tuple(other.shape[1:])

    try:
        return all(keras.tree.flatten(keras.tree.map_structure(is_same, data, arrays)))
    except (TypeError, ValueError):  # Of another structure.
        return False


@dataclass(frozen=True)
class FitArguments:
    """A training, as the arguments of `model.fit` describe it.

    Attributes:
        train: The samples to train with.
        validation: The samples to validate with; None for no validation.
        epochs: The epochs, counted from 0.
        shuffle: Whether and how samples are shuffled, as in `fit`.
        validation_freq: After which epochs to validate, as in `fit`.
        callbacks: The user's callbacks, and the search's.
        verbose: As in `fit`.
    """

    train: Samples
    validation: Samples | None
    epochs: range
    shuffle: bool | str
    validation_freq: int | Collection[int]
    callbacks: Sequence[keras.callbacks.Callback]
    verbose: int | str


def check_model(model: keras.Model) -> None:
    """Refuses models that train in another way than Keras' own.

    Args:
        model: A model.

    Raises:
        NeedsFitError: If it does.
    """
    for name in _OF_TRAINING:
        if getattr(type(model), name) is not getattr(keras.Model, name):
            raise NeedsFitError(f"{type(model).__name__} has a {name} of its own")
    if not model.compiled:
        raise NeedsFitError("the model is not compiled")
    if model.run_eagerly:
        raise NeedsFitError("the model runs eagerly")
    if keras.config.max_epochs() or keras.config.max_steps_per_epoch():
        raise NeedsFitError("Keras is told to limit epochs or steps")


def read(given: Mapping[str, Any]) -> FitArguments:
    """Reads the arguments of `model.fit`.

    Args:
        given: All arguments by name, the defaults included.

    Returns:
        The training they describe.

    Raises:
        NeedsFitError: If only `fit` itself can do it.
    """
    callbacks = given["callbacks"] or []
    if not isinstance(callbacks, list | tuple):
        raise NeedsFitError("the callbacks are no list")
    for callback in callbacks:
        if any(_overrides(callback, name) for name in _BATCH_HOOKS) and not may_miss_batches(
            callback
        ):
            raise NeedsFitError(f"{type(callback).__name__} acts at every batch")
    if given["verbose"] not in (0, 2) and not any(
        isinstance(callback, keras.callbacks.ProgbarLogger) for callback in callbacks
    ):
        raise NeedsFitError("a progress bar shows every batch")
    train, validation = _split(given)
    batch_size, steps = given["batch_size"], given["steps_per_epoch"]
    return FitArguments(
        train=_samples(_weighted(train, given["class_weight"]), batch_size, steps),
        validation=None
        if validation is None
        else _samples(
            validation, given["validation_batch_size"] or batch_size, given["validation_steps"]
        ),
        epochs=range(given["initial_epoch"], given["epochs"]),
        shuffle=given["shuffle"],
        validation_freq=given["validation_freq"],
        callbacks=callbacks,
        verbose=given["verbose"],
    )


def may_miss_batches(callback: keras.callbacks.Callback) -> bool:
    """Tells whether a callback says that it need not see every batch.

    Args:
        callback: A callback.

    Returns:
        Its `may_miss_batches`; False if it has none.

    Example:
        >>> may_miss_batches(keras.callbacks.TerminateOnNaN())
        False
    """
    return bool(getattr(callback, "may_miss_batches", False))


def may_change_model(callback: keras.callbacks.Callback) -> bool:
    """Tells whether a callback of the user's may change a model before its first step.

    Args:
        callback: A callback.

    Returns:
        Whether it has a hook of its own at the beginning.

    Example:
        >>> may_change_model(keras.callbacks.EarlyStopping())
        False
    """
    known = type(callback).__module__.partition(".")[0] in ("keras", "kt_hpo")
    return any(
        name in vars(callback) if known else _overrides(callback, name) for name in _BEGIN_HOOKS
    )


def _overrides(callback: Any, name: str) -> bool:
    """Tell whether a callback has a hook of its own, on its class or on itself."""
    hook = getattr(callback, name, None)
    return getattr(hook, "__func__", hook) is not getattr(keras.callbacks.Callback, name)


def _split(given: Mapping[str, Any]) -> tuple[tuple[Any, ...], tuple[Any, ...] | None]:
    """Return what to train and what to validate with, parted as Keras does: the last samples."""
    whole = _arrays((given["x"], given["y"], given["sample_weight"]))
    data, split = given["validation_data"], given["validation_split"]
    if data is not None:
        if not isinstance(data, tuple | list) or len(data) not in (2, 3):
            raise NeedsFitError("the validation data are not in memory")
        return whole, _arrays((*data, None)[:3])
    if not split:
        return whole, None
    at = math.floor(_count(whole) * (1.0 - split))
    return (
        keras.tree.map_structure(lambda array: array[:at], whole),
        keras.tree.map_structure(lambda array: array[at:], whole),
    )


def _arrays(data: Sequence[Any]) -> tuple[Any, ...]:
    """Return x, y and weights, as far as they are there, in arrays of the types Keras trains on."""
    there = [part for part in data if part is not None]
    if data[0] is None or (data[1] is None and data[2] is not None):
        raise NeedsFitError("there are no samples, or weights without targets")
    made = keras.tree.lists_to_tuples(keras.tree.map_structure(_array, tuple(there)))
    counts = {leaf.shape[0] for leaf in keras.tree.flatten(made)}
    if len(counts) != 1 or 0 in counts:
        raise NeedsFitError("the arrays are of several lengths")
    return tuple(made)


def _array(leaf: Any) -> Any:
    """Return an array of numbers; floats are of Keras' type, as in `fit`."""
    kind = type(leaf)
    if kind.__module__.partition(".")[0] == "pandas" and hasattr(leaf, "to_numpy"):
        leaf = leaf.to_numpy() if leaf.ndim == 2 else np.expand_dims(leaf.to_numpy(), -1)
    elif not (kind is np.ndarray or _is_shared(leaf) or keras.ops.is_tensor(leaf)):
        raise NeedsFitError(f"data of type {kind.__name__} are not in memory")
    dtype = keras.backend.standardize_dtype(leaf.dtype) if leaf.dtype != object else "object"
    if not len(leaf.shape) or not dtype.startswith(("float", "bfloat", "int", "uint", "bool")):
        raise NeedsFitError(f"data of type {dtype} are left to fit")
    if dtype.startswith(("float", "bfloat")) and dtype != keras.config.floatx():
        return keras.ops.cast(leaf, keras.config.floatx())
    return leaf


def _is_shared(leaf: Any) -> bool:
    """Whether it is an array that says itself how TensorFlow takes it, as workers' shared ones."""
    return isinstance(leaf, np.ndarray) and hasattr(leaf, "__tf_tensor__")


def _count(arrays: tuple[Any, ...]) -> int:
    return int(keras.tree.flatten(arrays)[0].shape[0])


def _samples(arrays: tuple[Any, ...], batch_size: int | None, steps: int | None) -> Samples:
    """Return samples with the size of their batches, as `fit` finds it."""
    count = _count(arrays)
    size = batch_size or (math.ceil(count / steps) if steps else 32)
    return Samples(keras.utils.pack_x_y_sample_weight(*arrays), count, int(size), steps)


def _weighted(data: tuple[Any, ...], class_weight: Mapping[int, float] | None) -> tuple[Any, ...]:
    """Return samples with the weights of their classes, or of each output, as Keras has them."""
    if len(data) == 3:
        if class_weight is not None:
            raise NeedsFitError("there are both class and sample weights")
        x, y, weight = data
        if keras.tree.is_nested(y) and not keras.tree.is_nested(weight):
            weight = keras.tree.map_structure(lambda _: weight, y)
        return x, y, weight
    if class_weight is None:
        return data
    if len(data) == 1 or keras.tree.is_nested(data[1]):
        raise NeedsFitError("class weights are for one output")
    classes = np.asarray(data[1])
    if classes.ndim > 1:
        last = classes.shape[-1]
        classes = np.squeeze(classes, -1) if last == 1 else np.argmax(classes, axis=-1)
    numbers, places = np.unique(np.round(classes).astype("int32"), return_inverse=True)
    weights = np.array([class_weight.get(int(n), 1.0) for n in numbers], keras.config.floatx())
    return *data, weights[places.reshape(classes.shape)]
