"""The search space: Keras Tuner hyperparameters <-> Optuna distributions.

Optuna's distributions hold names, ranges and values; what they cannot say (conditions, defaults,
order, reverse-log sampling, multiplicative steps) is kept as the space's configuration. The two
together give every space back exactly.
"""

from __future__ import annotations

import math
import traceback
import warnings
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

import keras_tuner
import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from kt_hpo.space import ranges
from kt_hpo.space.hyperparameters import (
    HyperParameter,
    HyperParameters,
    TwoRangesError,
    check_one_range,
)
from kt_hpo.space.kinds import Boolean, Choice, Fixed, Float, Int, Value, corrected
from kt_hpo.space.scopes import active_values, all_recorded_names, is_active, recorded_names

# How many configurations are tried before a hypermodel is said to build with none.
RANDOM_BUILDS = 20
# How far a value of a range with steps is from one, in steps; as in Optuna.
_ROUNDING = 1e-8


def to_distribution(hyperparameter: HyperParameter) -> BaseDistribution:
    """Gives the Optuna distribution that holds every value of a hyperparameter.

    Args:
        hyperparameter: A Keras Tuner `Int`, `Float`, `Choice`, `Boolean` or `Fixed`.

    Returns:
        An integer or float distribution (log where it is sampled so, stepped where the step is
        added), a categorical one for choices, booleans and fixed values. A step that multiplies
        and reverse-log sampling have no counterpart: their whole range is given.

    Raises:
        TypeError: If it is none of Keras Tuner's kinds.

    Example:
        >>> to_distribution(Float("rate", 0, 0.5, step=0.1))
        FloatDistribution(high=0.5, log=False, low=0.0, step=0.1)
    """
    hyperparameter = corrected(hyperparameter)
    match hyperparameter:
        case Int():
            log = hyperparameter.sampling == "log"
            step = hyperparameter.step if hyperparameter.sampling == "linear" else None
            low, high = _ends(hyperparameter)
            return IntDistribution(int(low), int(high), log=log, step=step or 1)
        case Float():
            return _float_distribution(hyperparameter)
        case Choice():
            return CategoricalDistribution(list(dict.fromkeys(hyperparameter.values)))
        case Boolean():
            return CategoricalDistribution([False, True])
        case Fixed():
            return CategoricalDistribution([hyperparameter.value])
    raise TypeError(
        f"{hyperparameter!r} is no hyperparameter of Keras Tuner; "
        "use hp.Int, hp.Float, hp.Choice, hp.Boolean or hp.Fixed."
    )


def from_distribution(name: str, distribution: BaseDistribution) -> HyperParameter:
    """Gives the Keras Tuner hyperparameter with the values of an Optuna distribution.

    Args:
        name: Name of the hyperparameter.
        distribution: An Optuna distribution.

    Returns:
        An `Int`, `Float`, `Boolean` (choices False, True), `Fixed` (one choice) or `Choice`.

    Raises:
        TypeError: If the distribution is none of Optuna's three, or its choices are of several
            types, which Keras Tuner does not take.

    Example:
        >>> from_distribution("units", IntDistribution(8, 64, step=8)).max_value
        64
    """
    match distribution:
        case IntDistribution():
            sampling, step = ("log", None) if distribution.log else ("linear", distribution.step)
            return Int(name, distribution.low, distribution.high, step=step, sampling=sampling)
        case FloatDistribution():
            sampling = "log" if distribution.log else "linear"
            return Float(
                name, distribution.low, distribution.high, step=distribution.step, sampling=sampling
            )
        case CategoricalDistribution(choices=(False, True)):
            return Boolean(name)
        case CategoricalDistribution(choices=(value,)) if value is not None:
            return Fixed(name, value)
        case CategoricalDistribution():
            return Choice(name, list(distribution.choices))
    raise TypeError(f"{distribution!r} is none of Optuna's int, float, categorical distributions.")


def to_params(
    space: keras_tuner.HyperParameters, values: Mapping[str, Value]
) -> tuple[dict[str, Value], dict[str, BaseDistribution], dict[str, Value]]:
    """Splits a trial's values into what Optuna records as parameters and the rest.

    Args:
        space: The search space.
        values: Active values by name, such as `trial.hyperparameters.values`.

    Returns:
        The parameters, their distributions (widened where a default lies outside its own range)
        and the values that are no hyperparameter of the space, like `tuner/epochs`.
    """
    params: dict[str, Value] = {}
    distributions: dict[str, BaseDistribution] = {}
    rest = dict(values)
    for hyperparameter, name in recorded_names(space):
        if hyperparameter.name not in values or not is_active(hyperparameter, values):
            continue
        value = values[hyperparameter.name]
        distribution = _holding(to_distribution(hyperparameter), value)
        if distribution is not None:
            params[name], distributions[name] = value, distribution
            rest.pop(hyperparameter.name, None)
    return params, distributions, rest


