"""The callbacks of the search, one class each; `callback_list` puts them together for a trial."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial
from keras_tuner.errors import FailedTrialError, FatalValueError

from kt_hpo import objectives
from kt_hpo._private_apis.keras import learning_rate_of
from kt_hpo.training import checkpoints
from kt_hpo.training.build import build_optimizer
from kt_hpo.training.context import TrainingContext
from kt_hpo.training.data import validates
from kt_hpo.training.learning_rate import compiled_optimizer
from kt_hpo.training.results import missing_objective, numbers_of


class StopOnNaN(keras.callbacks.Callback):
    """Fails a trial whose loss or objective is no number any more.

    Args:
        objective: The objective of the search.
    """

    def __init__(self, objective: keras_tuner.Objective) -> None:
        super().__init__()
        self._names = {"loss", *(part.name for part in objectives.parts(objective))}

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Raises FailedTrialError on the first NaN, or an infinite loss."""
        for name, value in (logs or {}).items():
            if name not in self._names:
                continue  # A user's callback may add what is no number.
            if math.isnan(value) or (name == "loss" and math.isinf(value)):
                raise FailedTrialError(
                    f"{name} became {value} in epoch {epoch + 1}. A learning rate that is too "
                    "large is the usual reason; so are numbers that are not scaled."
                )


class GeneralizationGap(keras.callbacks.Callback):
    """Adds the generalization gap to the logs of every epoch, for all callbacks after this one."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Adds it in place: Keras gives the same logs to all callbacks, and to the history."""
        if logs is not None:
            logs.update(objectives.with_gap(logs))


