"""An epoch as one computation of JAX: the model's own `train_step` or `test_step` in a loop.

It saves what `fit` does between two steps, for which a GPU waits. A CPU does not: there a loop
gains nothing, and XLA runs convolutions within one on a single core.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import keras
import numpy as np
from jax import numpy as jnp

from kt_hpo._private_apis.keras import build_state
from kt_hpo.training.compiled.arguments import NeedsFitError, Samples, have_equal_batches
from kt_hpo.training.compiled.pace import Pace

# Larger data are left to `fit`, which takes a batch at a time to the device.
_ON_DEVICE = 2**30
_NUMBER = jax.ShapeDtypeStruct((), np.int32)


def check_devices(model: keras.Model) -> None:
    """Refuses CPUs, models that are spread over devices, and steps that are not to be compiled.

    Args:
        model: A model.

    Raises:
        NeedsFitError: If it is.
    """
    if jax.default_backend() == "cpu":
        raise NeedsFitError("a CPU gains nothing from a loop")
    if keras.distribution.distribution() is not None:
        raise NeedsFitError("a distribution spreads the model over devices")
    if not model.jit_compile or jax.config.jax_disable_jit:
        raise NeedsFitError("the model is not to be compiled")


def prepare(model: keras.Model, samples: Samples, shuffle: bool | str) -> None:
    """Makes the variables of a model and of its metrics, as `fit` does.

    Args:
        model: The model.
        samples: The samples to train with.
        shuffle: As in `fit`, which looks at a first batch, and so draws an order that it does not
            train in.
    """
    if build_state(model, _first(samples)) and shuffle:
        size = samples.batch_size if shuffle == "batch" else samples.count
        np.random.permutation(min(size, samples.count))


class EpochProgram:
    """Steps over samples, many in one call.

    Args:
        model: The model.
        train: Whether it trains, with `model.train_step`; else it evaluates, with
            `model.test_step`.
        samples: The samples.
        data: Their arrays as another program has them; made if not given.

    Attributes:
        samples: The samples.
        data: Their arrays on the device.
        in_order: Their numbers, of shape (samples,) and type int32.

    Raises:
        NeedsFitError: If the samples do not belong on a device.
    """

    def __init__(self, model: keras.Model, train: bool, samples: Samples, data: Any = None) -> None:
        if sum(leaf.size * leaf.dtype.itemsize for leaf in _leaves(samples)) > _ON_DEVICE:
            raise NeedsFitError("the samples are too large for a device")
        self.samples = samples
        self.in_order = jnp.arange(samples.count)
        self.data = _arrays(samples) if data is None else data
        self._is_training = train
        self._groups = _groups(model, train)
        step = model.train_step if train else model.test_step
        logs, _ = jax.eval_shape(step, self._state(), _first(samples))
        # Compiled before any callback acts, so that `fit` can still take over where that fails.
        self._run: Any = None
        self._rest: Any = None
        if samples.count >= samples.batch_size:
            self._run = self._compiled(_loop(step, logs, samples.batch_size), _NUMBER, _NUMBER)
        if self._has_rest:
            self._rest = self._compiled(_last(step, samples))
        self._pace = Pace()

    def suits(self, samples: Samples) -> bool:
        """Tells whether this program may have other samples.

        Args:
            samples: The samples.

        Returns:
            Whether they are as many, of one shape.
        """
        own = self.samples
        same = (samples.batch_size, samples.count) == (own.batch_size, own.count)
        return same and have_equal_batches(self.data, samples.arrays)

    def over(self, samples: Samples) -> EpochProgram:
        """Gives this program with other samples.

        Args:
            samples: Samples that it `suits`.

        Returns:
            The program. This one keeps its own samples.
        """
        other = copy.copy(self)
        other.samples, other.data = samples, _arrays(samples)
        return other

    def of(self, model: keras.Model) -> EpochProgram:
        """Gives this program for another model.

        Args:
            model: A model that calculates the same, with all its variables.

        Returns:
            The program.
        """
        other = copy.copy(self)
        other._pace, other._groups = Pace(), _groups(model, self._is_training)
        return other

    def __call__(
        self, order: Any, begin: int, end: int, watch: Sequence[Callable[[int], None]]
    ) -> Any:
        """Steps over some batches.

        Args:
            order: Numbers of all samples, of shape (samples,).
            begin: The first batch, counted from 0.
            end: The batch before which it stops.
            watch: Called now and then with the latest batch; an error ends it.

        Returns:
            The logs of the last step.
        """
        logs = None
        full = end - (self._has_rest and end == self.samples.batches)
        for first, last in self._pace.parts(begin, full):
            logs = self._take(self._run, order, np.int32(first), np.int32(last))
            for look in watch:
                look(last - 1)
        if full < end:
            logs = self._take(self._rest, order)
            for look in watch:
                look(end - 1)
        return logs

    @property
    def _has_rest(self) -> bool:
        """Whether the last batch is smaller."""
        return self.samples.count % self.samples.batch_size > 0

    def _compiled(self, program: Callable[..., Any], *steps: Any) -> Any:
        made = jax.jit(program, donate_argnums=0)
        return made.lower(self._state(), self.data, self.in_order, *steps).compile()

    def _take(self, program: Callable[..., Any], order: Any, *steps: Any) -> Any:
        """Take steps, and give the model what they have made of its variables."""
        logs, state = program(self._state(), self.data, order, *steps)
        for variables, values in zip(self._groups, state, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        return jax.block_until_ready(logs)

    def _state(self) -> tuple[list[Any], ...]:
        return tuple([variable.value for variable in group] for group in self._groups)


def _groups(model: keras.Model, train: bool) -> tuple[list[Any], ...]:
    """Return the variables of a step's state, in the order of Keras' steps for JAX."""
    weights = model.trainable_variables, model.non_trainable_variables
    optimizers = (model.optimizer.variables,) if train else ()
    return (*weights, *optimizers, model.metrics_variables)


def _first(samples: Samples) -> Any:
    """Return the first batch."""
    return keras.tree.map_structure(lambda array: array[: samples.batch_size], samples.arrays)


def _arrays(samples: Samples) -> Any:
    return keras.tree.map_structure(jnp.asarray, samples.arrays)


def _leaves(samples: Samples) -> list[Any]:
    return keras.tree.flatten(samples.arrays)


def _loop(step: Callable[..., Any], logs: Any, size: int) -> Callable[..., Any]:
    """Return a function that takes a step at a time over full batches."""
    nothing = keras.tree.map_structure(lambda log: jnp.zeros(log.shape, log.dtype), logs)

    def run(state: Any, data: Any, order: Any, begin: int, end: int) -> tuple[Any, Any]:
        def body(number: Any, carried: tuple[Any, Any]) -> tuple[Any, Any]:
            rows = jax.lax.dynamic_slice(order, (number * size,), (size,))
            batch = keras.tree.map_structure(lambda array: array[rows], data)
            return step(carried[1], batch)

        return jax.lax.fori_loop(begin, end, body, (nothing, state))

    return run


def _last(step: Callable[..., Any], samples: Samples) -> Callable[..., Any]:
    """Return a function that takes the last step, whose batch is smaller."""
    begin = samples.count - samples.count % samples.batch_size

    def run(state: Any, data: Any, order: Any) -> tuple[Any, Any]:
        rows = order[begin:]
        return step(state, keras.tree.map_structure(lambda array: array[rows], data))

    return run


def orders(samples: Samples, shuffle: bool | str) -> Iterator[Any]:
    """Shuffles samples as `fit` does: with the same seed, in the same order.

    Args:
        samples: The samples.
        shuffle: As in `fit`.

    Yields:
        The order of each epoch, of shape (samples,).
    """
    count, size = samples.count, samples.batch_size
    while True:
        if shuffle == "batch":
            parts = [
                np.random.permutation(min(size, count - begin)) + begin
                for begin in range(0, count, size)
            ]
            yield jnp.asarray(np.concatenate(parts))
        else:
            yield jnp.asarray(np.random.permutation(count) if shuffle else np.arange(count))
