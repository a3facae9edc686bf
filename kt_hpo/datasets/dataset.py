"""One split of a data set, held in memory, and the three splits together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from kt_hpo.optional import require

if TYPE_CHECKING:
    import tensorflow as tf

    from kt_hpo.datasets.preprocessing import Preprocessing

Task = Literal["classification", "regression"]


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Inputs and targets in memory.

    Args:
        x: Inputs as models are trained on, float32, shape `(samples, *input_shape)`: images are in
            [0, 1]; texts are token ids, int32.
        y: Targets. Classification: int64 labels from 0, shape `(samples,)`. Regression: float32.
        name: Name of the data set the samples are from.
        task: `"classification"` or `"regression"`.
        class_names: The classes in the order of their labels; None for regression.
        preprocessing: What turned raw rows into `x`, learned from the train split: it transforms
            new rows, or is put before a trained model.
        target_scale: Mean and standard deviation of the train split's targets; None for
            classification, and for several targets a sample.
        target: Name of the column that is predicted, where it has one.
        findings: What the data show that their user should know, a sentence each.

    Example:
        >>> x, y = np.zeros((4, 2), "float32"), np.array([0, 1, 0, 1])
        >>> Dataset(x, y, "toy", "classification", ("no", "yes"))
        <Dataset 'toy': 4 samples of shape (2,), classification, 2 classes>
    """

    x: np.ndarray
    y: np.ndarray
    name: str
    task: Task
    class_names: tuple[str, ...] | None = None
    preprocessing: Preprocessing | None = None
    target_scale: tuple[float, float] | None = None
    target: str | None = None
    findings: tuple[str, ...] = ()

    @property
    def description(self) -> dict[str, Any]:
        """What a model has to know of the data to predict: its JSON is kept beside it.

        Its keys: `name`, `task`, `class_names`, `target`, `target_scale`, `input_shape`,
        `findings`, and `preprocessing`, a config (see `kt_hpo.datasets.preprocessing`).

        Example:
            >>> x, y = np.zeros((4, 2), "float32"), np.array([0, 1, 0, 1])
            >>> Dataset(x, y, "toy", "classification", ("no", "yes")).description["class_names"]
            ['no', 'yes']
        """
        learned = self.preprocessing
        return {
            "name": self.name,
            "task": self.task,
            "class_names": None if self.class_names is None else list(self.class_names),
            "target": self.target,
            "target_scale": None if self.target_scale is None else list(self.target_scale),
            "input_shape": list(self.input_shape),
            "findings": list(self.findings),
            "preprocessing": None if learned is None else learned.to_config(),
        }

    @property
    def num_classes(self) -> int | None:
        """Number of classes; None for regression."""
        return None if self.class_names is None else len(self.class_names)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input, without the batch."""
        return tuple(self.x.shape[1:])

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """`(x, y)`, ready for `model.fit(*train.arrays)`."""
        return self.x, self.y

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        classes = "" if self.num_classes is None else f", {self.num_classes} classes"
        samples = f"{len(self)} samples of shape {self.input_shape}"
        return f"<Dataset {self.name!r}: {samples}, {self.task}{classes}>"

    def concatenate(self, other: Dataset) -> Dataset:
        """Joins two splits, for example to train the best model again on train and validation.

        Args:
            other: A split of the same data set.

        Returns:
            A data set of this one's samples, then the other's.

        Raises:
            ValueError: If inputs, task or classes of the two differ.

        Example:
            >>> x, y = np.zeros((4, 2), "float32"), np.zeros(4, "float32")
            >>> half = Dataset(x, y, "toy", "regression")
            >>> len(half.concatenate(half))
            8
        """
        for trait in ("input_shape", "task", "class_names"):
            mine, theirs = getattr(self, trait), getattr(other, trait)
            if mine != theirs:
                raise ValueError(
                    f"{self.name!r} and {other.name!r} cannot be joined: "
                    f"their {trait} is {mine} and {theirs}. Join splits of one data set."
                )
        x, y = np.concatenate([self.x, other.x]), np.concatenate([self.y, other.y])
        return replace(self, x=x, y=y)

    def pipeline(
        self, batch_size: int = 32, shuffle: bool = False, seed: int | None = None
    ) -> tf.data.Dataset:
        """Makes an input pipeline: cached, shuffled, batched, prefetched.

        Args:
            batch_size: Samples in a batch; the last one may be smaller.
            shuffle: Whether to draw a new order of all samples each epoch.
            seed: Makes these orders the same in every run.

        Returns:
            A `tf.data.Dataset` of `(x, y)` batches.

        Raises:
            ImportError: If TensorFlow is not installed.

        Example:
            >>> x, y = np.zeros((5, 2), "float32"), np.zeros(5, "float32")
            >>> pipeline = Dataset(x, y, "toy", "regression").pipeline(batch_size=2)
            >>> [tuple(inputs.shape) for inputs, _ in pipeline]
            [(2, 2), (2, 2), (1, 2)]
        """
        tensorflow: Any = require("tensorflow")
        samples = tensorflow.data.Dataset.from_tensor_slices(self.arrays).cache()
        if shuffle:
            samples = samples.shuffle(max(1, len(self)), seed=seed)
        return samples.batch(batch_size).prefetch(tensorflow.data.AUTOTUNE)


class Splits(NamedTuple):
    """The three parts of a data set; a part whose fraction is 0 is empty.

    Attributes:
        train: What models are fitted on.
        validation: What trials are compared on.
        test: What nothing is chosen on.
    """

    train: Dataset
    validation: Dataset
    test: Dataset
