"""What training knows of the search around it; a `kt_hpo.Tuner` is all of these.

From little to much: `TrainingOracle` (in a worker a stand-in that asks the search's process),
`ModelBuilder`, `TrainingContext` and `SearchContext`. Names are Keras Tuner's where it has one; a
user's subclass may override the methods.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import keras
import keras_tuner
from keras_tuner.engine.trial import Trial
from optuna.pruners import BasePruner

from kt_hpo.constraints import Constraint
from kt_hpo.oracle.recorded import RecordedOracle
from kt_hpo.tracking import Progress
from kt_hpo.training.interruption import Interruption
from kt_hpo.training.options import TrainingOptions


class TrainingOracle(Protocol):
    """What a training asks of the oracle.

    Attributes:
        objective: What is optimized.
        constraints: What a trial must keep to be among the best.
        seed: The seed of the search.
        pruner: Decides which trials stop early.
        inherit_weights: Whether trials start from the weights of the one under `tuner/parent`.
    """

    objective: keras_tuner.Objective
    constraints: Sequence[Constraint]
    seed: int
    pruner: BasePruner
    inherit_weights: bool

    def get_trial(self, trial_id: str) -> Trial:
        """Gives the trial of an id."""

    def report(self, trial_id: str, epoch: int, metrics: dict[str, float]) -> bool:
        """Takes the metrics of an epoch, or of a training; tells whether the trial goes on."""

    def is_stopped(self, trial_id: str) -> bool:
        """Tells whether a running trial was told to stop early."""

    def may_be_continued(self, trial: Trial) -> bool:
        """Tells whether another trial may need the state that a trial ends in."""


class ModelBuilder(Protocol):
    """What makes the model of a trial.

    Attributes:
        oracle: The oracle of the search.
        max_model_size: Most weights a model may have; None for no limit.
        distribution_strategy: The `tf.distribute.Strategy` of all models, if there is one.
    """

    oracle: TrainingOracle
    max_model_size: int | None
    distribution_strategy: Any

    def _build_hypermodel(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Builds and compiles the model of some values."""

    def get_trial_dir(self, trial_id: str) -> str:
        """Gives the directory of a trial, its checkpoints among what is in it."""

    def annotate(self, trial: Trial, **attributes: Any) -> None:
        """Records what else is known of a running trial."""


class TrainingContext(ModelBuilder, Protocol):
    """What the training of a trial needs to know, and whom it tells.

    Attributes:
        hypermodel: Builds and fits models.
        training: How trials train.
        early_stopping: Epochs without a better objective after which a training ends, if any.
        executions_per_trial: How often the model of each trial is trained.
        interruption: Knows whether the search shall stop.
        progress: The progress display.
        preparation: Makes the model of the running training ready; None where none runs.
    """

    hypermodel: keras_tuner.HyperModel
    training: TrainingOptions
    early_stopping: int | None
    executions_per_trial: int
    interruption: Interruption
    progress: Progress
    preparation: Callable[[keras.Model], None] | None

    @property
    def fits_its_own_way(self) -> bool:
        """Whether something else than `model.fit` trains what `build` returns."""

    @property
    def overridden_hooks(self) -> list[str]:
        """Which of `on_epoch_begin`, `on_batch_end`, ... a subclass overrides, by name."""

    def _build_and_fit_model(self, trial: Trial, *args: Any, **kwargs: Any) -> Any:
        """Does one training of a trial, and returns what `HyperModel.fit` does."""

    def report(self, trial: Trial, epoch: int, metrics: dict[str, float]) -> bool:
        """Records and shows an epoch of a trial; tells whether the trial goes on."""

    def annotations(self, trial: Trial) -> dict[str, Any]:
        """Reads what `annotate` has written of a running trial."""


class SearchContext(TrainingContext, Protocol):
    """A search in its own process, of many trials.

    Attributes:
        oracle: The oracle itself.
        keep_checkpoints: Of how many of the best trials the weights stay on disk.
    """

    oracle: RecordedOracle
    keep_checkpoints: int

    @property
    def runs_its_own_way(self) -> bool:
        """Whether a subclass overrides `run_trial`."""

    @property
    def stops_trials_early(self) -> bool:
        """Whether a running trial may be told to stop."""

    def run_trial(self, trial: Trial, *args: Any, **kwargs: Any) -> Any:
        """Trains and measures the model of a trial."""
