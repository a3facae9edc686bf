"""The output of a model: which targets it is trained on, and how it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import keras
import numpy as np
from scipy.special import expit, softmax


@dataclass(frozen=True)
class Head:
    """What a model's only output is.

    Args:
        units: Its width.
        is_sparse: Whether its loss wants the numbers of classes, not one-hot rows.
        gives_logits: Whether it ends before its sigmoid or softmax.

    Example:
        >>> Head(units=3, is_sparse=False, gives_logits=False).labels(np.array([2, 0]), count=3)
        array([[0., 0., 1.],
               [1., 0., 0.]], dtype=float32)
    """

    units: int
    is_sparse: bool
    gives_logits: bool

    @classmethod
    def of(cls, model: keras.Model, X: np.ndarray) -> Self:
        """Reads the head of a compiled model; a model not built yet is built.

        Args:
            model: The model.
            X: Samples.

        Returns:
            The head.

        Raises:
            ValueError: If the model is not compiled, or its output is no single row of numbers.
        """
        if not model.compiled or not model.loss:
            raise ValueError(
                "The model has no loss; compile it in build(hp), with loss= among the arguments."
            )
        output: Any = model(X[:1], training=False)
        shape = getattr(output, "shape", None)
        if shape is None or len(shape) != 2:
            raise ValueError(
                f"The model's output is {output!r}; scikit-learn takes models with one output of "
                "shape (samples, units)."
            )
        loss = keras.tree.flatten(model.loss)[0]
        name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
        return cls(int(shape[1]), "sparse" in name.lower(), getattr(loss, "from_logits", False))

    def labels(self, codes: np.ndarray, count: int) -> np.ndarray:
        """Gives the targets that stand for classes.

        Args:
            codes: The number of each sample's class, from 0.
            count: How many classes there are.

        Returns:
            A column of 0 and 1 for a single unit; else the numbers, or one-hot rows.

        Raises:
            ValueError: If the head has too few units for so many classes.
        """
        if count > max(self.units, 2):
            raise ValueError(
                f"y has {count} classes, but the model's output is {self.units} wide; end it in "
                f'Dense({count}, activation="softmax").'
            )
        if self.units == 1:
            return codes[:, None].astype("float32")
        return codes if self.is_sparse else np.eye(self.units, dtype="float32")[codes]

    def probabilities(self, outputs: np.ndarray, count: int) -> np.ndarray:
        """Turns outputs into probabilities of classes.

        Args:
            outputs: What the model gives, a row a sample.
            count: How many classes there are.

        Returns:
            A row a sample and a column a class; units that stand for no class are left out.
        """
        outputs = outputs.astype("float64")
        if count == 1:
            return np.ones((len(outputs), 1))
        if self.units == 1:
            positive = expit(outputs) if self.gives_logits else outputs
            return np.hstack([1 - positive, positive])
        positive = softmax(outputs[:, :count], axis=1) if self.gives_logits else outputs[:, :count]
        return positive / positive.sum(axis=1, keepdims=True)

    def values(self, y: np.ndarray) -> np.ndarray:
        """Gives the targets of a regression, a column a unit.

        Args:
            y: The values, of one target or of several.

        Returns:
            A row a sample.

        Raises:
            ValueError: If the head has not one unit a target.
        """
        columns = y.reshape(len(y), -1)
        if columns.shape[1] != self.units:
            raise ValueError(
                f"y has {columns.shape[1]} targets, but the model's output is {self.units} wide; "
                f"end it in Dense({columns.shape[1]})."
            )
        return columns
