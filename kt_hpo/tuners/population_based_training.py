"""Population-based training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial

from kt_hpo.kinds import Value
from kt_hpo.objectives import ObjectiveLike
from kt_hpo.oracles import PopulationBasedTrainingOracle
from kt_hpo.oracles.trials import lineage, own_values
from kt_hpo.tuner import Tuner


class PopulationBasedTraining(Tuner):
    """Population-based training: finds a schedule of hyperparameters in the time of one training.

    A population is trained side by side. After every interval, who is among the worst takes over
    weights, optimizer state and values of one of the best, changes the values a little, and goes
    on (Jaderberg et al. 2017). What is found is a schedule: `tuner.schedule()` tells it,
    `fit_best` trains by it. A trial of the record is one interval of one member.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)`.
        objective: Name of a metric, a `keras_tuner.Objective`, or a list of them.
        population_size: How many members are trained.
        ready_interval: Epochs after which a member looks at the others.
        max_epochs: Epochs of each member.
        quantile: The share of members, up to a half, that copy, and that are copied.
        resample_probability: How often a copied value is drawn anew from its whole range.
        perturbation_factors: One of them multiplies a copied value that is not; an integer or a
            choice moves to a neighbour at least.
        perturb: Names of the hyperparameters that are changed; all `hp.Float` by default. Weights
            are copied, so none that changes their shapes should be among them.
        seed: Seed of values, weights and shuffling. The same seed gives the same trials.
        hyperparameters: Space to override or to prescribe.
        tune_new_entries: Whether hyperparameters that are not in `hyperparameters` are searched.
        allow_new_entries: Whether the hypermodel may ask for such.
        max_retries_per_trial: How often a trial that failed is tried again.
        max_consecutive_failed_trials: After how many failed trials in a row the search stops.
        early_stopping: Epochs without a better objective after which an interval ends before its
            time; None, for a population is to be trained evenly.
        **kwargs: The arguments of `kt_hpo.Tuner`.

    Example:
        >>> class Walk(PopulationBasedTraining):
        ...     places = {None: 1.0}
        ...     def run_trial(self, trial):
        ...         place = self.places[trial.hyperparameters.values.get("tuner/trial_id")]
        ...         place -= trial.hyperparameters.Float("step", 0.0, 3.0) * place
        ...         self.places[trial.trial_id] = place
        ...         return place**2
        >>> tuner = Walk(
        ...     population_size=4, max_epochs=3, seed=0, directory="runs", overwrite=True
        ... )
        >>> tuner.search(verbose=0)
        >>> [(first, end) for first, end, values in tuner.schedule()]
        [(0, 1), (1, 2), (2, 3)]
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: ObjectiveLike = None,
        population_size: int = 8,
        ready_interval: int = 1,
        max_epochs: int = 20,
        quantile: float = 0.25,
        resample_probability: float = 0.25,
        perturbation_factors: Sequence[float] = (0.8, 1.2),
        perturb: str | Sequence[str] | None = None,
        seed: int | None = None,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        early_stopping: int | None = None,
        **kwargs: Any,
    ) -> None:
        oracle = PopulationBasedTrainingOracle(
            objective=objective,
            population_size=population_size,
            max_epochs=max_epochs,
            ready_interval=ready_interval,
            quantile=quantile,
            resample_probability=resample_probability,
            perturbation_factors=perturbation_factors,
            perturb=perturb,
            seed=seed,
            hyperparameters=hyperparameters,
            tune_new_entries=tune_new_entries,
            allow_new_entries=allow_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        super().__init__(oracle, hypermodel, early_stopping=early_stopping, **kwargs)

    def schedule(self, trial: Trial | None = None) -> list[tuple[int, int, dict[str, Value]]]:
        """Tells which hyperparameters a model was trained with, and when.

        Args:
            trial: A trial of this search; the best one by default.

        Returns:
            For each interval the epoch it began at, the epoch it went up to, and the values,
            beginning with the first epoch.

        Raises:
            ValueError: If no trial is given and none has been completed.
        """
        best = self.oracle.get_best_trials(1) if trial is None else [trial]
        if not best:
            raise ValueError("No trial has been completed yet: run search() first.")
        return [
            (
                part.hyperparameters.values["tuner/initial_epoch"],
                part.hyperparameters.values["tuner/epochs"],
                own_values(part.hyperparameters.values),
            )
            for part in lineage(self.oracle.trials, best[0])
        ]
