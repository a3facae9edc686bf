"""What `model.fit` is asked to do: its arguments, read without training."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import keras
import keras_tuner
import numpy as np

from kt_hpo.training import fit
from kt_hpo.training.model_parts import CannotShareError
from kt_hpo.training.vectorized.learner import Batch
from kt_hpo.training.vectorized.program import Sizes, count

_UNDERSTOOD = {
    "x", "y", "batch_size", "epochs", "verbose", "callbacks", "validation_split",
    "validation_data", "shuffle", "class_weight", "sample_weight", "initial_epoch",
    "validation_batch_size",
}  # fmt: skip

_KEPT = 2


@dataclass(frozen=True)
class VectorizedFit:
    """A training, as the arguments of `model.fit` describe it.

    Attributes:
        train: The samples to train with, in NumPy arrays.
        validation: The samples to validate with, if any.
        sizes: The sizes of the batches.
        epochs: The epochs, counted from 0.
        shuffle: Whether and how samples are shuffled.
        class_weights: Weights of the classes in `train.label`, by their numbers; None for none.
        key: The same for trainings on the same data, while `source` is kept.
        source: The user's own data.
    """

    train: Batch
    validation: Batch | None
    sizes: Sizes
    epochs: range
    shuffle: bool | str
    class_weights: np.ndarray | None
    key: tuple[Any, ...]
    source: list[Any]

    @property
    def steps(self) -> int:
        """The number of steps in an epoch."""
        return -(-count(self.train) // self.sizes.batch)


class _Asked:
    """Stands for a model while a hypermodel's `fit` tells what it wants of it."""

    def __init__(self) -> None:
        self.arguments: dict[str, Any] = {}

    def fit(self, *args: Any, **kwargs: Any) -> _Asked:
        self.arguments = inspect.signature(keras.Model.fit).bind(self, *args, **kwargs).arguments
        self.arguments.pop("self")
        return self


def asked(
    hypermodel: keras_tuner.HyperModel,
    hp: keras_tuner.HyperParameters,
    fit_args: tuple[Any, ...],
    fit_kwargs: dict[str, Any],
) -> dict[str, Any]:
    """Finds what a hypermodel's `fit` would call `model.fit` with.

    Args:
        hypermodel: The hypermodel.
        hp: The hyperparameters of a trial; those that `fit` alone asks for are added.
        fit_args: Positional arguments of `search`.
        fit_kwargs: Keyword arguments of `search`.

    Returns:
        The arguments of `model.fit` by their names.

    Raises:
        CannotShareError: If it does anything else than call `model.fit`.
    """
    model = _Asked()
    kwargs = {**fit_kwargs, **fit.epochs_of(hp.values)}
    kwargs["callbacks"] = list(kwargs.get("callbacks") or [])  # There are some in every training.
    try:
        returned = hypermodel.fit(hp, model, *fit_args, **kwargs)
    except Exception as error:  # Whatever a user's code raises that wants a real model.
        raise CannotShareError("the hypermodel's fit does more than model.fit") from error
    if returned is not model or not model.arguments:
        raise CannotShareError("the hypermodel's fit does more than model.fit")
    return model.arguments


