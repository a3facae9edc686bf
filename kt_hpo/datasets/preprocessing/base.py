"""What every preprocessing promises: raw rows to arrays, and a model of raw rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from kt_hpo.startup import grow_memory

if TYPE_CHECKING:
    import keras

# Bytes of one batch of raw rows on their way through the layers, about.
_BATCH_BYTES = 2**24

RawInputs = np.ndarray | dict[str, np.ndarray]


@dataclass(frozen=True)
class Group:
    """Columns of the transformed array that come from one raw column.

    Args:
        name: Name of the raw column.
        kind: What they are: `"number"` (standardized), `"quantile"` (the same column, its values
            spread evenly), `"missing"` (1 where it has no value), `"boolean"`, `"date"` (trend and
            cycles), `"category"` (one-hot) or `"text"` (TF-IDF).
        start: Index of the first of them.
        size: How many they are.

    Example:
        >>> group = Group("home", "category", start=2, size=3)
        >>> np.arange(6)[group.start : group.start + group.size]
        array([2, 3, 4])
    """

    name: str
    kind: str
    start: int
    size: int


class Preprocessing(ABC):
    """Turns raw rows into the array that models are trained on, by layers of Keras.

    It is learned from the train split alone. `transform` runs its layers once, before a search;
    `attach` puts the very same layers before a trained model, which takes raw rows from then on,
    and which `keras.models.load_model` loads without this package.

    Attributes:
        kind: Its name in a config.
        groups: Which columns of the transformed array belong together; empty if they are alike.
        vocabulary_size: Number of different token ids, of texts as sequences; None for all else.
        token_weights: Inverse document frequency of each of them; None where it is not known.
    """

    kind: ClassVar[str]
    token_weights: tuple[float, ...] | None = None

    @property
    def groups(self) -> tuple[Group, ...]:
        """Which columns of the transformed array belong together; empty if they are alike."""
        return ()

    @property
    def vocabulary_size(self) -> int | None:
        """Number of different token ids, of texts as sequences; None for all else."""
        return None

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Names of a table's columns that hold texts, even where they look like numbers."""
        return ()

    @abstractmethod
    def inputs(self, raw: Any) -> RawInputs:
        """Gives raw rows as the arrays that an attached model takes.

        Args:
            raw: Raw rows: a data frame or columns by name for a table, else an array.

        Returns:
            An array, or arrays by the name of their column.

        Raises:
            ValueError: If columns are missing or hold what they cannot. Says which, where and what
                to do.
        """

    @abstractmethod
    def symbols(self) -> Any:
        """Makes the symbolic inputs of an attached model.

        Returns:
            One `keras.KerasTensor`, or a dictionary of several by name.
        """

    @abstractmethod
    def apply(self, inputs: Any) -> Any:
        """Runs the layers.

        Args:
            inputs: Arrays as from `inputs`, of shape `(rows, 1)` where these have `(rows,)`; or
                `symbols`.

        Returns:
            The transformed rows.
        """

    @abstractmethod
    def to_config(self) -> dict[str, Any]:
        """Describes all that was learned.

        Returns:
            What JSON can hold, and `from_config` reads.
        """

    def transform(self, raw: Any) -> np.ndarray:
        """Turns raw rows into the array that models are trained on.

        Args:
            raw: As for `inputs`.

        Returns:
            Array of shape `(rows, ...)`, float32 (int32 token ids for texts as sequences).

        Raises:
            ValueError: As for `inputs`.
        """
        import keras

        grow_memory()
        rows = self.inputs(raw)
        arrays = list(rows.values()) if isinstance(rows, dict) else [rows]
        total = len(arrays[0])
        row_bytes = max(1, sum(array.nbytes for array in arrays) // max(1, total))
        step = max(256, _BATCH_BYTES // row_bytes)
        transformed: Any = None
        for start in range(0, max(1, total), step):
            part = slice(start, start + step)
            batch = (
                {key: _in_rows(rows[key][part]) for key in rows}
                if isinstance(rows, dict)
                else _in_rows(rows[part])
            )
            values = keras.ops.convert_to_numpy(self.apply(batch))
            if transformed is None:
                # One allocation: the transformed rows of large data are never held twice.
                transformed = np.empty((total, *values.shape[1:]), values.dtype)
            transformed[part] = values
        return transformed

    def attach(self, model: keras.Model) -> keras.Model:
        """Puts the layers before a trained model.

        Args:
            model: A model of transformed rows; its weights are shared, not copied.

        Returns:
            A model of raw rows (see `inputs`), compiled with the loss and metrics of the other, and
            without its optimizer: that may be of a class which a program that predicts has not.
        """
        import keras

        inputs = self.symbols()
        outputs = _untrained(model)(self.apply(inputs))
        attached = keras.Model(inputs, outputs, name=model.name)
        if compiled := model.get_compile_config():
            attached.compile_from_config({**compiled, "optimizer": "sgd"})
        return attached


def _untrained(model: keras.Model) -> keras.Model:
    """The same layers in a model that was never compiled, where Keras knows how they are called.

    A layer with `for_prediction` gives the one of Keras that does the same outside of training.
    """
    import keras

    from kt_hpo._private_apis.keras import layers_of

    if type(model).__module__.partition(".")[0] != "keras" or not model.built:
        return model
    if any(hasattr(layer, "for_prediction") for layer in layers_of(model)):
        model = keras.models.clone_model(model, clone_function=_for_prediction, recursive=True)
    return keras.Model(model.inputs, model.outputs, name=model.name)


def _for_prediction(layer: keras.Layer) -> keras.Layer:
    return layer.for_prediction() if hasattr(layer, "for_prediction") else layer


def _in_rows(array: np.ndarray) -> np.ndarray:
    """An array of at least two dimensions."""
    return array[:, None] if array.ndim == 1 else array


def rows_of(raw: Mapping[str, Any] | Any) -> int:
    """Counts raw rows.

    Args:
        raw: A data frame, columns by name, or an array.

    Returns:
        Their number.

    Example:
        >>> rows_of({"size": [1, 2, 3]}), rows_of(np.zeros((2, 5)))
        (3, 2)
    """
    if isinstance(raw, Mapping):
        return len(next(iter(raw.values()), ()))
    return len(raw)