def from_params(
    space: keras_tuner.HyperParameters,
    params: Mapping[str, Value],
    rest: Mapping[str, Value] | None = None,
) -> HyperParameters:
    """Puts recorded parameters back into the space they came from.

    Args:
        space: The search space.
        params: Parameters by their recorded names.
        rest: Values that are no hyperparameter of the space.

    Returns:
        The space with the trial's values.
    """
    hyperparameters = HyperParameters.copy_of(space)
    hyperparameters.values = {
        hyperparameter.name: params[name]
        for hyperparameter, names in all_recorded_names(space)
        for name in reversed(names)
        if name in params
    } | dict(rest or {})
    return hyperparameters


def draw(
    space: keras_tuner.HyperParameters,
    stream: np.random.Generator,
    fixed: Mapping[str, Value] | None = None,
) -> dict[str, Value]:
    """Draws a configuration at random, one number for each active hyperparameter.

    Args:
        space: The search space.
        stream: Source of the numbers.
        fixed: Values that are not drawn, by the names of hyperparameters.

    Returns:
        The active values by name.

    Example:
        >>> hp = HyperParameters()
        >>> hp.Int("units", 1, 3)
        1
        >>> draw(hp, np.random.default_rng(0))
        {'units': 2}
    """

    def value_of(hyperparameter: HyperParameter, _: str) -> Value:
        drawn = hyperparameter.prob_to_value(float(stream.random()))
        return (fixed or {}).get(hyperparameter.name, drawn)

    return active_values(space, value_of)


def check_values(space: keras_tuner.HyperParameters, values: Mapping[str, Value]) -> None:
    """Refuses values that a search could not have drawn.

    Args:
        space: The search space.
        values: Values by the names of hyperparameters.

    Raises:
        ValueError: If a name is unknown, or a value outside its range in every scope.
    """
    known: dict[str, list[BaseDistribution]] = {}
    for hyperparameter in space.space:
        known.setdefault(hyperparameter.name, []).append(to_distribution(hyperparameter))
    for name, value in values.items():
        if name not in known:
            raise ValueError(
                f"{name!r} is no hyperparameter of this search: {', '.join(known) or 'none yet'}."
            )
        if not any(_holding(each, value) == each for each in known[name]):
            allowed = " or ".join(map(str, known[name]))
            raise ValueError(f"{name}={value!r} is not allowed; it must be one of {allowed}.")


def holds(hyperparameter: HyperParameter, value: Value) -> bool:
    """Tells whether a value is in the range of a hyperparameter.

    Args:
        hyperparameter: A hyperparameter.
        value: A value.

    Returns:
        Whether it is.

    Example:
        >>> holds(Int("units", 8, 64, step=8), 12)
        False
    """
    distribution = to_distribution(hyperparameter)
    return _holding(distribution, value) == distribution


def fits(space: keras_tuner.HyperParameters, values: Mapping[str, Value]) -> bool:
    """Tells whether the values of a trial are in the ranges that a space has now.

    Args:
        space: The search space.
        values: Active values by name; some may be missing.

    Returns:
        Whether they are.
    """
    return all(
        holds(hyperparameter, values[hyperparameter.name])
        for hyperparameter in space.space
        if hyperparameter.name in values and is_active(hyperparameter, values)
    )


