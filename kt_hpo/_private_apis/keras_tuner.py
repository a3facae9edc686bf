"""What Keras Tuner's classes keep to themselves, and what ours inherit of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras_tuner
from keras_tuner.engine.hyperparameters import Choice, Float, Int
from keras_tuner.engine.trial import Trial

# The versions with all names below, as in pyproject.toml.
TESTED = "keras-tuner>=1.4.8,<1.5"
# Private names that our subclasses use or override, by the class that has them: what they are.
INHERITED: dict[type, dict[str, str]] = {
    keras_tuner.HyperParameters: {
        "_conditions": "the scopes that are open",
        "_get_name": "a name within the name scopes that are open",
        "_hps": "all hyperparameters, by name",
        "_register": "adds a hyperparameter",
        "_retrieve": "the value of a hyperparameter that is asked for",
    },
    Int: {"_default": "the default that was given"},
    Float: {"_default": "the default that was given"},
    Choice: {"_default": "the default that was given", "_values": "what to choose from"},
    keras_tuner.Oracle: {
        "_compute_values_hash": "the hash of values",
        "_duplicate": "whether values were tried, which oracles of users ask",
        "_id_to_hash": "the hash of each trial's values",
        "_project_dir": "the directory of the search, which a tuner sets",
        "_random_values": "values not tried yet, which oracles of users ask for",
        "_record_values": "notes that values were tried",
        "_tried_so_far": "the hashes of values that were tried",
    },
    keras_tuner.oracles.BayesianOptimizationOracle: {
        "_vector_to_values": "the values of a point",
        "_vectorize_trials": "the points and scores of trials",
    },
    keras_tuner.Tuner: {
        "_build_and_fit_model": "one training, which AutoKeras overrides",
        "_build_hypermodel": "builds a model and compiles it as the tuner's arguments say",
        "_get_tuner_fname": "the file whose tuner is taken up again",
        "_override_compile_args": "compiles a model as the tuner's arguments say",
        "_populate_initial_space": "explores the space when a tuner is made",
        "_try_build": "builds and checks a model, which AutoKeras overrides",
    },
}
# Objects whose attributes are looked at, where a class has some that only its objects have.
_OBJECTS: dict[type, Callable[[], Any]] = {
    keras_tuner.HyperParameters: keras_tuner.HyperParameters,
    Int: lambda: Int("name", 0, 1),
    Float: lambda: Float("name", 0, 1),
    Choice: lambda: Choice("name", [0]),
    keras_tuner.Oracle: lambda: keras_tuner.Oracle(seed=1),
}


@functools.cache
def check_inherited(*own: type) -> None:
    """Checks, once, that Keras Tuner's classes have the private names that ours inherit.

    Args:
        *own: Classes of ours.

    Raises:
        ImportError: If names are gone: there is no public way to do what they do.

    Example:
        >>> class Own(keras_tuner.Oracle):
        ...     pass
        >>> check_inherited(Own)
    """
    gone = [
        f"{kind.__name__}.{name} ({purpose})"
        for kind, names in INHERITED.items()
        for name, purpose in names.items()
        if any(issubclass(one, kind) for one in own)
        and not hasattr(kind, name)
        and not hasattr(_OBJECTS.get(kind, object)(), name)
    ]
    if gone:
        raise ImportError(
            f"Keras Tuner {keras_tuner.__version__} lacks {', '.join(gone)}, which kt_hpo builds "
            f'on. Install a version it was tested with: pip install "{TESTED}"',
            name="keras_tuner",
        )


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
        The method; without the name of today that of its class, around which Keras Tuner puts its
        own.

    Example:
        >>> class Own(keras_tuner.HyperModel):
        ...     def build(self, hp):
        ...         pass
        >>> build_of(Own()).__name__
        'build'
    """
    if hasattr(hypermodel, "_build"):
        return hypermodel._build
    return type(hypermodel).build.__get__(hypermodel)
