"""The model of a trial, before its training."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import keras
import keras_tuner
from keras_tuner.engine.trial import Trial
from keras_tuner.errors import FailedTrialError, FatalTypeError

from kt_hpo.space.continuation import Continuation
from kt_hpo.training import checkpoints, distribution, inheritance
from kt_hpo.training.context import ModelBuilder
from kt_hpo.training.measures import count_parameters


def build(builder: ModelBuilder, trial: Trial, execution: int = 0) -> keras.Model:
    """Builds the model of a trial, as far trained as the trial it continues or descends from.

    Args:
        builder: Makes models of the search.
        trial: The trial.
        execution: The number of the training within its trial.

    Returns:
        The model.

    Raises:
        FatalTypeError: If the hypermodel does not return a model.
        FailedTrialError: If the model has more than `max_model_size` weights.
    """
    model = builder._build_hypermodel(trial.hyperparameters)
    check_model(model, builder.max_model_size)
    continue_past(builder, trial, model, execution)
    return model


def check_is_model(model: Any) -> None:
    """Refuses what is no model.

    Args:
        model: What `HyperModel.build` returned.

    Raises:
        FatalTypeError: If it is something else.
    """
    if not isinstance(model, keras.Model):
        raise FatalTypeError(
            f"HyperModel.build(hp) returned {model!r} of type {type(model).__name__}; it must "
            "return a keras.Model. Is its `return model` missing?"
        )


def check_model(model: Any, max_model_size: int | None) -> None:
    """Refuses what a hypermodel must not return.

    Args:
        model: What `HyperModel.build` returned.
        max_model_size: Most weights it may have; None for no limit.

    Raises:
        FatalTypeError: If it is no model.
        FailedTrialError: If the model has more than `max_model_size` weights.
    """
    check_is_model(model)
    size = count_parameters(model)
    if max_model_size and size > max_model_size:
        raise FailedTrialError(
            f"The model has {size:,} weights, more than max_model_size={max_model_size:,}."
        )


def continue_past(
    builder: ModelBuilder, trial: Trial, model: keras.Model, execution: int = 0
) -> None:
    """Trains a model as far as the trial is that its trial continues or descends from.

    Args:
        builder: Makes models of the search.
        trial: The trial.
        model: Its model.
        execution: The number of the training within its trial.
    """
    go_on(builder, trial.hyperparameters, model, execution)
    if builder.oracle.inherit_weights:
        with distribution.scope(builder.distribution_strategy):
            inherited = inheritance.inherit_from_parent(builder, trial, model, execution)
        if inherited is not None:
            builder.annotate(trial, inherited=inherited)


def go_on(
    builder: ModelBuilder, hp: keras_tuner.HyperParameters, model: keras.Model, execution: int = 0
) -> None:
    """Trains a model as far as the trial is that its values name, as Hyperband's later rounds do.

    Args:
        builder: Makes models of the search.
        hp: The values that the model was built with.
        model: The model.
        execution: The number of the training within its trial.
    """
    past_id = Continuation.of(hp.values).trial_id
    if past_id is None:
        return
    with distribution.scope(builder.distribution_strategy):
        past = checkpoints.find_last(Path(builder.get_trial_dir(past_id)), execution)
        checkpoints.go_on_from(model, past)


def build_weights(model: keras.Model, x: Any) -> None:
    """Makes the weights of a model, as `fit` does in the first trace of a step, which takes longer.

    A `train_step` or `test_step` of the user's is left to itself: it may call something else.

    Args:
        model: A model; one that has its weights, or cannot be called, stays as it is.
        x: An array of samples, or a nested structure of arrays.
    """
    if model.built or has_own(model, "train_step") or has_own(model, "test_step"):
        return
    with suppress(Exception):  # The first step says what is wrong.
        model(keras.tree.map_structure(_symbol, x))


def _symbol(array: Any) -> keras.KerasTensor:
    dtype = keras.backend.standardize_dtype(array.dtype)
    return keras.KerasTensor((None, *array.shape[1:]), dtype)


def build_optimizer(model: keras.Model) -> None:
    """Makes the variables of a model's optimizer, as `fit` does in the first trace of a step.

    TensorFlow traces a function that has made variables a second time. A `train_step` of the user's
    is left to itself: it may train other variables than all.

    Args:
        model: A built model; one without an optimizer stays as it is.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or optimizer.built or not model.trainable_variables:
        return
    if not has_own(model, "train_step"):
        # Keras' models of TensorFlow alone have one.
        strategy = getattr(model, "distribute_strategy", None)
        with strategy.scope() if strategy else nullcontext():
            optimizer.build(model.trainable_variables)


def has_own(model: keras.Model, method: str) -> bool:
    """Tells whether a method of a model is not Keras' own, on its class or on itself.

    Args:
        model: A model.
        method: The method's name.

    Returns:
        Whether it is another one.
    """
    return getattr(getattr(model, method), "__func__", None) is not getattr(keras.Model, method)


class Preparation:
    """Makes the model of a training ready once it is built, whoever builds it.

    A tuner may override `_try_build` or `_build_and_fit_model`, so that the model passes here more
    than once.

    Args:
        prepare: Called with the model, once.

    Attributes:
        model: The model; None while it is not built.
        ready: When it was ready, by `time.perf_counter`.
    """

    def __init__(self, prepare: Callable[[keras.Model], None]) -> None:
        self._prepare = prepare
        self.model: keras.Model | None = None
        self.ready = time.perf_counter()

    def __call__(self, model: keras.Model) -> None:
        """Makes a model ready, if it is another than before."""
        if model is not self.model:
            self._prepare(model)
            self.model, self.ready = model, time.perf_counter()
