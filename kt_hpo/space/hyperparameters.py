"""The space and the values of one trial: Keras Tuner's `HyperParameters`.

What is asked for is checked, a scope may be within another one on any hyperparameter outside of
both, and one name has one range. Everything else is Keras Tuner's own; a plain
`keras_tuner.HyperParameters` is taken wherever one of these is.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Self

import keras_tuner
from keras_tuner.engine.hyperparameters import HyperParameter
from keras_tuner.errors import FatalValueError

from kt_hpo._private_apis.keras_tuner import check_inherited
from kt_hpo.space import plain_values, summary
from kt_hpo.space.kinds import (
    Boolean,
    Choice,
    Fixed,
    Float,
    Int,
    Value,
    corrected,
    from_config,
    in_words,
)
from kt_hpo.space.ranges import is_on_step


class TwoRangesError(FatalValueError):
    """One name is asked for with two ranges, of which one would be given values of the other."""


class HyperParameters(keras_tuner.HyperParameters):
    """The space and the values of one trial, given to `HyperModel.build(hp)`.

    Used exactly like `keras_tuner.HyperParameters`, of which it is a subclass.

    Attributes:
        propose: Gives the value of a hyperparameter that is met for the first time, or is asked for
            with another range than the known one; None for the default and the known value. Not
            part of a copy.
        recorded_as: Names in the record of hyperparameters whose range has changed, the present
            name first, by the name each began with.

    Example:
        >>> hp = HyperParameters()
        >>> hp.Choice("bias", [True, False])
        True
    """

    propose: Callable[[HyperParameter], Value] | None = None

    def __init__(self) -> None:
        check_inherited(HyperParameters, Choice, Float, Int)
        super().__init__()
        self.recorded_as: dict[str, list[str]] = {}
        self._asked: dict[str, HyperParameter] = {}
        self._held: set[str] = set()

    def Choice(
        self,
        name: str,
        values: Any,
        ordered: bool | None = None,
        default: Any = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Choice of one of several values; see `keras_tuner.HyperParameters.Choice`."""
        parent = parent_name, parent_values
        return self._ask(Choice, name, parent, values, ordered=ordered, default=default)

    def Int(
        self,
        name: str,
        min_value: int,
        max_value: int,
        step: int | None = None,
        sampling: str | None = "linear",
        default: int | None = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """A whole number; see `keras_tuner.HyperParameters.Int`."""
        rest = {"step": step, "sampling": sampling, "default": default}
        return self._ask(Int, name, (parent_name, parent_values), min_value, max_value, **rest)

    def Float(
        self,
        name: str,
        min_value: float,
        max_value: float,
        step: float | None = None,
        sampling: str | None = "linear",
        default: float | None = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """A number; see `keras_tuner.HyperParameters.Float`."""
        rest = {"step": step, "sampling": sampling, "default": default}
        return self._ask(Float, name, (parent_name, parent_values), min_value, max_value, **rest)

    def Boolean(
        self,
        name: str,
        default: bool = False,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """True or False; see `keras_tuner.HyperParameters.Boolean`."""
        return self._ask(Boolean, name, (parent_name, parent_values), default=default)

    def Fixed(
        self,
        name: str,
        value: Value,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """A value that is not searched; see `keras_tuner.HyperParameters.Fixed`."""
        return self._ask(Fixed, name, (parent_name, parent_values), value)

    def _ask(
        self,
        kind: Callable[..., HyperParameter],
        name: str,
        parent: tuple[str | None, Any],
        *given: Any,
        **rest: Any,
    ) -> Any:
        """Asks for a hyperparameter of a kind, within the scope of its parent if it has one."""
        parent_name, values = parent
        with self.conditional_scope(parent_name, values) if parent_name else nullcontext():
            conditions = self._conditions
            return self._retrieve(kind(self._name(name), *given, conditions=conditions, **rest))

    @contextmanager
    def conditional_scope(self, parent_name: str, parent_values: Any) -> Iterator[None]:
        """Makes what is asked for within it depend on another hyperparameter.

        Args:
            parent_name: The hyperparameter it depends on, asked for in this scope or in one
                around it.
            parent_values: For which of its values, one or a list, the scope is active.

        Yields:
            Nothing, while the scope is open.

        Raises:
            ValueError: If there is no such hyperparameter, or no values are given.

        Example:
            >>> hp = HyperParameters()
            >>> kind = hp.Choice("kind", ["mlp", "cnn"])
            >>> with hp.conditional_scope("kind", ["cnn"]):
            ...     filters = hp.Int("filters", 8, 64)
            >>> print(kind, filters)
            mlp None
        """
        name = self._name(parent_name)
        self._check_parent(name)
        condition = _condition(name, _parent_values(name, parent_values))
        self._conditions.append(condition)
        try:
            is_active = condition.is_active(self.values)
            scopes = self.active_scopes if is_active else self.inactive_scopes
            scopes.append(copy.deepcopy(self._conditions))
            yield
        finally:
            self._conditions.pop()

    def _check_parent(self, name: str) -> None:
        known = self._hps.get(name, [])
        if any(all(c in self._conditions for c in parent.conditions) for parent in known):
            return
        if not known:
            names = ", ".join(self._hps) or "none yet"
            raise ValueError(
                f"conditional_scope({name!r}, ...): no hyperparameter of that name has been asked "
                f"for; there are: {names}. Ask for it before its scope."
            )
        scopes = " and ".join(f"{one.name} in {one.values}" for one in known[0].conditions)
        raise ValueError(
            f"conditional_scope({name!r}, ...): {name} has been asked for where {scopes} only. "
            "Open the scope there, or ask for the hyperparameter outside of all scopes."
        )

    def hold(self, *names: str) -> None:
        """Has what is asked for by these names keep its known range, whatever range is asked for.

        Args:
            *names: Names of hyperparameters.

        Example:
            >>> hp = HyperParameters()
            >>> hp.Fixed("learning_rate", 0.01)
            0.01
            >>> hp.hold("learning_rate")
            >>> hp.Float("learning_rate", 1e-4, 1e-1)
            0.01
        """
        self._held.update(names)

    def _retrieve(self, hp: HyperParameter) -> Any:
        hp = corrected(hp)
        if hp.name not in self._held and self.is_active(hp):
            first = self._asked.setdefault(hp.name, hp)
            if pins(first, hp):
                self.hold(hp.name)
                return super()._retrieve(hp)
            if not asks_alike(first, hp):
                raise TwoRangesError(
                    f"{hp.name!r} is asked for twice, as {in_words(hp)} and before as "
                    f"{in_words(first)}: one name has one range. Give each a name of its own, "
                    "such as within hp.name_scope('second'), or both one range."
                )
            known = self.entry(hp)
            if self.propose is not None and known is not None and not asks_alike(known, hp):
                self.values[hp.name] = self.propose(hp)
                self.replace(hp)
            elif known is not None and hp.name not in self.values:  # The trial is older than it.
                self.values[hp.name] = self.propose(hp) if self.propose is not None else hp.default
        return super()._retrieve(hp)

    @property
    def asked(self) -> list[HyperParameter]:
        """What was asked for and is active, each with the range it was asked for with."""
        return list(self._asked.values())

    def entry(self, hyperparameter: HyperParameter) -> HyperParameter | None:
        """Finds what is known of a hyperparameter.

        Args:
            hyperparameter: A hyperparameter.

        Returns:
            The known one of the same name in the same scope; None if there is none.
        """
        alike = self._hps.get(hyperparameter.name, [])
        return next((one for one in alike if one.conditions == hyperparameter.conditions), None)

    def replace(self, hyperparameter: HyperParameter) -> None:
        """Gives the known hyperparameter of the same name and scope the range of another.

        Args:
            hyperparameter: The other one.
        """
        known = self.entry(hyperparameter)
        for entries in (self.space, self._hps[hyperparameter.name]):
            entries[:] = [hyperparameter if one is known else one for one in entries]

    def become(self, other: keras_tuner.HyperParameters) -> None:
        """Takes the space and the values of another.

        Args:
            other: The other one.
        """
        copied: Any = self.copy_of(other)
        self._hps, self.space[:] = copied._hps, copied.space
        self.values, self.recorded_as = copied.values, copied.recorded_as

    def _name(self, name: Any) -> str:
        """The full name of what is asked for by a name in the current name scopes."""
        return self._get_name(plain_values.name_of(name))

    def _register(self, hyperparameter: HyperParameter, overwrite: bool = False) -> Any:
        hyperparameter = corrected(hyperparameter)
        is_new = hyperparameter.name not in self.values
        value = super()._register(hyperparameter, overwrite)
        if is_new and self.propose is not None and self.is_active(hyperparameter):
            value = self.values[hyperparameter.name] = self.propose(hyperparameter)
        return value

    def _repr_html_(self) -> str:
        """Shows the space and the values as a table in a notebook."""
        return summary.as_html(self)

    def __getstate__(self) -> dict[str, Any]:
        # Who proposes stays in the process of the search.
        return {name: value for name, value in vars(self).items() if name != "propose"}

    def ensure_active_values(self) -> None:
        """Drops inactive values and draws missing active ones.

        Keras Tuner draws them without a seed; here the same values are always completed alike, so
        that a search can be repeated. Of hyperparameters that share a name in several scopes it
        drops the value of the active one.
        """
        self.complete_values(self._drawn)

    def complete_values(self, value_of: Callable[[HyperParameter], Value]) -> None:
        """Drops inactive values and adds missing active ones.

        Args:
            value_of: Gives the value of a hyperparameter that has none.
        """
        for hyperparameter in self.space:
            name = hyperparameter.name
            if not self.is_active(hyperparameter):
                if not self.is_active(name):
                    self.values.pop(name, None)
            elif name not in self.values:
                self.values[name] = value_of(hyperparameter)

    def _drawn(self, hyperparameter: HyperParameter) -> Value:
        known = sorted((name, repr(value)) for name, value in self.values.items())
        stream = random.Random(repr((hyperparameter.name, known)))
        return hyperparameter.prob_to_value(stream.random())

    def get_config(self) -> dict[str, Any]:
        """Describes the space and the values.

        Returns:
            What JSON can hold, and `from_config` reads.
        """
        config = super().get_config()
        renamed = {name: list(names) for name, names in self.recorded_as.items()}
        return config | ({"recorded_as": renamed} if renamed else {})

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
            hyperparameter = from_config(entry["class_name"], entry["config"])
            hyperparameters._append(hyperparameter)
        hyperparameters.values = dict(config["values"])
        renamed = config.get("recorded_as", {}).items()
        hyperparameters.recorded_as = {name: list(names) for name, names in renamed}
        return hyperparameters

    def _append(self, hyperparameter: HyperParameter) -> None:
        self._hps[hyperparameter.name].append(hyperparameter)
        self.space.append(hyperparameter)

    @classmethod
    def copy_of(cls, other: keras_tuner.HyperParameters) -> HyperParameters:
        """Copies hyperparameters, also those of Keras Tuner's own class.

        Args:
            other: The hyperparameters.

        Returns:
            An independent copy of the space and its values.
        """
        return (
            other.copy()
            if isinstance(other, HyperParameters)
            else cls.from_config(other.get_config())
        )

    def copy(self) -> Self:
        """Copies the space and its values.

        Returns:
            A copy that does not change with this one.
        """
        other = type(self)()
        for hyperparameter in map(_copied, self.space):
            other._append(hyperparameter)
        other.values = dict(self.values)
        other.recorded_as = {name: list(names) for name, names in self.recorded_as.items()}
        return other


def _copied(hyperparameter: HyperParameter) -> HyperParameter:
    """A copy, in a fiftieth of the time that making it anew from its config takes."""
    other: HyperParameter = object.__new__(type(hyperparameter))
    for name, value in vars(hyperparameter).items():
        vars(other)[name] = list(value) if isinstance(value, list) else value
    return other


def _condition(name: str, values: list[Any]) -> Any:
    """Keras Tuner's condition on a hyperparameter, which it only makes as a scope is entered."""
    scratch = keras_tuner.HyperParameters()
    scratch.Fixed(name, values[0])
    with scratch.conditional_scope(name, values):
        scratch.Fixed(f"within {name}", values[0])
    return scratch.space[-1].conditions[0]


def _parent_values(name: str, values: Any) -> list[Any]:
    """The values of a condition as a list."""
    where = f"conditional_scope({name!r}, ...)"
    values = plain_values.plain(values)
    if isinstance(values, bool | int | float | str):
        values = [values]
    return plain_values.choices(where, values)


def asks_alike(one: HyperParameter, other: HyperParameter) -> bool:
    """Tells whether two hyperparameters have the same values.

    Args:
        one: A hyperparameter.
        other: Another one.

    Returns:
        Whether kind, range and choices are the same; names, defaults and conditions may differ.
    """
    return in_words(one) == in_words(other)


def pins(one: HyperParameter, other: HyperParameter) -> bool:
    """Tells whether a hyperparameter lists some of the values of another.

    Args:
        one: A hyperparameter; only choices list values.
        other: The other one.

    Returns:
        Whether each listed value is in the other's range, and not all of it is listed.
    """
    if isinstance(one, Int | Float) or asks_alike(one, other):
        return False
    return all(_has(other, value) for value in one.values)


def _has(hyperparameter: HyperParameter, value: Value) -> bool:
    if not isinstance(hyperparameter, Int | Float):
        return any(value == one and type(value) is type(one) for one in hyperparameter.values)
    if type(value) is not (int if isinstance(hyperparameter, Int) else float):
        return False
    is_within = hyperparameter.min_value <= value <= hyperparameter.max_value
    return is_within and (hyperparameter.step is None or is_on_step(hyperparameter, value))


def check_one_range(known: HyperParameter | None, asked: HyperParameter) -> None:
    """Refuses a hyperparameter whose range depends on other values.

    Args:
        known: The hyperparameter as it was asked for before; None if it was not.
        asked: The hyperparameter as it is asked for now.

    Raises:
        TwoRangesError: If their values differ.
    """
    if known is not None and not asks_alike(known, asked):
        raise TwoRangesError(
            f"{asked.name!r} is asked for as {in_words(asked)}, and with other values as "
            f"{in_words(known)}: one name has one range in all trials. Give each range a name of "
            "its own, such as f'units_{layers}', or ask for a share, hp.Float('share', 0, 1), and "
            "multiply."
        )
