"""An epoch as one graph: the model's own `train_step` or `test_step` in a loop."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kt_hpo._private_apis.keras import build_state
from kt_hpo._private_apis.tensorflow import in_sequence
from kt_hpo.training.build import build_weights, has_own
from kt_hpo.training.compiled.arguments import NeedsFitError, Samples, have_equal_batches
from kt_hpo.training.compiled.graphs import as_traced, is_small
from kt_hpo.training.compiled.optimizers import fused
from kt_hpo.training.compiled.pace import Pace

# Larger data stay where `fit` has them, in the memory of the host.
_ON_DEVICE = 2**30
_ORDER, _NUMBER = tf.TensorSpec((None,), tf.int64), tf.TensorSpec((), tf.int32)


def check_devices(model: keras.Model) -> None:
    """Refuses models that are spread over devices, and programs that run eagerly.

    Args:
        model: A model.

    Raises:
        NeedsFitError: If it is.
    """
    if (
        tf.distribute.has_strategy()
        or model.distribute_strategy is not tf.distribute.get_strategy()
    ):
        raise NeedsFitError("a strategy spreads the model over devices")
    if tf.config.functions_run_eagerly():
        raise NeedsFitError("TensorFlow is told to run functions eagerly")


def prepare(model: keras.Model, samples: Samples, shuffle: bool | str) -> None:
    """Makes the weights of a model, as `fit` does.

    Args:
        model: The model.
        samples: The samples to train with.
        shuffle: As in `fit`.
    """
    build_weights(model, keras.utils.unpack_x_y_sample_weight(samples.arrays)[0])


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
        data: Their arrays as tensors.
        in_order: Their numbers, of shape (samples,) and type int64.
    """

    def __init__(self, model: keras.Model, train: bool, samples: Samples, data: Any = None) -> None:
        self.samples = samples
        self.in_order = tf.range(samples.count, dtype=tf.int64)
        self.data = _tensors(samples) if data is None else data
        self._model = model
        self._is_training = train
        self._in_sequence = is_small(model, samples.batch_size)
        self._has_run = False
        self._run = self._traced()
        self._pace = Pace()
        self._others: list[keras.Variable] = []

    def suits(self, samples: Samples) -> bool:
        """Tells whether this program may have other samples.

        Args:
            samples: The samples.

        Returns:
            Whether they are as many in a batch, of one shape.
        """
        return samples.batch_size == self.samples.batch_size and have_equal_batches(
            self.data, samples.arrays
        )

    def over(self, samples: Samples) -> EpochProgram:
        """Gives this program with other samples.

        Args:
            samples: Samples that it `suits`.

        Returns:
            The program. This one keeps its own samples.
        """
        other = copy.copy(self)
        other.samples, other.data = samples, _tensors(samples)
        other.in_order = tf.range(samples.count, dtype=tf.int64)
        return other

    def of(self, model: keras.Model) -> EpochProgram:
        """Gives this program for another model.

        Args:
            model: A model that calculates the same, with all its variables.

        Returns:
            The program. The model it was made of stays as it is.
        """
        other = copy.copy(self)
        other._others = _variables_of(model, self._is_training)
        return other

    def __call__(
        self, order: tf.Tensor, begin: int, end: int, watch: Sequence[Callable[[int], None]]
    ) -> Any:
        """Steps over some batches.

        Args:
            order: Numbers of all samples, of shape (samples,) and type int64.
            begin: The first batch, counted from 0.
            end: The batch before which it stops.
            watch: Called now and then with the latest batch; an error ends it.

        Returns:
            The logs of the last step; empty where the model's metrics are all.
        """
        logs: Any = {}
        for first, last in self._pace.parts(begin, end):
            with self._borrowed():
                logs = self._steps(order, tf.constant(first), tf.constant(last), self.data)
            for look in watch:
                look(last - 1)
        return logs

    def _traced(self) -> Any:
        """Trace the loop of steps."""
        model, train = self._model, self._is_training
        with self._chosen(), fused(model.optimizer) if train else nullcontext():
            step, logs = _step(model, "train_step" if train else "test_step", self.data)
            loop = tf.function(_loop(step, logs, self.samples.batch_size), autograph=False)
            data = keras.tree.map_structure(_spec, self.data)
            return loop.get_concrete_function(_ORDER, _NUMBER, _NUMBER, data)

    def _steps(self, *args: Any) -> Any:
        """Take some steps; the first ones show whether all their kernels can run in sequence."""
        may_fail = self._in_sequence and not self._has_run
        own = _variables_of(self._model, self._is_training) if may_fail else []
        before = _values(own)
        self._has_run = True
        try:
            with as_traced(), self._chosen():
                return self._run(*args)
        except tf.errors.OpError:
            if not may_fail:
                raise
            _assigned(own, before)
            self._in_sequence = False
            self._run = self._traced()
            return self._steps(*args)

    def _chosen(self) -> AbstractContextManager[None]:
        return in_sequence() if self._in_sequence else nullcontext()

    @contextmanager
    def _borrowed(self) -> Iterator[None]:
        """Lend the variables of the graph to the model that trains, if it is another."""
        if not self._others:
            yield
            return
        own = _variables_of(self._model, self._is_training)
        before = _assigned(own, _values(self._others))
        try:
            yield
        finally:
            _assigned(self._others, _assigned(own, before))


