"""The epochs of a training, each a call of a program."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

from kt_hpo.training.build import build_optimizer
from kt_hpo.training.compiled import arguments
from kt_hpo.training.compiled.arguments import FitArguments, NeedsFitError, Samples
from kt_hpo.training.compiled.reuse import latest_programs
from kt_hpo.training.data import validates

_HAS_PROGRAMS = keras.backend.backend() in ("tensorflow", "jax")
if keras.backend.backend() == "tensorflow":
    from kt_hpo.training.compiled.tensorflow import EpochProgram, check_devices, orders, prepare
elif keras.backend.backend() == "jax":
    from kt_hpo.training.compiled.jax import (  # type: ignore[assignment]
        EpochProgram,
        check_devices,
        orders,
        prepare,
    )
_SIGNATURE = inspect.signature(keras.Model.fit)


@contextmanager
def trained_by_programs(
    model: keras.Model,
    tell: Callable[[str], object] = lambda sentence: None,
    is_continued: bool = False,
) -> Iterator[None]:
    """Has `model.fit` train a model by programs of its own where these can do what it asks.

    Losses, metrics, initial weights and the order of samples are those of `fit`, up to the rounding
    of floats. Callbacks see the model at the end of every epoch. What a program cannot do, such as
    callbacks at batches or data that are streams, `fit` itself does.

    Args:
        model: A model, compiled or to be compiled.
        tell: Called at each `fit` with a sentence that says how it trains.
        is_continued: Whether another training may continue this one; its programs are kept longer.

    Yields:
        Nothing, while `model.fit` is the faster one.

    Example:
        >>> import numpy as np
        >>> model = keras.Sequential([keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> x = np.ones((8, 3))
        >>> with trained_by_programs(model):
        ...     history = model.fit(x, x[:, :1], epochs=2, verbose=0)
        >>> sorted(history.history), history.epoch
        (['loss'], [0, 1])
    """
    own = type(model).fit is not keras.Model.fit or "fit" in vars(model)
    if own or not _HAS_PROGRAMS:
        yield
        return
    model.fit = functools.partial(_fit, model, tell, is_continued)
    try:
        yield
    finally:
        del model.fit


def _fit(
    model: keras.Model,
    tell: Callable[[str], object],
    is_continued: bool,
    *args: Any,
    **kwargs: Any,
) -> keras.callbacks.History:
    """Train a model by programs, or by `fit`, which tells of a mistake in its own words."""
    try:
        training = _training(model, is_continued, args, kwargs)
        tell("Each epoch trains in one graph.")
        return training.run()
    except NeedsFitError as reason:
        tell(f"Models train by model.fit, because {reason}.")
        return keras.Model.fit(model, *args, **kwargs)


def _training(
    model: keras.Model, is_continued: bool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> _Training:
    try:
        return _Training(model, _read(model, args, kwargs), is_continued)
    except NeedsFitError:
        raise
    except Exception as error:  # A mistake, of which `fit` tells, or ours and not the trial's.
        raise NeedsFitError("no graph can be made of them") from error


def _read(model: keras.Model, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FitArguments:
    arguments.check_model(model)
    check_devices(model)
    bound = _SIGNATURE.bind(model, *args, **kwargs)
    bound.apply_defaults()
    return arguments.read(bound.arguments)


class _Training:
    """A training of a model.

    The model is traced before any callback acts, so that `fit` can still take over, or after the
    callbacks that may change it.

    Args:
        model: The model.
        fit: What is asked for.
        is_continued: Whether another training may continue this one.
    """

    def __init__(self, model: keras.Model, fit: FitArguments, is_continued: bool) -> None:
        self._model = model
        self._is_continued = is_continued
        self._fit = fit
        self._orders = orders(fit.train, fit.shuffle)
        self._order: Any = None
        self._seen = 0
        self._traces_late = any(map(arguments.may_change_model, fit.callbacks))
        if not self._traces_late:
            self._trace()

    def _trace(self) -> None:
        """Make the programs; whoever has no weights yet gets them as in `fit`."""
        model, fit = self._model, self._fit
        prepare(model, fit.train, fit.shuffle)
        programs = latest_programs()
        kept = programs.find(model, fit) if programs else None
        if kept:
            self._evaluate = kept.evaluate.of(model) if fit.validation else None
            self._train = kept.train.of(model)
            return
        train = programs.data_of(fit.train, "train") if programs else None
        validation = programs.data_of(fit.validation, "evaluate") if programs else None
        self._evaluate = (
            EpochProgram(model, False, fit.validation, validation) if fit.validation else None
        )
        if not model.built:
            EpochProgram(model, False, fit.train, train)
        build_optimizer(model)
        self._train = EpochProgram(model, True, fit.train, train)
        if programs:
            programs.add(model, self._train, self._evaluate, self._is_continued)

    def _trace_late(self) -> None:
        try:
            self._trace()
        except Exception as error:
            raise NeedsFitError("no graph can be made of them") from error

    def run(self) -> keras.callbacks.History:
        """Trains."""
        model, fit = self._model, self._fit
        callbacks = keras.callbacks.CallbackList(
            fit.callbacks,
            add_history=True,
            add_progbar=fit.verbose != 0,
            model=model,
            verbose=fit.verbose,
            epochs=fit.epochs.stop,
            steps=fit.train.steps or fit.train.batches,
        )
        model.stop_training = False
        callbacks.on_train_begin()
        logs: dict[str, Any] = {}
        for epoch in fit.epochs:
            callbacks.on_epoch_begin(epoch)
            if epoch == fit.epochs.start and self._traces_late:
                self._trace_late()
            logs = self._train_epoch()
            if self._evaluate and validates(epoch, fit.validation_freq):
                logs |= self._validate(callbacks, self._evaluate)
            callbacks.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        model.optimizer.finalize_variable_values(model.trainable_weights)
        callbacks.on_train_end(logs)
        return model.history

    def _train_epoch(self) -> dict[str, Any]:
        """Train over the next batches, all of them unless there are `steps_per_epoch`."""
        self._model.reset_metrics()
        samples = self._fit.train
        if self._order is None or samples.steps is None:
            self._order, self._seen = next(self._orders), 0
        end = min(self._seen + (samples.steps or samples.batches), samples.batches)
        if samples.steps and end - self._seen < samples.steps:
            _warn_of_few(samples)
        logs = self._train(self._order, self._seen, end, self._watching("on_train_batch_end"))
        self._seen = end
        if end == samples.batches:
            self._order = None
        return self._results(logs)

    def _validate(
        self, callbacks: keras.callbacks.CallbackList, evaluate: EpochProgram
    ) -> dict[str, Any]:
        """Evaluate the model on the validation samples, the first ones if not all."""
        samples = evaluate.samples
        callbacks.on_test_begin()
        self._model.reset_metrics()
        end = min(samples.steps or samples.batches, samples.batches)
        if samples.steps and end < samples.steps:
            _warn_of_few(samples)
        logs = self._results(
            evaluate(evaluate.in_order, 0, end, self._watching("on_test_batch_end"))
        )
        callbacks.on_test_end(logs)
        return {f"val_{name}": value for name, value in logs.items()}

    def _watching(self, hook: str) -> list[Callable[[int], None]]:
        """Return the hooks at batches that may miss some."""
        watching = filter(arguments.may_miss_batches, self._fit.callbacks)
        return [getattr(callback, hook) for callback in watching]

    def _results(self, logs: Any) -> dict[str, Any]:
        """Return what the metrics say of all steps, unless steps give other logs than metrics."""
        results = self._model.get_metrics_result()
        if not logs or (isinstance(logs, dict) and set(logs) == set(results)):
            return dict(results)
        return dict(logs)


def _warn_of_few(samples: Samples) -> None:
    warnings.warn(
        f"There are {samples.batches} batches of {samples.batch_size} samples, fewer than the "
        f"{samples.steps} steps asked for: the epoch ends early.",
        stacklevel=2,
    )
