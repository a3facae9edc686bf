"""Vectorized training on Keras' TensorFlow backend.

A step of all trials at once is `tf.vectorized_map` over the step of one. Some layers it cannot
convert, convolutions among them: those train one trial after the other, several at a time, in a
loop within the same graph.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any, ClassVar

import keras
import tensorflow as tf
from keras import ops

from kt_hpo._private_apis.tensorflow import converting_bitcasts
from kt_hpo.training.compiled.graphs import as_traced
from kt_hpo.training.model_parts import CannotShareError
from kt_hpo.training.vectorized import noise
from kt_hpo.training.vectorized.graphs import each, silence
from kt_hpo.training.vectorized.learner import Batch, Learner, Values
from kt_hpo.training.vectorized.program import (
    TRACING,
    Given,
    Logs,
    Sizes,
    count,
    padded,
    places,
    take,
    with_rate,
)

Carried = tuple[Values, Values]


class TensorFlow:
    """The backend; see `program.Backend`."""

    def __init__(self) -> None:
        # Between the operations of one, a core has time for those of another.
        has_gpu = bool(tf.config.get_visible_devices("GPU"))
        self.groups_at_once = 1 if has_gpu else min(2, os.cpu_count() or 1)

    def twin(self, optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
        """Makes an optimizer like another that changes no variable outside of a scope."""
        made = with_rate(optimizer)
        made.__class__ = type(type(made).__name__, (type(made), _Undistributed), {})
        return made

    each = staticmethod(each)

    def compile(self, learner: Learner, sizes: Sizes) -> Program:
        """Makes the program of a model."""
        return Program(learner, sizes)


class _Undistributed(keras.optimizers.Optimizer):
    """Undoes what Keras changes in its optimizers for `tf.distribute`.

    Those changes write into TensorFlow's own variables, also where a `StatelessScope` has others.
    """

    _kinds: ClassVar = {kind.__name__: kind for kind in keras.optimizers.Optimizer.__mro__}
    for _name, _method in vars(_kinds.get("BaseOptimizer", object)).items():
        if _name in vars(_kinds.get("TFOptimizer", object)) and not _name.startswith("__"):
            vars()[_name] = _method


class Program:
    """The compiled epoch of a model, traced when it is first called with a number of trials.

    Args:
        learner: The model.
        sizes: The sizes of its batches.
    """

    def __init__(self, learner: Learner, sizes: Sizes) -> None:
        self._learner = learner
        self._sizes = sizes
        self._looped = False
        self._any_size = learner.any_size
        self._numbers: set[int] = set()
        self._traced: dict[Hashable, Callable[..., Any]] = {}

    def __call__(
        self, state: Values, given: Given, train: Batch, validation: Batch | None, order: Any
    ) -> tuple[Values, Logs, Logs]:
        """Runs an epoch; see `program.Run`."""
        stacked, arguments = self._for_all_places(state, given, train, validation, order)
        if stacked is not None:
            with as_traced():
                return stacked(*arguments)
        arguments = _tensors((state, given, train, validation, order))
        try:
            with TRACING:
                loop = self._loop(arguments)
            return loop(*arguments)
        except CannotShareError:
            raise
        except Exception as error:  # Whatever TensorFlow and the layers raise in a graph.
            reason = f"their model fails in a graph ({str(error).strip().splitlines()[-1]})"
            raise CannotShareError(reason) from error

    def prepare(
        self, state: Values, given: Given, train: Batch, validation: Batch | None, order: Any
    ) -> None:
        """Traces the program that a call needs; see `program.Run`."""
        self._for_all_places(state, given, train, validation, order)

    def _for_all_places(
        self, state: Values, given: Given, train: Batch, validation: Batch | None, order: Any
    ) -> tuple[Callable[..., Any] | None, Any]:
        """The program of all places and its arguments; None if a layer does not convert."""
        if self._looped:
            return None, None
        number = self._places(len(given.rates))
        arguments = _tensors((*padded(state, given, number), train, validation, order))
        # What is traced already must not wait for what another thread traces.
        stacked = self._traced.get(self._key(arguments))
        if stacked is None:
            with TRACING:
                stacked = self._stacked(arguments)
        if stacked is not None:
            self._numbers.add(number)
        return stacked, arguments

    def _places(self, trials: int) -> int:
        """As many as needed, or twice that where a program is there already."""
        least = places(trials)
        return least if least in self._numbers or 2 * least not in self._numbers else 2 * least

    def _stacked(self, arguments: Any) -> Callable[..., Any] | None:
        """The program for a number of places; None if a layer does not convert."""
        key = self._key(arguments)
        if key not in self._traced:
            state, *others, order = _specs(arguments)
            if self._any_size:
                state = _each_leaf(_any_size_of, state)
            specs = (state, *others, _any_number(order))
            try:
                with silence():
                    program = _traced(self._stacked_epoch, specs)
                self._traced[key] = _loaded(program, arguments)
            except CannotShareError:
                raise
            except Exception:  # Whatever TensorFlow and the layers raise that do not convert.
                if self._any_size:
                    self._any_size = False
                    return self._stacked(arguments)
                self._looped = True
                return None
        return self._traced[key]

    def _key(self, arguments: Any) -> Hashable:
        """What tells the programs of one model apart: the shapes of its state."""
        state, *_ = _specs(arguments)
        if self._any_size:
            state = _each_leaf(_any_size_of, state)
        return tuple(spec.shape for spec in state)

    def _loop(self, arguments: Any) -> Callable[..., Any]:
        """The program that loops over any number of trials."""
        state, given, *others = _specs(arguments)
        free = _any_number(state), _any_number(given)._replace(common=given.common)
        key = tuple(spec.shape for spec in free[0])
        if key not in self._traced:
            self._traced[key] = _traced(self._looped_epoch, (*free, *others))
        return self._traced[key]

    def _stacked_epoch(
        self, state: Values, given: Given, train: Batch, validation: Batch | None, order: Any
    ) -> tuple[Values, Logs, Logs]:
        """All trials take a step together, then the next one."""
        learner = self._learner
        rates, seeds = tf.transpose(given.rates), tf.transpose(given.seeds, [1, 0, 2, 3])
        fresh = _repeated(learner.fresh_metrics(), state)

        def step(carried: Carried, number: Any, batch: Batch) -> Carried:
            shared = tf.unstack(given.common[number])

            def one(args: Any) -> Carried:
                carried, rate, own, scalars = args
                draw, states = _turned(learner, own), _states(learner, own, shared)
                return learner.train(carried, batch, rate, states, draw, scalars, _gradient)

            return _vectorized(one, (carried, rates[number], seeds[number], given.scalars))

        def measure(metrics: Values, number: Any, batch: Batch) -> Values:
            del number

            def one(args: Any) -> Values:
                return learner.test(args[0], args[1], batch, args[2])

            return _vectorized(one, (state, metrics, given.scalars))

        rows = _batches(order, count(train), self._sizes.batch)
        state, metrics = _each(rows, step, (state, fresh), train)
        logs = _vectorized(learner.results, metrics)
        if validation is None:
            return state, logs, {}
        rows = _batches(None, count(validation), self._sizes.validation)
        return state, logs, _vectorized(learner.results, _each(rows, measure, fresh, validation))

    def _looped_epoch(
        self, state: Values, given: Given, train: Batch, validation: Batch | None, order: Any
    ) -> tuple[Values, Logs, Logs]:
        """Each trial runs its epoch by itself."""
        learner = self._learner
        fresh = learner.fresh_metrics()

        def one(args: Any) -> tuple[Values, Logs, Logs]:
            state, rates, seeds, scalars = args

            def step(carried: Carried, number: Any, batch: Batch) -> Carried:
                own = tf.unstack(seeds[number])
                draw = _plain(learner)
                return learner.train(carried, batch, rates[number], own, draw, scalars, _gradient)

            def measure(metrics: Values, number: Any, batch: Batch) -> Values:
                del number
                return learner.test(state, metrics, batch, scalars)

            rows = _batches(order, count(train), self._sizes.batch)
            state, metrics = _each(rows, step, (state, fresh), train)
            logs = learner.results(metrics)
            if validation is None:
                return state, logs, {}
            rows = _batches(None, count(validation), self._sizes.validation)
            return state, logs, learner.results(_each(rows, measure, fresh, validation))

        results = tf.nest.map_structure(tf.TensorSpec.from_tensor, learner.results(fresh))
        kept = [tf.TensorSpec(array.shape[1:], array.dtype) for array in state]
        return tf.map_fn(
            one,
            (state, given.rates, given.seeds, given.scalars),
            fn_output_signature=(kept, results, {} if validation is None else results),
        )


def _tensors(arguments: Any) -> Any:
    return _each_leaf(tf.convert_to_tensor, arguments)


def _specs(arguments: Any) -> Any:
    return _each_leaf(tf.TensorSpec.from_tensor, arguments)


def _each_leaf(function: Callable[[Any], Any], structure: Any) -> Any:
    return tf.nest.map_structure(lambda one: None if one is None else function(one), structure)


def _any_size_of(spec: tf.TensorSpec) -> tf.TensorSpec:
    """The same specification for any sizes of a variable."""
    return tf.TensorSpec([spec.shape[0], *[None] * (len(spec.shape) - 1)], spec.dtype)


def _any_number(specs: Any) -> Any:
    """The same specifications for any number of trials."""
    return _each_leaf(lambda spec: tf.TensorSpec([None, *spec.shape[1:]], spec.dtype), specs)


def _traced(epoch: Callable[..., Any], specs: Any) -> Callable[..., Any]:
    return tf.function(epoch, autograph=False).get_concrete_function(*specs)


def _loaded(program: Callable[..., Any], arguments: Any) -> Callable[..., Any]:
    """The program, once TensorFlow has done what it does at a first call: run without a sample."""
    *others, order = arguments
    with as_traced(), suppress(tf.errors.OpError):
        program(*others, order[:0])
    return program


def _gradient(
    function: Callable[[Values], tuple[Any, Values]], weights: Values
) -> tuple[Values, Values]:
    with tf.GradientTape() as tape:
        tape.watch(weights)
        loss, beside = function(weights)
    # An embedding's is sparse. Keras' optimizers treat it otherwise than the same in full.
    return beside, tape.gradient(loss, weights)


def _vectorized(function: Callable[[Any], Any], arguments: Any) -> Any:
    with converting_bitcasts():
        return tf.vectorized_map(function, arguments, fallback_to_while_loop=False)


def _repeated(values: Values, state: Values) -> Values:
    """One value for each trial of a stack."""
    trials = state[0].shape[0]
    return [tf.repeat(value[None], trials, axis=0) for value in values]


def _batches(order: Any, samples: int, size: int) -> tuple[Any, Callable[[Any], Any]]:
    """How many batches there are, and the rows of the one of a number.

    An empty order has none. Where the last is a smaller one, no batch has a static size: one loop
    serves both.
    """

    def rows(number: Any) -> Any:
        part = slice(number * size, tf.minimum((number + 1) * size, samples))
        if order is None:
            return part
        chosen = order[part]
        if samples % size == 0:
            chosen.set_shape([size])
        return chosen

    return -(-(samples if order is None else tf.size(order)) // size), rows


def _each(
    batches: tuple[Any, Callable[[Any], Any]],
    step: Callable[[Any, Any, Batch], Any],
    carried: Any,
    data: Batch,
) -> Any:
    """Runs a step on every batch."""
    steps, rows = batches

    def body(number: Any, carried: Any) -> tuple[Any, Any]:
        return number + 1, step(carried, number, take(data, rows(number)))

    return tf.while_loop(
        lambda number, _: number < steps, body, (tf.constant(0), carried), maximum_iterations=steps
    )[1]


def _plain(learner: Learner) -> Callable[[int, Any], Any]:
    """Draws with the seed that a generator has in the scope."""

    def draw(number: int, like: Any) -> Any:
        return keras.random.uniform(ops.shape(like), seed=learner.generators[number])

    return draw


def _turned(learner: Learner, own: Any) -> Callable[[int, Any], Any]:
    """Draws with a seed that all trials share, each turned by an angle of its own."""
    drawn = _plain(learner)

    def draw(number: int, like: Any) -> Any:
        angle = tf.cast(own[number, 0], "float32") / 2.0**31
        turned = drawn(number, like) + angle
        return turned - tf.floor(turned)

    return draw


def _states(learner: Learner, own: Any, shared: Values) -> Values:
    """The states of the seed generators: shared where draws are turned, else the trial's own."""
    turned = noise.drawn_generators(learner.model)
    return [state if n in turned else own[n] for n, state in enumerate(shared)]
