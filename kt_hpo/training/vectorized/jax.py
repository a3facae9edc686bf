"""Vectorized training on Keras' JAX backend: `jax.vmap` over the epoch of one trial."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np
from keras import ops

from kt_hpo.training.vectorized.learner import Batch, Learner, Values
from kt_hpo.training.vectorized.program import (
    TRACING,
    Given,
    Logs,
    Run,
    Sizes,
    count,
    padded,
    places,
    take,
    with_rate,
)

Carried = tuple[Values, Values]


class Jax:
    """The backend; see `program.Backend`."""

    groups_at_once = 1

    def twin(self, optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
        """Makes an optimizer like another; on this backend all respect scopes."""
        return with_rate(optimizer)

    def each(self, function: Callable[[Any], Any], numbers: np.ndarray) -> np.ndarray:
        """Traces a function, as a training would, and applies it to numbers one by one."""

        def one(number: Any) -> Any:
            return ops.cast(function(number), "float32")

        traced = jax.jit(lambda numbers: jax.lax.map(one, numbers))
        return ops.convert_to_numpy(traced(numbers.astype("int32")))

    def compile(self, learner: Learner, sizes: Sizes) -> Run:
        """Makes the program of a model."""

        def epoch(
            state: Values, given: Given, train: Batch, validation: Batch | None, order: Any
        ) -> tuple[Values, Logs, Logs]:
            def step(carried: Carried, number: Any, batch: Batch) -> Carried:
                rate = given.rates[number]
                seeds = list(given.seeds[number].astype("uint32"))
                draw = _plain(learner)
                return learner.train(carried, batch, rate, seeds, draw, given.scalars, _gradient)

            def measure(metrics: Values, number: Any, batch: Batch) -> Values:
                del number
                return learner.test(state, metrics, batch, given.scalars)

            fresh = learner.fresh_metrics()
            state, metrics = _each(step, (state, fresh), train, order, sizes.batch)
            logs = learner.results(metrics)
            if validation is None:
                return state, logs, {}
            measured = _each(measure, fresh, validation, None, sizes.validation)
            return state, logs, learner.results(measured)

        axes = (0, Given(rates=0, seeds=0, common=None, scalars=0), None, None, None)  # type: ignore[arg-type]
        return Program(jax.jit(jax.vmap(epoch, in_axes=axes)))


class Program:
    """An epoch that is compiled when it is first called with a number of places.

    Args:
        together: The compiled epoch of all places.
    """

    def __init__(self, together: Callable[..., tuple[Values, Logs, Logs]]) -> None:
        self._together = together

    def prepare(
        self, state: Values, given: Given, train: Batch, validation: Batch | None, order: Any
    ) -> None:
        """Does nothing: the first call compiles and runs in one."""

    def __call__(
        self, state: Values, given: Given, train: Batch, validation: Batch | None, order: Any
    ) -> tuple[Values, Logs, Logs]:
        """Runs an epoch; see `program.Run`."""
        everyone = padded(state, given, places(len(given.rates)))
        with TRACING:
            return self._together(*everyone, train, validation, order)


def _gradient(
    function: Callable[[Values], tuple[Any, Values]], weights: Values
) -> tuple[Values, Values]:
    (_, beside), gradients = jax.value_and_grad(function, has_aux=True)(weights)
    return beside, gradients


def _each(
    step: Callable[[Any, Any, Batch], Any], carried: Any, data: Batch, order: Any, size: int
) -> Any:
    """Runs a step on every batch; the last, smaller one is compiled by itself."""
    samples = count(data)
    whole, rest = divmod(samples, size)
    order = ops.arange(samples) if order is None else order

    def body(number: Any, carried: Any) -> Any:
        rows = jax.lax.dynamic_slice_in_dim(order, number * size, size)
        return step(carried, number, take(data, rows))

    carried = jax.lax.fori_loop(0, whole, body, carried)
    return step(carried, whole, take(data, order[whole * size :])) if rest else carried


def _plain(learner: Learner) -> Callable[[int, Any], Any]:
    """Draws with the seed that a generator has in the scope."""

    def draw(number: int, like: Any) -> Any:
        return keras.random.uniform(ops.shape(like), seed=learner.generators[number])

    return draw