def explore(
    build: Callable[[HyperParameters], Any], declared: keras_tuner.HyperParameters
) -> HyperParameters:
    """Finds the whole space, one build for each conditional scope not yet entered.

    A build that raises still shows the hyperparameters it asked for before that: a model that
    only some values break is no reason to stop here. Where all those builds raise, values drawn at
    random are tried.

    Args:
        build: The build function, `HyperModel.build`.
        declared: What is known of the space beforehand.

    Returns:
        The space.

    Raises:
        ValueError: If not a single build went well; with the first one's traceback.
        TwoRangesError: If a build asks for one name with two ranges, or two builds do. What is
            known beforehand keeps its range, whatever a build asks for.
    """
    declared_names = {hyperparameter.name for hyperparameter in declared.space}
    space = HyperParameters.from_config(declared.get_config())
    stream = np.random.default_rng(0)
    scopes: list[Any] = [[]]
    waiting: list[dict[str, Value]] = [{}]
    tracebacks: list[str] = []
    builds = 0
    while waiting:
        hp = space.copy()
        hp.values = dict(waiting.pop(0))
        hp.complete_values(lambda hyperparameter: hyperparameter.default)
        builds += 1
        try:
            build(hp)
        except TwoRangesError:
            raise
        except Exception:
            tracebacks.append(traceback.format_exc())
        for asked in hp.asked:
            if asked.name not in declared_names:
                check_one_range(space.entry(asked), asked)
        known = [(h.name, h.conditions) for h in space.space]
        space.merge([h for h in hp.space if (h.name, h.conditions) not in known])
        for scope in map(list, hp.inactive_scopes):
            if scope not in scopes:
                scopes.append(scope)
                waiting.append({condition.name: condition.values[0] for condition in scope})
        none_went_well = len(tracebacks) == builds
        if not waiting and none_went_well and builds < len(scopes) + RANDOM_BUILDS:
            waiting.append(draw(space, stream))
    if none_went_well:
        raise ValueError(
            f"The hypermodel could not be built with any values. The first error:\n\n"
            f"{tracebacks[0]}"
        )
    return space


def size(space: keras_tuner.HyperParameters) -> int | None:
    """Counts the configurations of a space.

    Args:
        space: The search space.

    Returns:
        An upper bound, exact where nothing is conditional; None if there are infinitely many.
    """
    total = 1
    for hyperparameter in space.space:
        distribution = to_distribution(hyperparameter)
        match distribution:
            case CategoricalDistribution():
                total *= len(distribution.choices)
            case IntDistribution():
                total *= (distribution.high - distribution.low) // distribution.step + 1
            case FloatDistribution() if distribution.single():
                continue
            case FloatDistribution() if hyperparameter.step is not None:
                total *= len(list(hyperparameter.values))
            case _:
                return None
    return total


def _float_distribution(hyperparameter: Float) -> FloatDistribution:
    low, high = _ends(hyperparameter)
    if hyperparameter.step is not None and hyperparameter.sampling == "linear":
        # Optuna warns, and cuts the range, where its decimals are not a whole number of steps.
        with warnings.catch_warnings(record=True, action="always") as complaints:
            stepped = FloatDistribution(low, high, step=hyperparameter.step)
        if not complaints:
            return stepped
    return FloatDistribution(low, high, log=hyperparameter.sampling == "log")


def _ends(hyperparameter: Int | Float) -> tuple[float, float]:
    """The lowest and highest value that really occur."""
    if hyperparameter.step is None:
        return hyperparameter.min_value, hyperparameter.max_value
    ends = [ranges.value_at(hyperparameter, i) for i in (0, ranges.count(hyperparameter) - 1)]
    return min(ends), max(ends)


def contains(distribution: BaseDistribution, value: Any) -> bool:
    """Tells whether a value is one of a distribution's.

    Args:
        distribution: The distribution.
        value: The value, as a trial has it.

    Returns:
        Whether a trial may have it.

    Example:
        >>> contains(IntDistribution(0, 8, step=2), 4), contains(IntDistribution(0, 8, step=2), 5)
        (True, False)
    """
    try:
        number = distribution.to_internal_repr(value)
    except ValueError:
        return False
    if not isinstance(distribution, IntDistribution | FloatDistribution):
        return True
    if not distribution.low <= number <= distribution.high:
        return False
    if isinstance(distribution, IntDistribution):
        return (number - distribution.low) % distribution.step == 0
    steps = (number - distribution.low) / (distribution.step or 1.0)
    return distribution.step is None or abs(steps - round(steps)) < _ROUNDING


def _holding(distribution: BaseDistribution, value: Any) -> BaseDistribution | None:
    """The distribution, widened to hold the value; None where it cannot."""
    if isinstance(distribution, CategoricalDistribution):
        held = any(value == c and type(value) is type(c) for c in distribution.choices)
        return distribution if held else None
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    is_number = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or (distribution.log and value <= 0):
        return None
    if isinstance(distribution, IntDistribution) and value != int(value):
        return None
    if contains(distribution, value):
        return distribution
    low, high = min(distribution.low, value), max(distribution.high, value)
    return type(distribution)(low, high, log=distribution.log)
