"""Blueprints of models that need not be built, because models like them were.

Building a Keras model takes as long as training it in a group does. Where a build only hands some
of its values on to Keras, as learning rates and dropout, models that differ in nothing else are the
same but for these numbers and the initial weights. That is learned from builds: two that differ in
all such values must be alike in everything else, and the second must be what the first predicts,
its weights to the last bit. Where that has held for a few architectures and never failed, one
build of another is enough that hands on the same values, if no number in it can be a value by
chance. Whatever does not fit is built; so is every model where the code of the build may do more
with a value than Python would notice (see `build_code`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import keras
import keras_tuner
import numpy as np

from kt_hpo.space.continuation import Continuation, own_values
from kt_hpo.training.model_parts import CannotShareError, described
from kt_hpo.training.vectorized.blueprint import Blueprint, drawn_from
from kt_hpo.training.vectorized.build_code import hands_values_on
from kt_hpo.training.vectorized.hoisted_scalars import is_allowed
from kt_hpo.training.vectorized.initial import Recipe, initial_weights, recipes
from kt_hpo.training.vectorized.stack import Row
from kt_hpo.training.vectorized.watched import Watched, watching

_REMEMBERED = 64
_MODELS = 16
_ENOUGH = 3
_DIGITS = 9


class Build(NamedTuple):
    """A build that was made: its values and seed, and what came of it."""

    values: dict[str, Any]
    seed: int
    blueprint: Blueprint
    recipes: list[Recipe]

    @property
    def numbers(self) -> list[float]:
        """The scalars of the model and its learning rate."""
        return [*self.blueprint.scalars, self.blueprint.rate]


class Pattern(NamedTuple):
    """What two builds have in common.

    Attributes:
        build: One of them.
        sources: The name of the value that each of its numbers is; None for a constant.
    """

    build: Build
    sources: list[str | None]

    @property
    def constants(self) -> list[float]:
        """Those of the numbers that are no value."""
        pairs = zip(self.build.numbers, self.sources, strict=True)
        return [number for number, source in pairs if source is None]

    def predict(
        self, values: Mapping[str, Any], seed: int, model: Callable[[], keras.Model]
    ) -> Blueprint | None:
        """Gives the blueprint that other values and another seed make; None if Keras may mind."""
        numbers = [
            number if source is None else values[source]
            for number, source in zip(self.build.numbers, self.sources, strict=True)
        ]
        scalars = zip(self.build.blueprint.names, numbers[:-1], self.sources[:-1], strict=True)
        if not all(source is None or is_allowed(name, one) for name, one, source in scalars):
            return None
        return self.build.blueprint._replace(
            scalars=numbers[:-1],
            rate=numbers[-1],
            weights=initial_weights(self.build.recipes, seed),
            model=model,
        )


class ProgramCache:
    """Gives the blueprints of the trials of a search, of models built or predicted.

    Args:
        hypermodel: Builds them; by its code it is known whether a model can be predicted.
    """

    def __init__(self, hypermodel: Any) -> None:
        self._predicts = hands_values_on(hypermodel)
        self._looked_at: set[str] = set()
        self._handed_on: set[str] = set()
        self._builds: list[Build] = []
        self._patterns: dict[Hashable, Pattern] = {}
        self._has_failed = False
        self._models: dict[Hashable, keras.Model] = {}
        # Checkpoints ask for models while the next group's program does.
        self._modeling = threading.Lock()

    def draft(
        self,
        hp: keras_tuner.HyperParameters,
        seed: int,
        build: Callable[[], keras.Model],
        end: Row | None = None,
    ) -> Blueprint:
        """Gives the blueprint of a trial's model.

        Args:
            hp: The trial's hyperparameters.
            seed: The seed of its build.
            build: Builds it, and loads the state of the trial it goes on from.
            end: That state, where it is in memory.

        Returns:
            The blueprint.

        Raises:
            CannotShareError: If some of the model is not Keras' own.
        """

        def built() -> keras.Model:
            # Names count from the beginning, as in a session of the trial's own.
            keras.utils.clear_session(free_memory=False)
            keras.utils.set_random_seed(seed)
            return build()

        if not self._predicts:
            return drawn_from(built())
        # Its weights come from another trial.
        past = Continuation.of(hp.values)
        continues = past.trial_id is not None or past.parent is not None
        architecture = self._architecture(hp.values)
        pattern = self._patterns.get(architecture)
        if pattern is not None and (end is not None or not continues):
            model_of = partial(self._model, architecture, built)
            blueprint = pattern.predict(hp.values, seed, model_of)
            if blueprint is not None:
                return blueprint if end is None else blueprint.going_on(end)
        try:
            with watching(hp) as watched:
                model = built()
        except Exception:  # Should the watched values be why, they are not the second time.
            return drawn_from(built())
        looked_at = {name for name, value in watched.items() if value.was_looked_at}
        blueprint = drawn_from(model)
        if _holds_watched(blueprint):  # Keras does not calculate with them as with floats.
            # Nor is a model with a schedule ever predicted.
            self._predicts = self._predicts and blueprint.schedule is None
            model = built()
            blueprint = drawn_from(model)
        if not continues and blueprint.schedule is None:
            known = blueprint._replace(model=built)  # Not this model, to let it go.
            self._learn(Build(dict(hp.values), seed, known, recipes(model, seed)), looked_at)
            self._keep(self._architecture(hp.values), model)
        return blueprint

    def _model(self, architecture: Hashable, built: Callable[[], keras.Model]) -> keras.Model:
        """A model of an architecture, the same whenever it is asked for."""
        with self._modeling:
            if architecture not in self._models:
                self._keep(architecture, built())
            return self._models[architecture]

    def _keep(self, architecture: Hashable, model: keras.Model) -> None:
        for oldest in list(self._models)[: 1 - _MODELS]:
            del self._models[oldest]
        self._models[architecture] = model

    def _learn(self, build: Build, looked_at: set[str]) -> None:
        handed_on = {
            name
            for name, value in own_values(build.values).items()
            if isinstance(value, float) and any(_same(value, one) for one in build.numbers)
        }
        if not looked_at <= self._looked_at or not handed_on <= self._handed_on:
            self._looked_at |= looked_at
            self._handed_on |= handed_on
            self._patterns.clear()
        architecture = self._architecture(build.values)
        alike = [one for one in self._builds if self._architecture(one.values) == architecture]
        found = [self._compare(other, build) for other in alike] or [self._resembling(build)]
        for pattern in filter(None, found):
            self._patterns[architecture] = pattern
        self._builds = [*self._builds, build][-_REMEMBERED:]

    def _free(self) -> set[str]:
        """The names of values that do not change the architecture."""
        return self._handed_on - self._looked_at

    def _architecture(self, values: Mapping[str, Any]) -> Hashable:
        """The values that may change it, and the names of the others."""
        free = self._free()
        return tuple(
            (name, None if name in free else (type(value), value))
            for name, value in sorted(own_values(values).items())
        )

    def _compare(self, first: Build, second: Build) -> Pattern | None:
        """Finds the pattern of two builds, if the second is what the first predicts."""
        free = self._free() & second.values.keys()
        if any(first.values[name] == second.values[name] for name in free):
            return None
        pattern = self._common(first, second, free)
        self._has_failed = self._has_failed or pattern is None
        return pattern

    def _common(self, first: Build, second: Build, free: set[str]) -> Pattern | None:
        if first.blueprint.signature != second.blueprint.signature:
            return None
        sources: list[str | None] = []
        for one, other in zip(first.numbers, second.numbers, strict=True):
            fitting = [
                name
                for name in sorted(free)
                if _same(first.values[name], one) and _same(second.values[name], other)
            ]
            if len(fitting) > 1 or (not fitting and one != other):
                return None
            sources.append(fitting[0] if fitting else None)
        pattern = Pattern(first, sources)
        predicted = pattern.predict(second.values, second.seed, first.blueprint.model)
        if predicted is None:
            return None
        pairs = zip(predicted.weights, second.blueprint.weights, strict=True)
        return pattern if all(np.array_equal(one, other) for one, other in pairs) else None

    def _resembling(self, build: Build) -> Pattern | None:
        """The pattern of a build that hands on what the builds of other architectures do."""
        patterns = self._patterns.values()
        if self._has_failed or len(patterns) < _ENOUGH:
            return None
        free = sorted(self._free() & build.values.keys())
        constants = {number for pattern in patterns for number in pattern.constants}
        if not _can_be_told_apart([build.values[name] for name in free], build):
            return None
        sources: list[str | None] = []
        for number in build.numbers:
            fitting = [name for name in free if _same(build.values[name], number)]
            if not fitting and number not in constants:
                return None
            sources.append(fitting[0] if fitting else None)
        drawn = all(recipe.initializer or recipe.is_constant for recipe in build.recipes)
        return Pattern(build, sources) if drawn and sources and {*sources} >= {*free} else None


def _can_be_told_apart(values: Sequence[float], build: Build) -> bool:
    """Whether a number in a model that is one of some values is no constant by chance.

    A number that somebody has written has few digits, and a model has what was handed on to it in
    its numbers, nowhere else.
    """
    constants = [recipe.value.flat[0] for recipe in build.recipes if recipe.value.size]
    elsewhere = [*_floats(build.blueprint.signature), *constants]
    return len({np.float32(value) for value in values}) == len(values) and all(
        len(repr(float(value))) >= _DIGITS and not any(_same(value, one) for one in elsewhere)
        for value in values
    )


def _holds_watched(blueprint: Blueprint) -> bool:
    """Whether a watched value is somewhere in a model, but where it is replaced in a training."""
    try:
        schedule = None if blueprint.schedule is None else described(blueprint.schedule)
    except CannotShareError:  # It may be there.
        return True
    numbers = _floats((blueprint.signature, schedule))
    return any(isinstance(number, Watched) for number in numbers)


def _floats(description: Any) -> Iterator[float]:
    """The numbers in a description."""
    if isinstance(description, float):
        yield description
    elif isinstance(description, tuple):
        for one in description:
            yield from _floats(one)


def _same(value: float, number: float) -> bool:
    """Whether a number in a model is a value, which a variable has rounded perhaps."""
    return bool(np.float32(value) == np.float32(number))
