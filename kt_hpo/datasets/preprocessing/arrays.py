"""Arrays of numbers, and images: standardized, scaled, or as they are."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from kt_hpo.datasets.preprocessing.base import Preprocessing


def wide_type(low: float, high: float, spread: float, whole: bool) -> str:
    """Chooses the type of a raw input: float32, unless that rounds away what makes rows differ.

    Args:
        low: Smallest value.
        high: Largest value.
        spread: Standard deviation, 1 for a constant.
        whole: Whether all values are whole numbers.

    Returns:
        `"float32"`; for large offsets, such as time stamps, an integer type if it can hold them,
        else `"float64"`. (`predict` of Keras rounds floats to float32 before the model sees them,
        but not integers; JAX has no types of 64 bits, unless it is told so.)

    Example:
        >>> wide_type(0, 9, 3, True), wide_type(1.7e9, 1.7e9 + 60, 20, True)
        ('float32', 'int32')
    """
    import keras

    largest = max(abs(low), abs(high))
    fits = largest < 1e30 and spread > 1e-30 and largest < 2e4 * spread
    if fits or largest == 0:
        return "float32"
    if whole and largest < 2**31:
        return "int32"
    if keras.backend.backend() == "jax":
        return "float32"
    return "int64" if whole and largest < 2**53 else "float64"


def standardize(x: Any, mean: Any, std: Any, dtype: str) -> Any:
    """Standardizes raw values; integers and float64 come near 0 before they are made float32.

    Args:
        x: Raw values of that type, or their symbol.
        mean: Means along the last axis.
        std: Standard deviations along the last axis.
        dtype: The type, as from `wide_type`.

    Returns:
        Float32 values, or their symbol.

    Example:
        >>> import keras
        >>> near = standardize(np.array([[2**30 + 1]], "int32"), [2**30], [2.0], "int32")
        >>> keras.ops.convert_to_numpy(near).tolist()
        [[0.5]]
    """
    from keras import ops

    mean, std = np.asarray(mean, np.float64), np.asarray(std, np.float64)
    if dtype == "float64":
        x = ops.divide(ops.subtract(x, mean), std)
        return ops.cast(x, "float32")
    if dtype != "float32":
        center = np.rint(mean)
        x = ops.cast(ops.subtract(x, center.astype(dtype)), "float32")
        mean = mean - center
    return ops.divide(ops.subtract(x, mean.astype(np.float32)), std.astype(np.float32))


@dataclass(frozen=True)
class ArrayPreprocessing(Preprocessing):
    """Standardizes the last axis of numeric arrays: the columns of a table, features of sequences.

    Args:
        shape: Shape of a raw sample.
        mean: Mean of each feature.
        std: Standard deviation of each feature, 1 where it is constant.
        dtype: Type of the raw input.

    Example:
        >>> rows = np.array([[1.0, 10.0], [3.0, 30.0]])
        >>> ArrayPreprocessing.learn(rows).transform(rows)
        array([[-1., -1.],
               [ 1.,  1.]], dtype=float32)
    """

    kind: ClassVar[str] = "array"
    shape: tuple[int, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    dtype: str = "float32"

    @classmethod
    def learn(cls, rows: np.ndarray) -> ArrayPreprocessing:
        """Learns means and deviations.

        Args:
            rows: Raw samples to learn from, shape `(samples, ..., features)`.

        Returns:
            The preprocessing.
        """
        axes = tuple(range(rows.ndim - 1))
        # In float64, so that large offsets (time stamps) do not round the differences away.
        mean = rows.mean(axis=axes, dtype=np.float64)
        std = deviations(rows, mean, axes)
        low, high = rows.min(axis=axes), rows.max(axis=axes)
        whole = rows.dtype.kind in "biu"
        types = {
            wide_type(float(a), float(b), s, whole) for a, b, s in zip(low, high, std, strict=True)
        }
        # Integer types are for whole numbers, so all columns have one of them, or none has.
        dtype = max(types, key=("float32", "int32", "int64", "float64").index)
        return cls(rows.shape[1:], tuple(mean.tolist()), tuple(std.tolist()), dtype)

    def inputs(self, raw: Any) -> np.ndarray:
        """Gives raw samples in the type of the input; see `Preprocessing.inputs`."""
        return checked(raw, self.shape).astype(self.dtype, copy=False)

    def symbols(self) -> Any:
        """Makes the symbolic input; see `Preprocessing.symbols`."""
        import keras

        return keras.Input(self.shape, dtype=self.dtype)

    def apply(self, inputs: Any) -> Any:
        """Standardizes; see `Preprocessing.apply`."""
        return standardize(inputs, self.mean, self.std, self.dtype)

    def to_config(self) -> dict[str, Any]:
        """Gives all that was learned as what JSON can hold."""
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True)
class ImagePreprocessing(Preprocessing):
    """Scales pixels, unsigned integers, to [0, 1].

    Args:
        shape: Height, width and channels of an image; without channels too.
        dtype: Type of the pixels, `"uint8"` or `"uint16"`.

    Example:
        >>> ImagePreprocessing((1, 2), "uint8").transform(np.uint8([[[0, 255]]]))
        array([[[0., 1.]]], dtype=float32)
    """

    kind: ClassVar[str] = "image"
    shape: tuple[int, ...]
    dtype: str = "uint8"

    def inputs(self, raw: Any) -> np.ndarray:
        """Gives raw pixels; see `Preprocessing.inputs`."""
        pixels = checked(raw, self.shape)
        if pixels.dtype.kind == "f" and (pixels % 1 != 0).any():
            raise ValueError(
                f"Images of {pixels.dtype} are no raw pixels: give {self.dtype} from 0 to "
                f"{np.iinfo(self.dtype).max}, not scaled."
            )
        return pixels.astype(self.dtype, copy=False)

    def symbols(self) -> Any:
        """Makes the symbolic input; see `Preprocessing.symbols`."""
        import keras

        return keras.Input(self.shape, dtype=self.dtype)

    def apply(self, inputs: Any) -> Any:
        """Scales; see `Preprocessing.apply`."""
        import keras

        return keras.layers.Rescaling(1 / np.iinfo(self.dtype).max)(inputs)

    def to_config(self) -> dict[str, Any]:
        """Gives all that was learned as what JSON can hold."""
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True)
class NoPreprocessing(Preprocessing):
    """Leaves arrays of numbers as they are.

    Args:
        shape: Shape of a sample.

    Example:
        >>> NoPreprocessing((2,)).transform([[1, 2]])
        array([[1., 2.]], dtype=float32)
    """

    kind: ClassVar[str] = "none"
    shape: tuple[int, ...]

    def inputs(self, raw: Any) -> np.ndarray:
        """Gives raw samples as float32; see `Preprocessing.inputs`."""
        return checked(raw, self.shape).astype(np.float32, copy=False)

    def symbols(self) -> Any:
        """Makes the symbolic input; see `Preprocessing.symbols`."""
        import keras

        return keras.Input(self.shape)

    def apply(self, inputs: Any) -> Any:
        """Gives what it gets; see `Preprocessing.apply`."""
        return inputs

    def transform(self, raw: Any) -> np.ndarray:
        """Gives raw samples as float32; see `Preprocessing.transform`."""
        return self.inputs(raw)

    def attach(self, model: Any) -> Any:
        """Gives the model itself; see `Preprocessing.attach`."""
        return model

    def to_config(self) -> dict[str, Any]:
        """Gives all that was learned as what JSON can hold."""
        return {"kind": self.kind, **asdict(self)}


def deviations(rows: np.ndarray, mean: np.ndarray, axes: Any = 0) -> np.ndarray:
    """Standard deviations of columns, 1 for those that are constant but for rounding.

    Args:
        rows: Numbers.
        mean: Their means along the axes.
        axes: The axes of the samples.

    Returns:
        One a column, float64.

    Example:
        >>> deviations(np.array([[1.0, 2.0], [3.0, 2.0]]), np.array([2.0, 2.0]))
        array([1., 1.])
    """
    std = rows.std(axis=axes, dtype=np.float64)
    # As scikit-learn's StandardScaler: below what rounding makes of a constant.
    constant = std <= 10 * np.finfo(np.float64).eps * np.abs(mean)
    return np.where(constant | (std == 0), 1.0, std)


def checked(raw: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Refuses what are no numeric samples of a shape.

    Args:
        raw: Samples.
        shape: Shape of a sample.

    Returns:
        Them as an array of shape `(samples, *shape)`.

    Raises:
        ValueError: If they are something else.

    Example:
        >>> checked([1, 2], (1,)).shape
        (2, 1)
    """
    array = np.asarray(raw)
    if array.ndim == 1 and shape == (1,):
        array = array[:, None]
    if array.shape[1:] != tuple(shape) or array.ndim == 0 or array.dtype.kind not in "biuf":
        raise ValueError(
            f"Samples of shape {array.shape[1:]} and type {array.dtype} do not fit: the model was "
            f"trained on numbers of shape {tuple(shape)}, one such sample a row."
        )
    return array
