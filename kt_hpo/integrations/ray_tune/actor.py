"""What trains the trials of a hypermodel in an actor of Ray's."""

from __future__ import annotations

import json
import numbers
import os
import zlib
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import keras
import keras_tuner
import numpy as np
from ray import tune

from hypermodels.schedules import schedule_of
from kt_hpo.execution.processes import settings
from kt_hpo.integrations.ray_tune.callbacks import as_one_training
from kt_hpo.integrations.ray_tune.space import read_values
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.startup import grow_memory, quiet_retracing
from kt_hpo.training import checkpoints
from kt_hpo.training.callback_list import copied
from kt_hpo.training.callbacks import StopOnNaN
from kt_hpo.training.data import make_data
from kt_hpo.training.measures import count_parameters
from kt_hpo.training.memory import released_graphs
from kt_hpo.training.vectorized.noise import generators

# Says in a result whether the trial has trained all of its epochs; Ray's `done` is true as well
# where a scheduler has stopped it.
TRAINED = "trained"
PARAMETERS = "parameters"
_STATE = "state.json"


@dataclass(frozen=True)
class TrainableTask:
    """What the trials of a search have in common.

    Attributes:
        hypermodel: The hypermodel.
        known: Its search space.
        args: Positional arguments of `fit`: data, or functions that make them.
        kwargs: Its keyword arguments.
        epochs: How many epochs a trial has at most.
        seed: Seed of weights and shuffling.
        settings: Those of Keras, in the process that has made this.
    """

    hypermodel: keras_tuner.HyperModel
    known: HyperParameters
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    epochs: int
    seed: int
    settings: dict[str, Any]


class HyperModelTrainable(tune.Trainable):
    """Trains a hypermodel, one epoch a step; made by `kt_hpo.ray.trainable`.

    Attributes:
        known: The search space.
        epochs: How many epochs a trial has at most.
    """

    known: ClassVar[HyperParameters]
    epochs: ClassVar[int]

    _model: Any = None

    def setup(self, config: dict[str, Any], task: TrainableTask | None = None) -> None:
        """Begins the first trial of an actor.

        Args:
            config: The trial's values by the names of Ray's space.
            task: What its trials have in common.
        """
        assert task is not None
        _use_cores_given()
        settings.adopt(task.settings)
        grow_memory()
        self._task = task
        self._args, self._kwargs = make_data(task.args, task.kwargs)
        self._graphs = ExitStack()
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begins another trial in the same actor.

        Args:
            new_config: That trial's values.

        Returns:
            True.
        """
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Trains one epoch.

        Returns:
            Its metrics, the number of weights, and whether the training is done.
        """
        self._draw_from(self._epoch + 1)
        fit_kwargs = {
            **self._kwargs,
            "callbacks": self._callbacks,
            "initial_epoch": self._epoch,
            "epochs": self._epoch + 1,
        }
        with quiet_retracing():
            returned = self._task.hypermodel.fit(self._hp, self._model, *self._args, **fit_kwargs)
        self._epoch += 1
        is_trained = self._epoch >= self._task.epochs or bool(self._model.stop_training)
        if is_trained:
            self._end_callbacks()
        return {
            **_latest(returned),
            PARAMETERS: float(count_parameters(self._model)),
            TRAINED: is_trained,
            "done": is_trained,
        }

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Saves weights, optimizer state, epoch and values.

        Args:
            checkpoint_dir: The folder.
        """
        folder = Path(checkpoint_dir)
        checkpoints.save(self._model, folder / checkpoints.LAST)
        state = {"epoch": self._epoch, "values": self._hp.values}
        (folder / _STATE).write_text(json.dumps(state))

    def load_checkpoint(self, checkpoint_dir: str) -> None:  # type: ignore[override]
        """Goes on from where this trial, or another of the same architecture, was saved.

        Args:
            checkpoint_dir: The folder.

        Raises:
            ValueError: If the weights are those of another architecture.
        """
        folder = Path(checkpoint_dir)
        state = json.loads((folder / _STATE).read_text())
        is_own = state["values"] == self._hp.values
        load = checkpoints.restore if is_own else checkpoints.go_on_from
        try:
            load(self._model, folder / checkpoints.LAST)
        except ValueError as error:
            raise ValueError(
                f"The weights of a model with {state['values']} do not fit into one with "
                f"{self._hp.values}. Have the scheduler change only what leaves the architecture "
                "as it is, such as the learning rate."
            ) from error
        self._epoch = state["epoch"]

    def cleanup(self) -> None:
        """Lets go of the last trial."""
        self._model = None
        self._graphs.close()

    def _begin(self, config: Mapping[str, Any]) -> None:
        """Builds the model of a trial, after the one before is gone."""
        task = self._task
        self._model = None
        self._graphs.close()
        self._graphs.enter_context(released_graphs())
        keras.utils.clear_session()
        self._config = dict(config)
        self._hp = task.known.copy()
        self._hp.values = read_values(task.known, config)
        self._draw_from(0)
        self._model = task.hypermodel.build(self._hp)
        if not isinstance(self._model, keras.Model):
            raise TypeError(
                f"HyperModel.build(hp) returned {self._model!r}; it must return a keras.Model. Is "
                "its `return model` missing?"
            )
        schedule = schedule_of(self._model)
        if schedule is not None:
            schedule.fix(task.epochs)  # Each step is a call of `fit`.
        theirs = copied(self._kwargs.get("callbacks") or [], self.trial_id, 0)
        self._end_callbacks = as_one_training(theirs)
        self._callbacks = [StopOnNaN(keras_tuner.Objective("val_loss", "min")), *theirs]
        self._epoch = 0

    def _draw_from(self, place: int) -> None:
        """Begins the random numbers of a config's weights, 0, or of one of its epochs.

        Those of random layers are no weights, so that a checkpoint does not hold them.
        """
        written = json.dumps(self._config, sort_keys=True, default=str)
        words = [self._task.seed, zlib.crc32(written.encode()), place]
        keras.utils.set_random_seed(int(np.random.SeedSequence(words).generate_state(1)[0]))
        random_layers = [] if self._model is None else generators(self._model)
        for number, generator in enumerate(random_layers):
            generator.state.assign(np.random.SeedSequence([*words, number]).generate_state(2))


def _latest(returned: Any) -> dict[str, float]:
    """The metrics of the last epoch of what `HyperModel.fit` returned."""
    match returned:
        case keras.callbacks.History():
            return {name: float(values[-1]) for name, values in returned.history.items()}
        case Mapping():
            return {name: float(value) for name, value in returned.items()}
        case numbers.Real():
            return {"default_objective": float(returned)}
    raise TypeError(
        f"HyperModel.fit() returned {returned!r} of type {type(returned).__name__}. It must return "
        "what model.fit() returns (a History), a dict of metrics, or a float, reported as "
        "'default_objective'."
    )


def _use_cores_given() -> None:
    """Has TensorFlow use as many cores as Ray gives to the actor, which Ray says for OpenMP."""
    cores = os.environ.get("OMP_NUM_THREADS")
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        if cores is not None:
            os.environ.setdefault(name, cores)
