"""Keras Tuner's hyperparameters, corrected where their values were measured to be wrong.

A stepped `Float` of Keras Tuner never gives its maximum (`Float(0, 0.5, step=0.1)` has no 0.5) and
collects rounding errors, reverse-log sampling rounds to values outside the range, and
`Choice([True, False])` turns into the integers 1 and 0. Everything else is Keras Tuner's own; a
plain `keras_tuner.HyperParameters` is taken wherever one of these is.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Self

import keras_tuner
from keras_tuner.engine.hyperparameters import Boolean, Fixed, HyperParameter
from keras_tuner.engine.hyperparameters import Choice as KerasTunerChoice
from keras_tuner.engine.hyperparameters import Float as KerasTunerFloat
from keras_tuner.engine.hyperparameters import Int as KerasTunerInt

__all__ = ["Boolean", "Choice", "Fixed", "Float", "HyperParameter", "HyperParameters", "Int"]

Value = bool | int | float | str


class Int(KerasTunerInt):
    """An integer that rounding never takes out of its range.

    Args:
        name: Name of the hyperparameter.
        min_value: Lowest value.
        max_value: Highest value, included.
        step: Distance of two values (`sampling="linear"`) or their ratio (the logarithmic ones).
        sampling: `"linear"`, `"log"` or `"reverse_log"`.
        default: Value before anything is searched; `min_value` if not given.
        **kwargs: `conditions`, as in Keras Tuner.

    Example:
        >>> Int("units", 121, 242, sampling="reverse_log").prob_to_value(0.0)
        121
    """

    def prob_to_value(self, prob: float) -> int:
        """Turns a number from 0 to 1 into a value; see Keras Tuner."""
        return min(max(super().prob_to_value(prob), self.min_value), self.max_value)


class Float(KerasTunerFloat):
    """A float whose steps reach the maximum and are exact decimals.

    Args:
        name: Name of the hyperparameter.
        min_value: Lowest value.
        max_value: Highest value, included.
        step: Distance of two values (`sampling="linear"`) or their ratio (the logarithmic ones).
        sampling: `"linear"`, `"log"` or `"reverse_log"`.
        default: Value before anything is searched; `min_value` if not given.
        **kwargs: `conditions`, as in Keras Tuner.

    Example:
        >>> list(Float("rate", 0, 0.5, step=0.1).values)
        [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    """

    def prob_to_value(self, prob: float) -> float:
        """Turns a number from 0 to 1 into a value; see Keras Tuner."""
        return min(max(super().prob_to_value(prob), self.min_value), self.max_value)

    def _get_n_values(self) -> int:
        if self.sampling == "linear":
            return math.floor((self.max_value - self.min_value) / self.step + 1e-8) + 1
        return super()._get_n_values()

    def _get_value_by_index(self, index: int) -> float:
        if self.sampling == "linear":
            value = float(Decimal(str(self.min_value)) + index * Decimal(str(self.step)))
        else:
            value = super()._get_value_by_index(index)
        return min(max(value, self.min_value), self.max_value)

    def _to_prob_with_step(self, value: float) -> float:
        count = self._get_n_values()
        nearest = min(range(count), key=lambda index: abs(self._get_value_by_index(index) - value))
        return (nearest + 0.5) / count


class Choice(KerasTunerChoice):
    """A choice that leaves booleans booleans.

    Args:
        name: Name of the hyperparameter.
        values: The values to choose from, all str, all int, all float or all bool.
        ordered: Whether the values have an order; numbers have one unless told otherwise.
        default: One of the values; the first if not given.
        **kwargs: `conditions`, as in Keras Tuner.

    Example:
        >>> Choice("shuffle", [True, False]).values
        [True, False]
    """

    def __init__(
        self,
        name: str,
        values: list[Any],
        ordered: bool | None = None,
        default: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, values, ordered=ordered, default=default, **kwargs)
        if all(isinstance(value, bool) for value in values):
            self._values = list(values)
            self._default = default
            self.ordered = bool(ordered)


class HyperParameters(keras_tuner.HyperParameters):
    """The space and the values of one trial, given to `HyperModel.build(hp)`.

    Used exactly like `keras_tuner.HyperParameters`, of which it is a subclass.

    Attributes:
        propose: Gives the value of a hyperparameter that is met for the first time; None for its
            default. Not part of a copy.

    Example:
        >>> hp = HyperParameters()
        >>> hp.Choice("bias", [True, False])
        True
    """

    propose: Callable[[HyperParameter], Value] | None = None

    def Choice(
        self,
        name: str,
        values: list[Any],
        ordered: bool | None = None,
        default: Any = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Choice of one of several values; see `keras_tuner.HyperParameters.Choice`."""
        with self._maybe_conditional_scope(parent_name, parent_values):
            return self._retrieve(
                Choice(
                    name=self._get_name(name),
                    values=values,
                    ordered=ordered,
                    default=default,
                    conditions=self._conditions,
                )
            )

    def _register(self, hyperparameter: HyperParameter, overwrite: bool = False) -> Any:
        hyperparameter = corrected(hyperparameter)
        is_new = hyperparameter.name not in self.values
        value = super()._register(hyperparameter, overwrite)
        if is_new and self.propose is not None and self.is_active(hyperparameter):
            value = self.values[hyperparameter.name] = self.propose(hyperparameter)
        return value

    def __getstate__(self) -> dict[str, Any]:
        # Who proposes stays in the process of the search.
        return {name: value for name, value in vars(self).items() if name != "propose"}

    def ensure_active_values(self) -> None:
        """Drops inactive values and gives missing active ones their default.

        Keras Tuner draws the missing ones without a seed; a default keeps a search repeatable. Of
        hyperparameters that share a name in several scopes it drops the value of the active one.
        """
        for hyperparameter in self.space:
            if self.is_active(hyperparameter):
                self.values.setdefault(hyperparameter.name, hyperparameter.default)
            elif not self.is_active(hyperparameter.name):
                self.values.pop(hyperparameter.name, None)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Makes the space and values that `get_config` described.

        Args:
            config: What `HyperParameters.get_config()` returned, also after a trip through JSON.

        Returns:
            A new instance.
        """
        hyperparameters = cls()
        for entry in config["space"]:
            kind = _KINDS[entry["class_name"]]
            # Keras Tuner's `from_config` writes into the dict it is given.
            hyperparameter = kind.from_config(copy.deepcopy(entry["config"]))
            hyperparameters._hps[hyperparameter.name].append(hyperparameter)
            hyperparameters._space.append(hyperparameter)
        hyperparameters.values = dict(config["values"])
        return hyperparameters

    def copy(self) -> Self:
        """Returns an independent copy of the space and its values."""
        return self.from_config(self.get_config())


_KINDS: dict[str, type[HyperParameter]] = {
    "Boolean": Boolean,
    "Choice": Choice,
    "Fixed": Fixed,
    "Float": Float,
    "Int": Int,
}


def corrected(hyperparameter: HyperParameter) -> HyperParameter:
    """Returns one of Keras Tuner's hyperparameters as ours, itself if it already is."""
    kind = _KINDS.get(type(hyperparameter).__name__)
    if kind is None or isinstance(hyperparameter, kind):
        return hyperparameter
    return kind.from_config(hyperparameter.get_config())
