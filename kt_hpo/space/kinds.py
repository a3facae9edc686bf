"""The kinds of hyperparameters, Keras Tuner's, corrected where they were measured to be wrong.

A stepped `Float` of Keras Tuner never gives its maximum (`Float(0, 0.5, step=0.1)` has no 0.5) and
collects rounding errors, reverse-log sampling rounds to values outside the range,
`Choice([True, False])` turns into the integers 1 and 0, and a range, step or default that makes no
sense is accepted in silence. Everything else is Keras Tuner's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from keras_tuner.engine.hyperparameters import Boolean as KerasTunerBoolean
from keras_tuner.engine.hyperparameters import Choice as KerasTunerChoice
from keras_tuner.engine.hyperparameters import Fixed as KerasTunerFixed
from keras_tuner.engine.hyperparameters import Float as KerasTunerFloat
from keras_tuner.engine.hyperparameters import HyperParameter
from keras_tuner.engine.hyperparameters import Int as KerasTunerInt

from kt_hpo.space import plain_values, ranges
from kt_hpo.space.plain_values import number

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

    Raises:
        ValueError: If one of them is not allowed.

    Example:
        >>> Int("units", 121, 242, sampling="reverse_log").prob_to_value(0.0)
        121
    """

    def __init__(
        self,
        name: str,
        min_value: int,
        max_value: int,
        step: int | None = None,
        sampling: str | None = "linear",
        default: int | None = None,
        **kwargs: Any,
    ) -> None:
        where, name = f"hp.Int({name!r})", plain_values.name_of(name)
        low = number(where, "min_value", min_value, whole=True)
        high = number(where, "max_value", max_value, whole=True)
        step = None if step is None else number(where, "step", step, whole=True)
        sampling = ranges.sampling_of(where, sampling)
        if step is None and sampling == "linear":
            step = 1
        ranges.check_range(where, low, high, step, sampling)
        super().__init__(name, low, high, step=step, sampling=sampling, **kwargs)
        self._default = ranges.default_of(where, self, default, whole=True)

    @property
    def default(self) -> int:
        """The value before anything is searched."""
        return int(ranges.lowest(self)) if self._default is None else self._default

    def prob_to_value(self, prob: float) -> int:
        """Turns a number from 0 to 1 into a value; see Keras Tuner."""
        return min(max(super().prob_to_value(prob), self.min_value), self.max_value)

    def value_to_prob(self, value: int) -> float:
        """Turns a value into a number from 0 to 1; see Keras Tuner."""
        return super().value_to_prob(value) if self.step is None else ranges.prob_of(self, value)


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

    Raises:
        ValueError: If one of them is not allowed.

    Example:
        >>> list(Float("rate", 0, 0.5, step=0.1).values)
        [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    """

    def __init__(
        self,
        name: str,
        min_value: float,
        max_value: float,
        step: float | None = None,
        sampling: str | None = "linear",
        default: float | None = None,
        **kwargs: Any,
    ) -> None:
        where, name = f"hp.Float({name!r})", plain_values.name_of(name)
        low, high = number(where, "min_value", min_value), number(where, "max_value", max_value)
        step = None if step is None else number(where, "step", step)
        sampling = ranges.sampling_of(where, sampling)
        ranges.check_range(where, low, high, step, sampling)
        super().__init__(name, low, high, step=step, sampling=sampling, **kwargs)
        self._default = ranges.default_of(where, self, default)

    @property
    def default(self) -> float:
        """The value before anything is searched."""
        return ranges.lowest(self) if self._default is None else self._default

    def prob_to_value(self, prob: float) -> float:
        """Turns a number from 0 to 1 into a value; see Keras Tuner."""
        if self.step is None:
            return min(max(super().prob_to_value(prob), self.min_value), self.max_value)
        return ranges.value_of(self, prob)

    def value_to_prob(self, value: float) -> float:
        """Turns a value into a number from 0 to 1; see Keras Tuner."""
        return super().value_to_prob(value) if self.step is None else ranges.prob_of(self, value)

    @property
    def values(self) -> Iterable[float]:
        """All values, or ten of them where there is no step."""
        if self.step is None:
            return super().values
        return (ranges.value_at(self, index) for index in range(ranges.count(self)))


class Choice(KerasTunerChoice):
    """A choice that leaves booleans booleans.

    Args:
        name: Name of the hyperparameter.
        values: The values to choose from, all str, all bool or all numbers: a list, a tuple, a
            range or an array. Where some are ints and some floats all become floats.
        ordered: Whether the values have an order; numbers have one unless told otherwise.
        default: One of the values; the first if not given.
        **kwargs: `conditions`, as in Keras Tuner.

    Raises:
        ValueError: If one of them is not allowed.
        TypeError: If the values are no list, of several kinds, or of a kind that no record keeps.

    Example:
        >>> Choice("shuffle", [True, False]).values
        [True, False]
    """

    def __init__(
        self,
        name: str,
        values: Any,
        ordered: bool | None = None,
        default: Any = None,
        **kwargs: Any,
    ) -> None:
        where = f"hp.Choice({name!r})"
        listed = plain_values.choices(where, values)
        if default is not None:
            default = plain_values.one_of(where, default, listed)
        if ordered is not None:
            ordered = plain_values.truth(where, "ordered", ordered)
        if ordered and isinstance(listed[0], str):
            raise ValueError(f"{where}: ordered=True is for numbers; leave it out for text.")
        super().__init__(plain_values.name_of(name), listed, ordered=ordered, **kwargs)
        if isinstance(listed[0], bool):
            self.ordered = bool(ordered)
        # Keras Tuner turns booleans into integers.
        self._values, self._default = listed, default

    def to_proto(self) -> Any:
        """Describes it as Keras Tuner's message, which has no booleans: they are 1 and 0 there."""
        if not isinstance(self._values[0], bool):
            return super().to_proto()
        return KerasTunerChoice(
            self.name,
            [int(one) for one in self._values],
            ordered=self.ordered,
            default=int(self.default),
            conditions=self.conditions,
        ).to_proto()


class Boolean(KerasTunerBoolean):
    """A choice between True and False.

    Args:
        name: Name of the hyperparameter.
        default: Value before anything is searched.
        **kwargs: `conditions`, as in Keras Tuner.

    Raises:
        ValueError: If one of them is not allowed.

    Example:
        >>> Boolean("shuffle").default
        False
    """

    def __init__(self, name: str, default: bool = False, **kwargs: Any) -> None:
        default = plain_values.truth(f"hp.Boolean({name!r})", "default", default)
        super().__init__(plain_values.name_of(name), default=default, **kwargs)


class Fixed(KerasTunerFixed):
    """A value that is not searched.

    Args:
        name: Name of the hyperparameter.
        value: The value, a str, bool, int or float.
        **kwargs: `conditions`, as in Keras Tuner.

    Raises:
        ValueError: If one of them is not allowed.

    Example:
        >>> Fixed("epochs", 5).values
        (5,)
    """

    def __init__(self, name: str, value: Value, **kwargs: Any) -> None:
        value = plain_values.fixed(f"hp.Fixed({name!r})", value)
        super().__init__(plain_values.name_of(name), value, **kwargs)


KINDS: dict[str, type[HyperParameter]] = {
    kind.__name__: kind for kind in (Boolean, Choice, Fixed, Float, Int)
}


def corrected(hyperparameter: HyperParameter) -> HyperParameter:
    """Returns one of Keras Tuner's hyperparameters as ours, itself if it already is."""
    kind = KINDS.get(type(hyperparameter).__name__)
    if kind is None or isinstance(hyperparameter, kind):
        return hyperparameter
    return kind.from_config(hyperparameter.get_config())


def from_config(class_name: str, config: dict[str, Any]) -> HyperParameter:
    """Makes a hyperparameter that was written down.

    Args:
        class_name: Its kind, such as `"Int"`.
        config: What its `get_config()` returned. A default beyond its range, which Keras Tuner
            allows, is left out.

    Returns:
        The hyperparameter.
    """
    kind = KINDS[class_name]
    # Keras Tuner's `from_config` writes into the dict it is given.
    try:
        return kind.from_config(dict(config))
    except ValueError:
        if "default" not in config:
            raise
        rest = {key: value for key, value in config.items() if key != "default"}
        return kind.from_config(dict(rest))


def in_words(hyperparameter: HyperParameter) -> str:
    """Says which values a hyperparameter has.

    Args:
        hyperparameter: One of the kinds here.

    Returns:
        Few words.

    Example:
        >>> in_words(Int("units", 32, 512, step=32))
        'Int from 32 to 512 in steps of 32'
    """
    kind = type(hyperparameter).__name__
    match hyperparameter:
        case Int() | Float():
            step = "" if hyperparameter.step in (None, 1) else f" in steps of {hyperparameter.step}"
            sampling = "" if hyperparameter.sampling == "linear" else f", {hyperparameter.sampling}"
            low, high = hyperparameter.min_value, hyperparameter.max_value
            return f"{kind} from {low!r} to {high!r}{step}{sampling}"
        case Boolean():
            return "Boolean"
    return f"{kind} of {', '.join(map(repr, hyperparameter.values))}"
