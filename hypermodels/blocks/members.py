"""Several networks in one: members that share weights, each trained by a loss of its own."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def repeated(x: Any, members: int, name: str = "members") -> Any:
    """Gives each member of a network the features with scales of its own.

    After Gorishniy et al. 2025, "TabM: Advancing Tabular Deep Learning with Parameter-Efficient
    Ensembling" ("TabM-mini"): dense layers over the last axis are shared by all members, which
    differ in these scales and in their output.

    Args:
        x: Tensor of shape `(batch, features)`.
        members: How many there are.
        name: Prefix of the layers' names.

    Returns:
        Tensor of shape `(batch, members, features)`.

    Example:
        >>> repeated(keras.Input((3,)), members=4).shape
        (None, 4, 3)
    """
    return keras.layers.EinsumDense(
        "bki,ki->bki",
        (members, x.shape[-1]),
        kernel_initializer=keras.initializers.RandomNormal(stddev=1.0),
        name=f"{name}_scaled",
    )(keras.layers.RepeatVector(members, name=name)(x))


def averaged(x: Any, outputs: int, num_classes: int | None, name: str) -> Any:
    """Gives each member an output of its own, and averages them.

    Args:
        x: Tensor of shape `(batch, members, features)`.
        outputs: How many numbers are predicted.
        num_classes: Number of classes; None for regression.
        name: Name of the layer.

    Returns:
        Tensor of shape `(batch, outputs)`: values, or the logarithms of odds.

    Example:
        >>> averaged(keras.Input((4, 8)), outputs=3, num_classes=3, name="odds").shape
        (None, 3)
    """
    members = x.shape[1]
    x = keras.layers.EinsumDense(
        "bki,kio->bko", (members, outputs), bias_axes="ko", name=f"{name}_of_members"
    )(x)
    return Average(num_classes, name=f"{name}_mean")(x)


@keras.saving.register_keras_serializable(package="hypermodels")
class Average(keras.layers.Layer):
    """Averages what members say, and adds in training what makes the loss the mean of theirs.

    With the mean `z` of the members' `z_j`, the loss of `z` is less than the mean of their losses,
    by their ambiguity (Krogh & Vedelsby 1995, equation 6): the mean of `(z_j - z)^2` for squared
    errors, and the mean of `lse(z_j)` less `lse(z)`, the logarithm of the sum of exponentials, for
    cross entropies. Trained on the loss of `z` alone they would be one large network.

    Args:
        num_classes: Number of classes; None for regression.
        **layer: As for `keras.layers.Layer`.

    Example:
        >>> ops.convert_to_numpy(Average(None)(ops.array([[[1.0], [3.0]]]))).tolist()
        [[2.0]]
    """

    def __init__(self, num_classes: int | None, **layer: Any) -> None:
        super().__init__(**layer)
        self.num_classes = num_classes

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Averages.

        Args:
            inputs: Tensor of shape `(batch, members, outputs)`.
            training: Whether the loss is to be theirs.

        Returns:
            Tensor of shape `(batch, outputs)`.
        """
        mean = ops.mean(inputs, axis=1)
        if training:
            self.add_loss(self._ambiguity(inputs, mean))
        return mean

    def _ambiguity(self, z: Any, mean: Any) -> Any:
        if self.num_classes is None:
            return ops.mean(ops.square(z - ops.expand_dims(mean, 1)))
        if self.num_classes == 2:
            return ops.mean(ops.softplus(z)) - ops.mean(ops.softplus(mean))
        return ops.mean(ops.logsumexp(z, axis=-1)) - ops.mean(ops.logsumexp(mean, axis=-1))

    def for_prediction(self) -> keras.layers.Layer:
        """Gives the layer of Keras that does the same outside of training."""
        return keras.layers.GlobalAveragePooling1D(name=self.name)

    def get_config(self) -> dict[str, Any]:
        """Returns what a saved model needs to make the layer again."""
        return {**super().get_config(), "num_classes": self.num_classes}
