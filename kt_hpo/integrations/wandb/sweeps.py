"""The space of a hypermodel as the parameters of a sweep, and back."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Any

import keras_tuner

from kt_hpo import objectives
from kt_hpo.arguments import did_you_mean, is_one_of
from kt_hpo.integrations.sklearn.configurations import HyperModelLike, find_space
from kt_hpo.objectives import ObjectiveLike
from kt_hpo.space.hyperparameters import HyperParameter
from kt_hpo.space.kinds import Boolean, Choice, Fixed, Float, Int, Value, corrected
from kt_hpo.space.scopes import Renamed, renamed, values_of_renamed

METHODS = ("random", "grid", "bayes")
_HYPERBAND = {"type": "hyperband", "min_iter": 3, "eta": 3}


def sweep_config(
    hypermodel: HyperModelLike,
    method: str = "bayes",
    objective: ObjectiveLike = "val_loss",
    early_terminate: str | Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Exports the search space of a hypermodel as a sweep, for `wandb.sweep`.

    Integers become `int_uniform`, floats `uniform`; those that are sampled logarithmically
    `q_log_uniform_values` and `log_uniform_values`; choices, booleans and everything with a step
    the list of their values. For a grid everything is a list: what `GridSearch` tries. Sweeps know
    nothing like reverse-log sampling, which becomes uniform, and no conditions: all hyperparameters
    are parameters of the sweep, and `agent` leaves out those that are inactive beside the others,
    so that a grid repeats configurations that differ in these only. Names are those of the record,
    with an underscore for what W&B's names may not have.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a build function.
        method: `"random"`, `"grid"` or `"bayes"`.
        objective: What is optimized, one metric.
        early_terminate: `"hyperband"`, which stops runs after 3, 9, 27, ... epochs that are not
            among the best third; or W&B's own dict, such as
            `{"type": "hyperband", "min_iter": 5, "eta": 2}`; None for none.
        **more: Further keys of a sweep, such as `name`, `run_cap`, `description`.

    Returns:
        The configuration, of plain dicts, lists, numbers and strings.

    Raises:
        ValueError: If an argument is not allowed, or the hypermodel has nothing to search.

    Example:
        >>> config = sweep_config(lambda hp: hp.Float("rate", 1e-4, 0.1, sampling="log"))
        >>> config["parameters"]["rate"]
        {'distribution': 'log_uniform_values', 'min': 0.0001, 'max': 0.1}
    """
    if not is_one_of(method, METHODS):
        raise ValueError(
            f"method={method!r} is not allowed.{did_you_mean(str(method), METHODS)} Give one of "
            f"{', '.join(METHODS)}."
        )
    made = objectives.make_objective(objective)
    if len(objectives.parts(made)) > 1:
        raise ValueError("A sweep optimizes one metric. Give the one objective that matters most.")
    known = find_space(hypermodel)
    if not known.space:
        raise ValueError("The hypermodel asks for no hyperparameter, so there is nothing to sweep.")
    goal = objectives.directions(made)[0]
    config = {
        "method": method,
        "metric": {"name": made.name, "goal": goal},
        "parameters": {
            name: _parameter(corrected(hyperparameter), method)
            for name, (hyperparameter, _) in parameters_of(known).items()
        },
    }
    if early_terminate is not None:
        config["early_terminate"] = _early_terminate(early_terminate)
    return {**config, **more}


def parameters_of(known: keras_tuner.HyperParameters) -> Renamed:
    """Names the hyperparameters of a space as a sweep may name them.

    Args:
        known: The search space.

    Returns:
        The hyperparameters, each with its name in the record, by their names in a sweep.

    Example:
        >>> hp = keras_tuner.HyperParameters()
        >>> hp.Int("layer 1/units", 1, 3)
        1
        >>> list(parameters_of(hp))
        ['layer_1_units']
    """
    return renamed(known, _name)


def read_values(known: keras_tuner.HyperParameters, config: Mapping[str, Any]) -> dict[str, Value]:
    """Reads the configuration of a sweep's run.

    Args:
        known: The search space.
        config: Values by the names of a sweep.

    Returns:
        The active values by the names of hyperparameters, of the types the space has (a sweep makes
        integers of whole floats); the default where the sweep does not say.

    Raises:
        ValueError: If a value is none of the hyperparameter's choices, or no number.

    Example:
        >>> hp = keras_tuner.HyperParameters()
        >>> hp.Float("rate", 0, 1)
        0.0
        >>> read_values(hp, {"rate": 1})
        {'rate': 1.0}
    """
    return values_of_renamed(known, parameters_of(known), config, _typed)