def _variables_of(model: keras.Model, train: bool) -> list[keras.Variable]:
    """List all that a step reads or changes, each once."""
    of_optimizer = getattr(model.optimizer, "variables", ()) if train else ()
    every = [*model.variables, *of_optimizer, *model.metrics_variables]
    return list({id(variable): variable for variable in every}.values())


def _values(variables: Sequence[keras.Variable]) -> list[Any]:
    return [
        tf.raw_ops.ReadVariableOp(resource=one.value.handle, dtype=one.value.dtype)
        for one in variables
    ]


def _assigned(variables: Sequence[keras.Variable], values: Sequence[Any]) -> list[Any]:
    """Assign values, and return those before.

    By the operations themselves: for small models `assign` takes as long as the epoch.
    """
    before = _values(variables)
    for variable, value in zip(variables, values, strict=True):
        tf.raw_ops.AssignVariableOp(resource=variable.value.handle, value=value)
    return before


def _step(model: keras.Model, method: str, data: Any) -> tuple[Callable[[Any], Any], Any]:
    """Return a step over a batch, and what its logs look like.

    A step of Keras' own is traced within the loop, which takes less time. Its logs are the model's
    metrics.
    """
    step = getattr(model, method)
    is_own = any(has_own(model, one) for one in ("train_step", "test_step", "compute_metrics"))
    if not is_own and not model.jit_compile:
        build_state(model, keras.tree.map_structure(lambda array: array[:1], data))

        def without_logs(batch: Any) -> dict[str, Any]:
            step(batch)
            return {}

        return without_logs, {}
    traced = tf.function(
        step, autograph=False, jit_compile=bool(model.jit_compile)
    ).get_concrete_function(keras.tree.map_structure(_spec, data))
    return traced, traced.structured_outputs


def _tensors(samples: Samples) -> Any:
    size = sum(np.prod(leaf.shape) for leaf in keras.tree.flatten(samples.arrays))
    with tf.device("CPU" if 4 * size > _ON_DEVICE else None):
        return keras.tree.map_structure(tf.convert_to_tensor, samples.arrays)


def _spec(data: tf.Tensor) -> tf.TensorSpec:
    return tf.TensorSpec((None, *data.shape[1:]), data.dtype)


def _loop(step: Callable[[Any], Any], logs: Any, size: int) -> Any:
    """Return a function that takes a step at a time in a loop of its graph."""
    shapes = tf.nest.map_structure(lambda out: out.shape, logs)
    nothing = tf.nest.map_structure(
        lambda out: tf.zeros([part or 0 for part in out.shape], out.dtype), logs
    )

    def run(order: tf.Tensor, begin: tf.Tensor, end: tf.Tensor, data: Any) -> Any:
        def body(number: tf.Tensor, logs: Any) -> tuple[tf.Tensor, Any]:
            rows = order[number * size : (number + 1) * size]
            batch = tf.nest.map_structure(lambda array: tf.gather(array, rows), data)
            return number + 1, step(batch)

        return tf.while_loop(
            lambda number, logs: number < end,
            body,
            (begin, nothing),
            shape_invariants=(begin.shape, shapes),
            parallel_iterations=1,
        )[1]

    return run


def orders(samples: Samples, shuffle: bool | str) -> Iterator[tf.Tensor]:
    """Shuffles samples as `fit` does: with the same seed, in the same order.

    Args:
        samples: The samples.
        shuffle: As in `fit`.

    Yields:
        The order of each epoch, of shape (samples,) and type int64.
    """
    count, size = samples.count, samples.batch_size
    is_seeded: bool | None = None

    # The numbers that TensorFlow draws in the map of a dataset depend on the operations in it: they
    # are those of Keras' ArrayDataAdapter.
    def permutation(_: tf.Tensor) -> tf.Tensor:
        nonlocal is_seeded
        is_seeded = tf.compat.v1.get_default_graph().seed is not None
        indices = tf.range(count, dtype=tf.int64)
        return tf.random.shuffle(indices) if shuffle and shuffle != "batch" else indices

    dataset = tf.data.Dataset.range(1).map(permutation)
    if shuffle == "batch":
        dataset = dataset.unbatch().batch(size).map(tf.random.shuffle)
    order = None
    while True:
        # With a seed every run of the dataset, and so every epoch of `fit`, draws the same.
        if order is None or (shuffle and not is_seeded):
            order = tf.concat(list(dataset), axis=0)
        yield order
