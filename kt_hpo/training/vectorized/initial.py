"""Initial weights: of which initializers they come, and what other seeds give.

Keras draws the seed of an initializer from Python's random numbers when a layer is made. So the
seed that a build begins with gives the seeds of all its initializers.
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from kt_hpo._private_apis.keras import layers_of
from kt_hpo.training.library import is_library
from kt_hpo.training.vectorized.learner import weights
from kt_hpo.training.vectorized.stack import Row

_DRAWS = 256


class Recipe(NamedTuple):
    """How a variable gets its first value.

    Attributes:
        value: The value in the build that was looked at; for ever, where there is no initializer.
        initializer: Its initializer's kind; None for a constant.
        config: The initializer's arguments.
        draw: The number of the draw that is its seed.
    """

    value: np.ndarray
    initializer: Any = None
    config: dict[str, Any] = {}  # noqa: RUF012 (never changed)
    draw: int = 0

    @property
    def is_constant(self) -> bool:
        """Whether the value is one number all over, or none at all."""
        return self.value.size == 0 or np.ptp(self.value) == 0


def recipes(model: keras.Model, seed: int) -> list[Recipe]:
    """Finds out where the weights of a new model come from.

    Args:
        model: A model that was just built.
        seed: The seed its build began with.

    Returns:
        A recipe for each of its weights. Whether the recipes hold, another build shows.
    """
    seeds = {number: draw for draw, number in enumerate(_draws(seed))}
    candidates = [
        one
        for layer in layers_of(model)
        for one in vars(layer).values()
        if isinstance(one, keras.initializers.Initializer)
        and is_library(type(one))
        and getattr(one, "seed", None) in seeds
    ]
    found = []
    for variable in weights(model):
        value = ops.convert_to_numpy(variable.value)
        recipe = Recipe(value)
        for one in () if recipe.is_constant else candidates:
            if np.array_equal(_first_value(one, value), value):
                recipe = Recipe(value, type(one), one.get_config(), seeds[one.seed])
                candidates.remove(one)
                break
        found.append(recipe)
    return found


def initial_weights(of: list[Recipe], seed: int) -> Row:
    """Gives the weights that a model would have.

    Args:
        of: Its recipes.
        seed: The seed its build would begin with.

    Returns:
        The weights.
    """
    draws = _draws(seed)
    return [
        recipe.value
        if recipe.initializer is None
        else _first_value(
            recipe.initializer.from_config({**recipe.config, "seed": draws[recipe.draw]}),
            recipe.value,
        )
        for recipe in of
    ]


def _first_value(initializer: Any, like: np.ndarray) -> np.ndarray:
    try:
        return ops.convert_to_numpy(initializer(like.shape, str(like.dtype)))
    except ValueError:  # Some are for certain shapes only.
        return np.empty(0)


def _draws(seed: int) -> list[int]:
    """The seeds that Keras draws, one after the other, after `set_random_seed`."""
    stream = random.Random(seed)
    return [stream.randint(1, int(1e9)) for _ in range(_DRAWS)]
