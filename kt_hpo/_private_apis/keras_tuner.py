"""What Keras Tuner's own hyperparameters and oracles keep to themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial


def show_space(given: keras_tuner.HyperParameters, space: keras_tuner.HyperParameters) -> None:
    """Lets hyperparameters that a user has passed in hold what a search knows of its space.

    Args:
        given: The user's. They share their entries with the space from now on; without the names
            of today they have a copy of them.
        space: The space.

    Example:
        >>> given, space = keras_tuner.HyperParameters(), keras_tuner.HyperParameters()
        >>> _ = space.Int("units", 8, 64)
        >>> show_space(given, space)
        >>> [hyperparameter.name for hyperparameter in given.space]
        ['units']
    """
    if all(hasattr(one, name) for one in (given, space) for name in ("_hps", "_space")):
        given._hps, given._space = space._hps, space._space
    else:
        given.merge(space)
    given.values = dict(space.values)


def note_as_tried(oracle: keras_tuner.Oracle, trial: Trial) -> None:
    """Has an oracle of Keras Tuner's own know that a trial's values were tried.

    Args:
        oracle: The oracle. Without the name of today it knows the trial all the same, but may
            propose its values once more.
        trial: The trial.
    """
    if hasattr(oracle, "_record_values"):
        oracle._record_values(trial)


def build_of(hypermodel: keras_tuner.HyperModel) -> Callable[..., Any]:
    """Gives the `build` that a hypermodel was written with.

    Args:
        hypermodel: The hypermodel.

    Returns:
        The method; without the name of today what Keras Tuner has put around it.

    Example:
        >>> class Own(keras_tuner.HyperModel):
        ...     def build(self, hp):
        ...         pass
        >>> build_of(Own()).__name__
        'build'
    """
    return getattr(hypermodel, "_build", hypermodel.build)