class CheckObjective(keras.callbacks.Callback):
    """Ends a search at its first epoch when no metric is the objective.

    Args:
        objective: The objective of the search.
        validation_freq: As in `model.fit`: the first epoch that validates is the one that tells.
    """

    def __init__(
        self, objective: keras_tuner.Objective, validation_freq: int | Collection[int] = 1
    ) -> None:
        super().__init__()
        self._parts = objectives.parts(objective)
        self._validation_freq = validation_freq

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Raises FatalValueError with the metrics there are."""
        if not validates(epoch, self._validation_freq):
            return
        for part in self._parts:
            if not part.has_value(logs or {}):
                raise FatalValueError(missing_objective(part.name, list(logs or {}), "model.fit()"))


class Epochs(keras.callbacks.Callback):
    """Remembers the logs of each epoch, also of those that do not validate.

    Keras' history has but one list a metric, which does not tell its epochs.

    Attributes:
        trainings: The metrics by epoch, counted from 0, of each training; what is no number is left
            out.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trainings: list[dict[int, dict[str, float]]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Remembers the epoch."""
        if not self.trainings or epoch in self.trainings[-1]:
            self.trainings.append({})
        self.trainings[-1][epoch] = numbers_of(logs or {})

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Remembers that a training begins, also one that begins again before its first epoch."""
        if not self.trainings or self.trainings[-1]:
            self.trainings.append({})


class BuildOptimizer(keras.callbacks.Callback):
    """Makes the optimizer's variables before the first step, which is then traced once."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Builds it, once all other callbacks have seen the training begin."""
        if keras.backend.backend() == "tensorflow" and not self.model.run_eagerly:
            build_optimizer(self.model)


class QuietProgressBar(keras.callbacks.ProgbarLogger):
    """Keras' progress bar in a search, which has a progress display of its own.

    A `fit` and callbacks of the user's get `verbose` as `search` got it. Only what `fit` asks for
    beyond that is shown.

    Args:
        verbose: What `search` was given.
    """

    # A callback with a batch hook slows every batch, so only a bar that is seen has some.
    on_train_batch_end = keras.callbacks.Callback.on_train_batch_end
    on_test_batch_end = keras.callbacks.Callback.on_test_batch_end
    on_predict_batch_end = keras.callbacks.Callback.on_predict_batch_end

    def __init__(self, verbose: int | str) -> None:
        super().__init__()
        self._given = verbose
        self.verbose = 0

    def set_params(self, params: dict[str, Any]) -> None:
        """Shows itself where `fit` was called with another `verbose` than `search`."""
        asked_for = params.get("verbose", self._given)
        super().set_params(params | {"verbose": 0 if asked_for == self._given else asked_for})
        if self.verbose:
            for hook in ("on_train_batch_end", "on_test_batch_end", "on_predict_batch_end"):
                setattr(self, hook, getattr(super(), hook))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Ends the bar of an epoch; a loop of one's own may not have begun it."""
        if self.progbar is not None:
            super().on_epoch_end(epoch, logs)


class EarlyStopping(keras.callbacks.EarlyStopping):
    """Keras' early stopping on the objective of the search, several objectives included.

    Args:
        objective: The objective of the search.
        patience: Epochs without a better value before training ends.
    """

    def __init__(self, objective: keras_tuner.Objective, patience: int) -> None:
        super().__init__(monitor=objective.name, mode=objective.direction, patience=patience)
        self._objective = objective

    def get_monitor_value(self, logs: dict[str, float] | None) -> float | None:
        """Reads the objective; None where this training does not measure it."""
        if not logs or not self._objective.has_value(logs):
            return None
        return self._objective.get_value(logs)


class ReduceLROnPlateau(keras.callbacks.ReduceLROnPlateau):
    """Keras' division of the learning rate by 10, on the objective of the search.

    A learning rate that follows a schedule is left to it.

    Args:
        objective: The objective of the search.
        patience: Epochs without a better value before the learning rate is reduced.
    """

    def __init__(self, objective: keras_tuner.Objective, patience: int) -> None:
        super().__init__(monitor=objective.name, mode=objective.direction, patience=patience)
        self._objective = objective

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Reduces it after `patience` epochs; nothing where the objective is not measured."""
        optimizer = compiled_optimizer(self.model, "reduce_lr_on_plateau")
        schedule = keras.optimizers.schedules.LearningRateSchedule
        if isinstance(learning_rate_of(optimizer), schedule):
            return
        if logs and self._objective.has_value(logs):
            value = self._objective.get_value(logs)
            super().on_epoch_end(epoch, {**logs, self.monitor: value})


class TimeLimit(keras.callbacks.Callback):
    """Fails a trial that takes too long.

    Args:
        seconds: From now on; None for no limit.
    """

    may_miss_batches = True

    def __init__(self, seconds: float | None) -> None:
        super().__init__()
        self._seconds = seconds
        self._deadline = math.inf if seconds is None else time.monotonic() + seconds
        if seconds is not None:
            # A callback with a batch hook slows every batch, so only who sets a limit pays.
            self.on_train_batch_end = self._check
            self.on_test_batch_end = self._check

    def _check(self, batch: int, logs: dict[str, float] | None = None) -> None:
        if time.monotonic() > self._deadline:
            raise FailedTrialError(
                f"The trial took longer than trial_timeout={self._seconds:g} seconds. Allow more, "
                "or smaller models and fewer epochs."
            )


class BestEpoch(keras.callbacks.Callback):
    """Saves the weights of the best epoch of all executions of a trial, once a training.

    Until `write` they are in memory, where that is large enough.

    Args:
        objective: The objective of the search. While it is not measured, the latest epoch counts
            as the best.
        path: Where the weights go.

    Attributes:
        best: The objective at the best epoch.
    """

    def __init__(self, objective: keras_tuner.Objective, path: Path) -> None:
        super().__init__()
        self._objective = objective
        self._path = path
        self._state: checkpoints.State | None = None
        self.best = -math.inf if objective.direction == "max" else math.inf

    def improves(self, logs: dict[str, float] | None) -> bool:
        """Takes in an epoch, and tells whether it is the best yet."""
        if not logs or not self._objective.has_value(logs):
            return math.isinf(self.best)
        value = self._objective.get_value(logs)
        if not self._objective.better_than(value, self.best):
            return False
        self.best = value
        return True

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Keeps the weights if they are the best yet."""
        if not self.improves(logs):
            return
        if checkpoints.fits_in_memory(self.model):
            self._state = checkpoints.State(self.model)
        else:
            checkpoints.save(self.model, self._path)

    def write(self) -> None:
        """Saves the best weights, if they are not saved yet."""
        if self._state is not None:
            self._state.save(self._path)
        self._state = None


class BestWeights(keras.callbacks.Callback):
    """Keeps the weights of a training's best epoch in memory.

    Args:
        objective: What tells the better epoch.

    Attributes:
        weights: As `model.get_weights()`; None before the first epoch has ended.
    """

    def __init__(self, objective: keras_tuner.Objective) -> None:
        super().__init__()
        self._objective = objective
        self._best: float | None = None
        self.weights: list[np.ndarray] | None = None

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Keeps the weights if they are the best yet."""
        if not self._objective.has_value(logs or {}):
            is_best = self._best is None
        else:
            value = self._objective.get_value(logs)
            is_best = self._best is None or self._objective.better_than(value, self._best)
            self._best = value if is_best else self._best
        if is_best:
            self.weights = self.model.get_weights()


class Report(keras.callbacks.Callback):
    """Tells the search how each epoch went, and ends the training when the search says so.

    Args:
        report: Called with the epoch and its metrics; answers whether to go on.
    """

    def __init__(self, report: Callable[[int, dict[str, float]], bool]) -> None:
        super().__init__()
        self._report = report

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Reports the epoch."""
        if not self._report(epoch, numbers_of(logs or {})):
            self.model.stop_training = True


class TunerHooks(keras.callbacks.Callback):
    """Calls the `on_epoch_*` and `on_batch_*` methods that a subclass of a tuner overrides.

    Args:
        context: The training's context.
        trial: The trial.
    """

    def __init__(self, context: TrainingContext, trial: Trial) -> None:
        super().__init__()
        self._context = context
        self._trial = trial
        # A callback with a batch hook slows every batch, so only who overrides one pays.
        for hook in context.overridden_hooks:
            setattr(self, hook.replace("on_batch", "on_train_batch"), self._forward(hook))

    def _forward(self, hook: str) -> Callable[..., None]:
        method = getattr(self._context, hook)
        return lambda number, logs=None: method(self._trial, self.model, number, logs=logs)
