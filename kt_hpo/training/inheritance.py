"""Weights that a trial takes over from its parent, as far as the two models agree.

Beside this, a trial can continue another (`checkpoints.restore`): then the architecture is the
same, and the optimizer's state comes along. A child's architecture may be another, so that its
optimizer begins anew.
"""

from __future__ import annotations

import math
from pathlib import Path

import keras
from keras_tuner.engine.trial import Trial

from kt_hpo.space.continuation import Continuation
from kt_hpo.training import checkpoints
from kt_hpo.training.context import ModelBuilder


def inherit_from_parent(
    builder: ModelBuilder, trial: Trial, model: keras.Model, execution: int = 0
) -> int | None:
    """Gives a trial's model the weights its parent ended with.

    Args:
        builder: Makes models of the search.
        trial: The trial, its parent among its values.
        model: The trial's model; built, if it is not, for the data of its parent.
        execution: The number of the training within its trial.

    Returns:
        How many weights it got; 0 if those of the parent are not kept, None if it has no parent.
    """
    parent_id = Continuation.of(trial.hyperparameters.values).parent
    if parent_id is None:
        return None
    checkpoint = checkpoints.find_last(Path(builder.get_trial_dir(parent_id)), execution)
    if not checkpoint.exists():
        return 0
    # In a session of its own the parent's layers get the names they had, and the child's have.
    keras.utils.clear_session(free_memory=False)
    parent = builder._build_hypermodel(builder.oracle.get_trial(parent_id).hyperparameters.copy())
    checkpoints.restore(parent, checkpoint)
    if not model.built:
        model.build_from_config(parent.get_build_config())
    return inherit(model, parent)


def inherit(model: keras.Model, parent: keras.Model) -> int:
    """Copies the weights of those layers that two models share by name, all shapes the same.

    Args:
        model: The model that gets them, built.
        parent: The model that has them, built.

    Returns:
        How many weights were copied.

    Example:
        >>> def network(units):
        ...     hidden = keras.layers.Dense(4, name="hidden")
        ...     output = keras.layers.Dense(units, name="output")
        ...     return keras.Sequential([keras.Input((2,)), hidden, output])
        >>> inherit(network(units=1), network(units=3))
        12
    """
    theirs = _weights_by_layer(parent)
    copied = 0
    for layer, variables in _weights_by_layer(model).items():
        given = theirs.get(layer, {})
        if _shapes(given) == _shapes(variables):
            for name, variable in variables.items():
                variable.assign(given[name])
                copied += math.prod(variable.shape)
    return copied


def _weights_by_layer(model: keras.Model) -> dict[str, dict[str, keras.Variable]]:
    """The weights by the path of their layer within the model, then by their own name."""
    layers: dict[str, dict[str, keras.Variable]] = {}
    for variable in model.weights:
        layer, _, name = variable.path.removeprefix(f"{model.name}/").rpartition("/")
        layers.setdefault(layer, {})[name] = variable
    return layers


def _shapes(variables: dict[str, keras.Variable]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(variable.shape) for name, variable in variables.items()}
