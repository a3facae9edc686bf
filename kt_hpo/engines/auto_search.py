"""The algorithm that suits a search: which, and why."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras_tuner

from kt_hpo import objectives
from kt_hpo.engines.freeze_thaw_search import FreezeThawSearchOracle
from kt_hpo.engines.gaussian_process_search import GaussianProcessSearchOracle
from kt_hpo.engines.optuna_search import OptunaSearchOracle
from kt_hpo.objectives import ObjectiveLike
from kt_hpo.oracle.recorded import RecordedOracle
from kt_hpo.training.hyperparameters import has_own_fit
from kt_hpo.tuner import Tuner


class Choice(NamedTuple):
    """How a search is done.

    Attributes:
        algorithm: The name of the algorithm.
        pruner: The name of the pruner; None for none.
        reason: In words that follow "because".
    """

    algorithm: str
    pruner: str | None
    reason: str


def choose_search(
    objective: ObjectiveLike,
    max_epochs: int,
    *,
    has_own_training: bool = False,
    has_constraint: bool = False,
    has_pruner: bool = False,
    has_folds: bool = False,
) -> Choice:
    """Chooses the algorithm; the rules are a table in docs/engines.md.

    Args:
        objective: What a tuner takes as `objective`.
        max_epochs: Epochs of a full training.
        has_own_training: Whether something of the user's trains, which may choose its epochs.
        has_constraint: Whether the best trial has to keep a constraint.
        has_pruner: Whether the user has said which trials stop early.
        has_folds: Whether a trial is trained on several folds, one after the other.

    Returns:
        The choice.

    Example:
        >>> choose_search("val_loss", max_epochs=20)[:2]
        ('freeze_thaw', None)
        >>> choose_search("latency", max_epochs=20).reason
        'epochs tell nothing of latency'
    """
    [first, *others] = objectives.parts(objectives.make_objective(objective))
    if others:
        return Choice("nsga2", None, "there are several objectives")
    if objectives.is_measured_after_training(first):
        return Choice("gaussian_process", None, f"epochs tell nothing of {first.name}")
    if has_pruner:
        return Choice("tpe", None, "a pruner decides which trials stop early")
    if has_constraint:
        return Choice("tpe", "median", "it looks for trials that keep the constraint")
    if has_own_training:
        return Choice("tpe", "median", "the training is one of your own and may choose its epochs")
    if has_folds:
        return Choice("tpe", "median", "a trial counts when all its folds have been trained")
    if max_epochs == 1:
        return Choice("gaussian_process", None, "an epoch is all there is of a training")
    return Choice("freeze_thaw", None, "epochs tell which trainings are worth more")


class AutoSearch(Tuner):
    """The search that suits what is searched; it says which that is, and why.

    Single objectives that epochs tell of are searched by `FreezeThawSearch`, those that are known
    at the end only by `GaussianProcessSearch`, others by `OptunaSearch`; docs/engines.md has the
    rules.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)`.
        objective: Name of a metric, a `keras_tuner.Objective`, or a list of them.
        max_trials: The budget: so many full trainings. Where trainings pause or stop early there
            are more trials, or fewer epochs. None for as long as there is time.
        max_epochs: Epochs of a full training.
        min_epochs: Epochs at which a training pauses first, where trainings pause.
        seed: Seed of values, weights and shuffling. The same seed gives the same trials.
        hyperparameters: Space to override or to prescribe.
        tune_new_entries: Whether hyperparameters that are not in `hyperparameters` are searched.
        allow_new_entries: Whether the hypermodel may ask for such.
        max_retries_per_trial: How often a trial that failed is tried again.
        max_consecutive_failed_trials: After how many failed trials in a row the search stops.
        pruner: Which trials stop early, as in `kt_hpo.Tuner`; None for what is best.
        constraint: What the best trial must keep, as in `kt_hpo.Tuner`.
        **kwargs: The other arguments of `kt_hpo.Tuner`.

    Attributes:
        choice: What was chosen, and the reason.

    Example:
        >>> def build(hp):
        ...     layers = [keras.Input((2,)), keras.layers.Dense(hp.Int("units", 1, 64))]
        ...     model = keras.Sequential(layers)
        ...     model.compile(loss="mse")
        ...     return model
        >>> tuner = AutoSearch(build, "val_loss", max_epochs=9, directory="runs", overwrite=True)
        >>> tuner.choice.algorithm
        'freeze_thaw'
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: ObjectiveLike = None,
        max_trials: int | None = 20,
        max_epochs: int = 100,
        min_epochs: int = 1,
        seed: int | None = None,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        pruner: Any = None,
        constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        self.max_epochs = max_epochs
        self.choice = choose_search(
            objective,
            max_epochs,
            has_own_training=self.runs_its_own_way or has_own_fit(hypermodel),
            has_constraint=constraint is not None,
            has_pruner=pruner not in (None, "none"),
            has_folds=kwargs.get("cross_validation") is not None,
        )
        arguments: dict[str, Any] = {
            "objective": objective,
            "max_trials": max_trials,
            "seed": seed,
            "hyperparameters": hyperparameters,
            "tune_new_entries": tune_new_entries,
            "allow_new_entries": allow_new_entries,
            "max_retries_per_trial": max_retries_per_trial,
            "max_consecutive_failed_trials": max_consecutive_failed_trials,
        }
        oracle: RecordedOracle
        if self.choice.algorithm == "freeze_thaw":
            oracle = FreezeThawSearchOracle(
                max_epochs=max_epochs, min_epochs=min_epochs, **arguments
            )
        elif self.choice.algorithm == "gaussian_process":
            oracle = GaussianProcessSearchOracle(**arguments)
        else:
            oracle = OptunaSearchOracle(sampler=self.choice.algorithm, **arguments)
        pruner = self.choice.pruner if pruner is None else pruner
        super().__init__(oracle, hypermodel, pruner=pruner, constraint=constraint, **kwargs)

    def on_search_begin(self) -> None:
        """Says what was chosen."""
        super().on_search_begin()
        algorithm, pruner, reason = self.choice
        pruned = f" with the {pruner} pruner" if pruner else ""
        self.progress.note(f"Algorithm: {algorithm}{pruned}, because {reason}.")

    def search(self, *fit_args: Any, **fit_kwargs: Any) -> None:
        """Searches; see `Tuner.search`. Trainings have `max_epochs` unless told otherwise."""
        if not self.runs_its_own_way and not self.fits_its_own_way:
            fit_kwargs.setdefault("epochs", self.max_epochs)
        super().search(*fit_args, **fit_kwargs)