def check_parameters(known: keras_tuner.HyperParameters, config: Mapping[str, Any]) -> None:
    """Refuses a sweep whose parameters are not those of a hypermodel.

    Args:
        known: The search space.
        config: The sweep's configuration.

    Raises:
        ValueError: If it has a parameter that is no hyperparameter of the space.
    """
    names = list(parameters_of(known))
    for name in config.get("parameters", {}):
        if name not in names:
            raise ValueError(
                f"The sweep has a parameter {name!r}, which is no hyperparameter of the "
                f"hypermodel: {', '.join(names)}.{did_you_mean(name, names)} Make the sweep with "
                "kt_hpo.wandb.sweep_config(hypermodel)."
            )


def objective_of(config: Mapping[str, Any]) -> keras_tuner.Objective:
    """Gives the objective of a sweep.

    Args:
        config: The sweep's configuration.

    Returns:
        The objective. Where the sweep has no `goal`, the name of the metric tells the direction;
        if it does not, it is Weights & Biases' default: to be minimized, with a warning.

    Raises:
        ValueError: If it names no metric.
    """
    metric = config.get("metric") or {}
    if "name" not in metric:
        raise ValueError(
            "The sweep names no metric to optimize. Make it with kt_hpo.wandb.sweep_config."
        )
    name, goal = metric["name"], metric.get("goal")
    if goal is not None:
        return keras_tuner.Objective(name, "max" if goal == "maximize" else "min")
    try:
        return objectives.make_objective(name)
    except ValueError:
        warnings.warn(
            f"The sweep has no goal, and {name!r} does not tell whether more or less of it is "
            "better. It is minimized, as Weights & Biases does. If more is better, add "
            "goal: maximize to the sweep's metric.",
            stacklevel=3,
        )
        return keras_tuner.Objective(name, "min")


def _name(recorded: str) -> str:
    """A name that a sweep allows."""
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", recorded)
    return plain if re.match("[A-Za-z_]", plain) else f"_{plain}"


def _parameter(hyperparameter: HyperParameter, method: str) -> dict[str, Any]:
    match hyperparameter:
        case Fixed():
            return {"value": hyperparameter.value}
        case Choice() | Boolean():
            return {"values": list(hyperparameter.values)}
        case Int() | Float() if method == "grid" or hyperparameter.step is not None:
            if method != "grid" and _is_every_integer(hyperparameter):
                return _range(hyperparameter)
            return {"values": sorted(set(hyperparameter.values))}
        case Int() | Float():
            return _range(hyperparameter)
    raise TypeError(f"{hyperparameter!r} is no hyperparameter of Keras Tuner.")


def _is_every_integer(hyperparameter: Int | Float) -> bool:
    step = (hyperparameter.sampling, hyperparameter.step)
    return isinstance(hyperparameter, Int) and step == ("linear", 1)


def _range(hyperparameter: Int | Float) -> dict[str, Any]:
    low, high = hyperparameter.min_value, hyperparameter.max_value
    if low == high:
        return {"value": low}
    ends = {"min": low, "max": high}
    logarithmic = hyperparameter.sampling == "log"
    if isinstance(hyperparameter, Int):
        if logarithmic:
            return {"distribution": "q_log_uniform_values", **ends, "q": 1}
        return {"distribution": "int_uniform", **ends}
    ends = {name: float(end) for name, end in ends.items()}
    return {"distribution": "log_uniform_values" if logarithmic else "uniform", **ends}


def _early_terminate(given: str | Mapping[str, Any]) -> dict[str, Any]:
    if given == "hyperband":
        return dict(_HYPERBAND)
    if not isinstance(given, Mapping) or given.get("type") != "hyperband":
        raise ValueError(
            f'early_terminate={given!r} is not allowed; give "hyperband" or a dict such as '
            f"{_HYPERBAND}."
        )
    if "min_iter" not in given and not {"max_iter", "s"} <= given.keys():
        raise ValueError(
            f"early_terminate={dict(given)!r} does not say when to stop runs; give min_iter, or "
            "max_iter and s."
        )
    return dict(given)


def _typed(hyperparameter: HyperParameter, value: Any) -> Value:
    match hyperparameter:
        case Int() if value == int(value):
            return int(value)
        case Float():
            return float(value)
        case Choice() | Boolean() | Fixed():
            for allowed in hyperparameter.values:
                if allowed == value:
                    return allowed
    raise ValueError(
        f"{hyperparameter.name}={value!r} is not allowed; it must be one of {hyperparameter}."
    )