def read(arguments: dict[str, Any]) -> VectorizedFit:
    """Reads the arguments of `model.fit`.

    Args:
        arguments: What `asked` gave.

    Returns:
        The training they describe.

    Raises:
        CannotShareError: If the data are not in memory, or an argument is not understood.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    for name in given:
        if name not in _UNDERSTOOD:
            raise CannotShareError(f"fit is called with {name}")
    if "class_weight" in given and "sample_weight" in given:
        raise CannotShareError("there are both class and sample weights")
    whole = _in_memory((given.get("x"), given.get("y"), given.get("sample_weight")), "the data")
    train, validation = _split(whole, given)
    class_weights = None
    if "class_weight" in given:
        train = train._replace(label=_labels(train.y))
        class_weights = _class_weights(given["class_weight"], int(train.label.max()))
    batch = given.get("batch_size", 32)
    names = ("x", "y", "sample_weight", "validation_data")
    source = [leaf for name in names for leaf in keras.tree.flatten(given.get(name))]
    return VectorizedFit(
        train=train,
        validation=validation,
        sizes=Sizes(batch, given.get("validation_batch_size", batch)),
        epochs=range(given.get("initial_epoch", 0), given.get("epochs", 1)),
        shuffle=given.get("shuffle", True),
        class_weights=class_weights,
        key=(
            *map(id, source),
            given.get("validation_split"),
            class_weights is not None and len(class_weights),
        ),
        source=source,
    )


def build_as_fit(model: keras.Model, x: Any) -> None:
    """Gives a `Sequential` without an `Input` its weights, as `model.fit` does at its first batch.

    Args:
        model: A model; one of another kind, or that has its weights, is left as it is.
        x: The samples to train with.
    """
    if type(model) is keras.Sequential and not model.built and isinstance(x, np.ndarray):
        model.build((None, *x.shape[1:]))


def _split(whole: Batch, given: dict[str, Any]) -> tuple[Batch, Batch | None]:
    """Parts samples as Keras does, the last ones for validation."""
    if "validation_data" in given:
        data = given["validation_data"]
        if not isinstance(data, tuple | list) or len(data) not in (2, 3):
            raise CannotShareError("the validation data are not in memory")
        return whole, _in_memory((*data, None)[:3], "the validation data")
    if not given.get("validation_split"):
        return whole, None
    samples = len(keras.tree.flatten(whole.x)[0])
    at = int(np.floor(samples * (1.0 - given["validation_split"])))
    return _rows(whole, slice(None, at)), _rows(whole, slice(at, None))


def _in_memory(parts: tuple[Any, ...], what: str) -> Batch:
    def array(leaf: Any) -> Any:
        if leaf is None:
            return None
        # Tensors and frames give their array; pipelines and generators have none.
        if not hasattr(leaf, "__array__"):
            raise CannotShareError(f"{what} are not in memory")
        made = np.asarray(leaf)
        if made.dtype == object or made.ndim == 0 or made.dtype.kind in "US":
            raise CannotShareError(f"{what} are not numbers")
        floating = np.issubdtype(made.dtype, np.floating)
        return made.astype(keras.config.floatx(), copy=False) if floating else made

    x, y, weight = (keras.tree.map_structure(array, part) for part in parts)
    if x is None or y is None:
        raise CannotShareError("there are no targets")
    return Batch(x, y, weight)


def _rows(data: Batch, rows: slice) -> Batch:
    return keras.tree.map_structure(lambda a: None if a is None else a[rows], data)


def _labels(y: Any) -> np.ndarray:
    """The number of each sample's class, as Keras finds it."""
    if keras.tree.is_nested(y):
        raise CannotShareError("there are class weights for several outputs")
    classes = y
    if y.ndim > 1:
        classes = np.argmax(y, axis=-1) if y.shape[-1] != 1 else np.squeeze(y, axis=-1)
    return np.round(classes).astype("int32")


def _class_weights(weights: dict[int, float], last: int) -> np.ndarray:
    """The weights of all classes by their numbers; of one that is not named, 1."""
    count = 1 + max(last, *weights)
    return np.array([weights.get(number, 1.0) for number in range(count)], "float32")


class Tensors:
    """Data as tensors, made once; those that were used last stay."""

    def __init__(self) -> None:
        self._made: dict[tuple[Any, ...], tuple[VectorizedFit, tuple[Batch, Batch | None]]] = {}

    def of(self, fit: VectorizedFit) -> tuple[Batch, Batch | None]:
        """Gives the data of a training.

        Args:
            fit: The training.

        Returns:
            Its samples for training and for validation.
        """
        made = self._made.pop(fit.key, None) or (
            fit,
            (_tensors(fit.train), _tensors(fit.validation)),
        )
        self._made[fit.key] = made
        for key in list(self._made)[:-_KEPT]:
            del self._made[key]
        return made[1]


def _tensors(data: Any) -> Any:
    return keras.tree.map_structure(
        lambda array: None if array is None else keras.ops.convert_to_tensor(array), data
    )
