"""What cannot be vectorized, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras

from hypermodels.schedules import FollowTraining
from kt_hpo import objectives
from kt_hpo._private_apis.keras import excludes_weights_from_decay, layers_of
from kt_hpo.training.context import SearchContext
from kt_hpo.training.executions import compares_executions
from kt_hpo.training.library import is_library
from kt_hpo.training.model_parts import CannotShareError

_BACKENDS = ("tensorflow", "jax")
_CALLBACKS = (
    keras.callbacks.EarlyStopping,
    keras.callbacks.LearningRateScheduler,
    keras.callbacks.ReduceLROnPlateau,
    keras.callbacks.TerminateOnNaN,
    FollowTraining,
)
_SETTING_RATES = (keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau)
# Options that only a training by itself can honor.
_ALONE = (
    "cross_validation",
    "deterministic",
    "precision",
    "jit_compile",
    "scale_learning_rate",
    "trial_timeout",
)
_STEPS = ("train_step", "test_step", "compute_metrics", "fit", "evaluate")


def check_search(search: SearchContext) -> None:
    """Checks what holds for every trial of a search.

    Args:
        search: The search.

    Raises:
        CannotShareError: If none of its trials can be vectorized.
    """
    if keras.backend.backend() not in _BACKENDS:
        raise CannotShareError(f"Keras runs on {keras.backend.backend()}")
    if search.runs_its_own_way:
        raise CannotShareError("the tuner has a run_trial of its own")
    for hook in search.overridden_hooks:
        raise CannotShareError(f"the tuner has an {hook} of its own")
    if search.distribution_strategy is not None:
        raise CannotShareError("a distribution strategy is used")
    _check_options(search)
    for part in objectives.parts(search.oracle.objective):
        if objectives.is_measured(part):
            raise CannotShareError(f"{part.name} is measured on a model of its own")
    for constraint in search.oracle.constraints:
        for name in constraint.needs:
            if name in objectives.MEASURED:
                raise CannotShareError(f"{name} is measured on a model of its own")


def _check_options(search: SearchContext) -> None:
    for name in _ALONE:
        if getattr(search.training, name) not in (None, False):
            raise CannotShareError(f"{name} is set")
    if compares_executions(search):
        raise CannotShareError("the pruner compares a trial's executions")


def check_model(model: keras.Model) -> None:
    """Checks that a model is trained by what it is made of, not by code of its own.

    Args:
        model: A model.

    Raises:
        CannotShareError: If it is not.
    """
    kind = type(model)
    if not is_library(kind):
        own = [name for name in _STEPS if getattr(kind, name) is not getattr(keras.Model, name)]
        what = f"a {own[0]}" if own else "code"
        raise CannotShareError(f"the model is a {kind.__name__}, with {what} of its own")
    if not model.compiled or model.optimizer is None:
        raise CannotShareError("the model is not compiled")
    if not model.built or not model.trainable_variables:
        raise CannotShareError("the model has no weights before it has seen data")
    if model.run_eagerly:
        raise CannotShareError("the model runs eagerly")
    if isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer):
        raise CannotShareError("the optimizer scales its loss")
    if model.optimizer.ema_overwrite_frequency or model.optimizer.gradient_accumulation_steps:
        # What it changes under a condition is changed always where the values of variables go in
        # and come out.
        raise CannotShareError("the optimizer does not do the same in every step")
    if any(layer.dtype_policy.name.startswith("mixed") for layer in [model, *layers_of(model)]):
        raise CannotShareError("the model has a mixed precision")
    if excludes_weights_from_decay(model.optimizer):
        raise CannotShareError("weights are excluded from the weight decay")


def check_callbacks(callbacks: Iterable[Any], scheduled: bool) -> None:
    """Checks that the user's callbacks need nothing of a model but what a trial can show them.

    Args:
        callbacks: Callbacks.
        scheduled: Whether the optimizer has a schedule, which no callback can replace.

    Raises:
        CannotShareError: If one may need more.
    """
    for callback in callbacks:
        if type(callback) not in _CALLBACKS:
            raise CannotShareError(f"{type(callback).__name__} may need its model")
        for name in vars(callback):
            if callable(getattr(type(callback), name, None)):
                what = f"{type(callback).__name__} has a {name}"
                raise CannotShareError(f"{what} of its own, which may need its model")
        if scheduled and isinstance(callback, _SETTING_RATES):
            raise CannotShareError(
                f"{type(callback).__name__} and a schedule both set the learning rate"
            )
