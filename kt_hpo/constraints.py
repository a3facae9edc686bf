"""What a trial must keep besides being good: bounds on metrics, on size, on time.

A trial's violation of a constraint is a number, at most 0 where it is kept. Optuna's samplers read
it from the record; to all others a trial that breaks one is a trial that is never among the best.
"""

from __future__ import annotations

import math
import operator
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

Metrics: TypeAlias = Mapping[str, float]
OneConstraint: TypeAlias = str | Callable[[Metrics], float]
# How a user may write constraints.
ConstraintLike: TypeAlias = OneConstraint | Sequence[OneConstraint] | None

_SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_BOUND = re.compile(r"\s*([^<>=]*[^<>=\s])\s*(<=|>=|<|>)\s*([^<>=\s]+)\s*")


@dataclass(frozen=True)
class Constraint:
    """A constraint, made by `make_constraints`.

    Attributes:
        name: What it is called in the record.
        function: Its violation, of a trial's metrics.
        needs: What it is about, to be measured if it is no metric.
    """

    name: str
    function: Callable[[Metrics], float]
    needs: tuple[str, ...]

    def violation(self, metrics: Metrics) -> float:
        """Tells how far a trial is from keeping the constraint.

        Args:
            metrics: The trial's, at its best epoch.

        Returns:
            At most 0 where it is kept; infinity where it cannot be told, the metric being NaN.

        Raises:
            FatalValueError: If it is about something that is not among the metrics.
            FatalTypeError: If a user's function returns no number. Both end the search: every
                other trial would end the same way.
        """
        # Keras Tuner imports Keras; who only reads a record does without.
        from keras_tuner.errors import FatalTypeError, FatalValueError

        try:
            violation = self.function(metrics)
        except KeyError as error:
            raise FatalValueError(missing_metric(self, error.args[0], metrics)) from error
        try:
            number = float(violation)
        except (TypeError, ValueError) as error:
            raise FatalTypeError(
                f"The constraint {self.name} returned {violation!r}; it must return a number, at "
                "most 0 where it is kept."
            ) from error
        return math.inf if math.isnan(number) else number


def make_constraints(constraint: ConstraintLike) -> tuple[Constraint, ...]:
    """Makes constraints of what a user has written.

    Args:
        constraint: A text, `"parameters < 1e5"`: a metric, or latency, parameters, flops,
            training_seconds or generalization_gap; one of < <= > >=; a number. Or a function of a
            trial's metrics that returns a number, at most 0 where the constraint is kept; the
            number of parameters is among these metrics, what else is measured if an objective or
            another constraint names it. Or a list of these.

    Returns:
        The constraints.

    Raises:
        ValueError: If a text is not of this form, or two have the same name.
        TypeError: If it is something else.

    Example:
        >>> [small] = make_constraints("parameters < 1e5")
        >>> small.name, small.violation({"parameters": 100_250})
        ('parameters < 100000', 250.0)
    """
    given: Any = constraint if isinstance(constraint, list | tuple) else [constraint]
    made = tuple(_make(one) for one in given if one is not None)
    names = [one.name for one in made]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f"Two constraints are called {name!r}, and the record tells them apart by their "
                "names. Leave one out; write functions with def, each with a name of its own."
            )
    return made


def known_violations(constraints: Sequence[Constraint], metrics: Metrics) -> dict[str, float]:
    """Holds a trial of which not everything is known against the constraints.

    Args:
        constraints: The constraints.
        metrics: What is known.

    Returns:
        Violations by the constraints' names, without those that are about something else.
    """
    from keras_tuner.errors import FatalValueError

    found = {}
    for constraint in constraints:
        with suppress(FatalValueError):
            found[constraint.name] = constraint.violation(metrics)
    return found


def keeps(violations: Mapping[str, float]) -> bool:
    """Tells whether a trial keeps all constraints.

    Args:
        violations: By the constraints' names, such as `FrozenTrial.constraints` of Optuna.

    Returns:
        Whether none is above 0.
    """
    return all(violation <= 0 for violation in violations.values())


def total_violation(violations: Mapping[str, float]) -> float:
    """Adds up how far a trial is from keeping all constraints, 0 where it keeps them.

    Args:
        violations: By the constraints' names.

    Returns:
        The sum of those above 0.
    """
    return sum((violation for violation in violations.values() if violation > 0), 0.0)


def missing_metric(constraint: Constraint, name: str, available: Metrics | Sequence[str]) -> str:
    """Words the error of a constraint on what is not measured.

    Args:
        constraint: The constraint.
        name: What it is about.
        available: The metrics there are.

    Returns:
        The message.
    """
    return (
        f"The constraint {constraint.name!r} is about {name!r}, which is not among the metrics: "
        f"{', '.join(available)}. Choose one of them, or compile the model with this metric."
    )


def _make(constraint: OneConstraint) -> Constraint:
    if isinstance(constraint, str):
        return _parse(constraint)
    if callable(constraint):
        name = getattr(constraint, "__name__", type(constraint).__name__)
        return Constraint(name, constraint, ("parameters",))
    raise TypeError(
        f"constraint={constraint!r} is not allowed; give a text such as 'parameters < 1e5', a "
        "function of the metrics, or a list of these."
    )


def _parse(text: str) -> Constraint:
    parsed = _BOUND.fullmatch(text)
    number = None if parsed is None else _number(parsed[3])
    if parsed is None or number is None:
        raise ValueError(
            f"constraint={text!r} is not understood; write a name, one of < <= > >=, and a number, "
            "such as 'parameters < 1e5'. Several go into a list."
        )
    name, sign, bound = parsed[1], parsed[2], number
    side = -1 if sign.startswith(">") else 1

    def violation(metrics: Metrics) -> float:
        value = metrics[name]
        if math.isnan(value) or _SIGNS[sign](value, bound):
            return side * (value - bound)
        # On the bound itself a strict constraint is broken, by as little as can be.
        return max(side * (value - bound), sys.float_info.min)

    return Constraint(f"{name} {sign} {repr(bound).removesuffix('.0')}", violation, (name,))


def _number(text: str) -> float | None:
    """The finite number that a text is, if it is one."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
