"""A trial's slot in a group: its callbacks, its learning rate, its random numbers, its results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
from keras_tuner.engine.trial import Trial

from kt_hpo.training import callbacks as cb
from kt_hpo.training import checkpoints
from kt_hpo.training.callback_list import callbacks_of, copied
from kt_hpo.training.context import TrainingContext
from kt_hpo.training.reproducibility import seed_of
from kt_hpo.training.vectorized import stack
from kt_hpo.training.vectorized.blueprint import Blueprint
from kt_hpo.training.vectorized.eligibility import check_callbacks
from kt_hpo.training.vectorized.stack import Row


class ModelStub:
    """What stands for a trial's model in front of its callbacks, which are Keras' own.

    Args:
        rate: The learning rate it begins with.

    Attributes:
        stop_training: Whether a callback wants the training to end.
        optimizer: Has the learning rate that callbacks read and change.
    """

    def __init__(self, rate: float) -> None:
        self.stop_training = False
        self.optimizer = SimpleNamespace(learning_rate=rate)
        self.history: keras.callbacks.History
        self.metrics: list[keras.Metric] = []

    def get_weights(self) -> None:
        """Nothing: the engine itself keeps the weights of the best epoch."""

    def set_weights(self, weights: None) -> None:
        """Does nothing, likewise."""


class TrialSlot:
    """One execution of one trial.

    Args:
        context: The training's context.
        trial: The trial.
        execution: The number of the execution.
        blueprint: Its model, as it is before the training.
        user_callbacks: What the user gave to `search` or `fit`.
        fit_kwargs: Keyword arguments of `search`.
        class_weights: Weights of the classes, if any are given.
        scheduled: The learning rate of every step, where a schedule gives it.

    Attributes:
        trial: The trial.
        execution: The number of the execution.
        blueprint: Its model.
        class_weights: Weights of the classes.
        running: Whether it trains.
        error: What ended it, if it failed.
        best: Its weights and optimizer at its best epoch, once it has ended.
        last: The same at its end.

    Raises:
        CannotShareError: If one of the callbacks may need a real model.
    """

    def __init__(
        self,
        context: TrainingContext,
        trial: Trial,
        execution: int,
        blueprint: Blueprint,
        user_callbacks: Sequence[Any],
        fit_kwargs: dict[str, Any],
        class_weights: np.ndarray | None = None,
        scheduled: np.ndarray | None = None,
    ) -> None:
        own = copied(user_callbacks, trial.trial_id, execution)
        check_callbacks(own, scheduled is not None)
        self.trial = trial
        self.execution = execution
        self.blueprint = blueprint
        self.class_weights = class_weights
        self.running = True
        self.error: Exception | None = None
        self.best: Row | None = None
        self.last: Row | None = None
        self._stand = ModelStub(blueprint.rate)
        self._seed = seed_of(context.oracle.seed, trial, execution)
        self._scheduled = scheduled
        self._best_epoch = cb.BestEpoch(context.oracle.objective, Path(checkpoints.BEST))
        self._callbacks = keras.callbacks.CallbackList(
            [*own, *callbacks_of(context, trial, fit_kwargs, execution)],
            add_history=True,
            model=self._stand,
        )

    @property
    def best_value(self) -> float:
        """The objective at the best epoch so far."""
        return self._best_epoch.best

    @property
    def history(self) -> keras.callbacks.History:
        """The metrics of its epochs."""
        return self._stand.history

    def row(self, fresh: Row) -> Row:
        """Gives its place in a stack.

        Args:
            fresh: The state of an optimizer that has done nothing yet.

        Returns:
            Its weights and its optimizer's state.
        """
        blueprint = self.blueprint
        return [*blueprint.weights, *(blueprint.optimizer or fresh)]

    def write(self, row: Row, path: Path) -> None:
        """Saves a state of this trial as the checkpoint of an ordinary model.

        Args:
            row: The state.
            path: Where to.
        """
        scheduled = self.blueprint.schedule is not None
        rate = None if scheduled else float(self._stand.optimizer.learning_rate)
        stack.write(self.blueprint.model(), row, rate, path)

    def begin(self, learner: keras.Model) -> None:
        """Tells the callbacks that the training begins.

        Args:
            learner: The model that trains for all, of whose metrics callbacks learn what is better.
        """
        self._stand.metrics = learner.metrics
        self._call(self._callbacks.on_train_begin)

    def begin_epoch(self, epoch: int) -> None:
        """Tells the callbacks that an epoch begins; one may set the learning rate."""
        self._call(self._callbacks.on_epoch_begin, epoch)

    def end_epoch(self, epoch: int, logs: dict[str, float]) -> bool:
        """Tells the callbacks how an epoch went, on which they may end the training.

        Args:
            epoch: The epoch.
            logs: Values by the metrics' names.

        Returns:
            Whether it was the best epoch so far.
        """
        improved = self._best_epoch.improves(logs)
        self._call(self._callbacks.on_epoch_end, epoch, logs)
        self.running = self.running and not self._stand.stop_training
        return improved and self.error is None

    def end(self) -> None:
        """Tells the callbacks that the training has ended."""
        if self.error is None:
            self._call(self._callbacks.on_train_end)
        self.running = False

    def rates(self, first: int, steps: int) -> np.ndarray:
        """Gives the learning rate of each step of an epoch.

        Args:
            first: The number of steps in the epochs before, counted from this training's begin.
            steps: The number of steps in the epoch.

        Returns:
            The rates.
        """
        if self._scheduled is None:
            return np.full(steps, self._stand.optimizer.learning_rate, "float32")
        return self._scheduled[first : first + steps]

    def seeds(self, epoch: int, steps: int, generators: int) -> np.ndarray:
        """Gives states of the model's random layers for each step of an epoch."""
        return random_states([self._seed, epoch], steps, generators)

    def _call(self, method: Any, *args: Any) -> None:
        """Calls callbacks; an error in one ends this trial alone."""
        if self.error is not None:
            return
        try:
            method(*args)
        except Exception as error:  # Whatever a callback raises fails the trial, as in `fit`.
            self.error, self.running = error, False


def random_states(seed: list[int], steps: int, generators: int) -> np.ndarray:
    """Draws states of seed generators.

    Args:
        seed: Seed of the draw.
        steps: Number of steps.
        generators: Number of generators.

    Returns:
        Array of shape `(steps, generators, 2)`.
    """
    stream = np.random.default_rng(seed)
    return stream.integers(0, 2**31, (steps, generators, 2)).astype("int64")
