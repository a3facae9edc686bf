"""The Python code a report shows: of a hyperparameter, and to build the best model again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from kt_hpo.space.hyperparameters import HyperParameter
from kt_hpo.space.kinds import Fixed, Float, Int


def as_code(hyperparameter: HyperParameter) -> str:
    """Writes the call that asks for a hyperparameter.

    Args:
        hyperparameter: One of Keras Tuner's, without its conditions.

    Returns:
        The call.

    Example:
        >>> as_code(Float("rate", 1e-4, 1e-1, sampling="log"))
        'hp.Float("rate", 0.0001, 0.1, sampling="log")'
    """
    kind, name = type(hyperparameter).__name__, hyperparameter.name
    arguments = [_literal(name)]
    if isinstance(hyperparameter, Int | Float):
        arguments += [repr(hyperparameter.min_value), repr(hyperparameter.max_value)]
        if hyperparameter.step not in (None, 1) or (
            hyperparameter.step is not None and isinstance(hyperparameter, Float)
        ):
            arguments.append(f"step={hyperparameter.step!r}")
        if hyperparameter.sampling != "linear":
            arguments.append(f"sampling={_literal(hyperparameter.sampling)}")
    elif isinstance(hyperparameter, Fixed):
        arguments.append(_literal(hyperparameter.value))
    elif kind == "Choice":
        arguments.append(f"[{', '.join(map(_literal, hyperparameter.values))}]")
    return f"hp.{kind}({', '.join(arguments)})"


def with_range(hyperparameter: Int | Float, low: float, high: float) -> HyperParameter:
    """Gives a hyperparameter another range.

    Args:
        hyperparameter: An `Int` or `Float`.
        low: The new lowest value.
        high: The new highest value.

    Returns:
        A new hyperparameter; where it has steps, its ends are on them, outside rather than inside.
    """
    step = hyperparameter.step
    if step is not None and hyperparameter.sampling == "linear":
        start = hyperparameter.min_value
        # As a user would write it, 0.7 rather than 0.7000000000000001.
        low = round(start + step * math.floor((low - start) / step + 1e-9), 12)
        high = round(start + step * math.ceil((high - start) / step - 1e-9), 12)
    name, sampling = hyperparameter.name, hyperparameter.sampling
    if isinstance(hyperparameter, Int):
        return Int(name, round(low), round(high), step=step, sampling=sampling)
    return Float(name, low, high, step=step, sampling=sampling)


def with_choices(hyperparameter: HyperParameter, choices: list[Any]) -> HyperParameter:
    """Gives a hyperparameter fewer choices.

    Args:
        hyperparameter: A `Choice` or `Boolean`.
        choices: Those that are left, at least one.

    Returns:
        A new hyperparameter; a `Fixed` where one choice is left.
    """
    if len(choices) == 1:
        return Fixed(hyperparameter.name, choices[0])
    return type(hyperparameter)(hyperparameter.name, choices)


def rebuilding(
    values: Mapping[str, Any], hypermodel: str | None = None, epochs: int | None = None
) -> str:
    """Writes the program that builds a model with given values.

    Args:
        values: The values by the names of hyperparameters.
        hypermodel: Where the hypermodel is, `"package.module.Name"`, if that is known.
        epochs: For how long to train it.

    Returns:
        The program; what is the user's own in it is left to fill in.

    Example:
        >>> print(rebuilding({"units": 8}, epochs=3))
        import kt_hpo
        <BLANKLINE>
        hp = kt_hpo.HyperParameters()
        hp.values = {
            "units": 8,
        }
        model = build(hp)  # your function, or the method of your HyperModel
        model.fit(x, y, epochs=3)  # your data
    """
    lines = ["import kt_hpo", "", "hp = kt_hpo.HyperParameters()", "hp.values = {"]
    lines += [f"    {_literal(name)}: {_literal(value)}," for name, value in values.items()]
    own = (
        f"that of {hypermodel}" if hypermodel else "your function, or the method of your HyperModel"
    )
    lines += ["}", f"model = build(hp)  # {own}"]
    if epochs is not None:
        lines.append(f"model.fit(x, y, epochs={epochs})  # your data")
    return "\n".join(lines)


def _literal(value: Any) -> str:
    """A value as it is written in a program."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
