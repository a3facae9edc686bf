"""Evolutionary search."""

from __future__ import annotations

from typing import Any

import keras_tuner

from kt_hpo.objectives import ObjectiveLike
from kt_hpo.oracles import EvolutionarySearchOracle
from kt_hpo.tuner import Tuner


class EvolutionarySearch(Tuner):
    """Regularized evolution over the whole space, architecture included.

    Each trial is a mutation of a good one among the latest: one hyperparameter changes, or a layer
    comes or goes where the number of layers is a hyperparameter with conditional scopes. Whose
    mutation it is stands in the record, `trial.user_attrs["values"]["tuner/parent"]`.

    With `inherit_weights=True` a trial starts from the weights its parent ended with, in all layers
    that both have by name and shape, so a few epochs a trial are enough. Give layers names in
    `build(hp)`: automatic ones shift when a layer is added. The layers around one that went do not
    fit each other at first, which can be a worse start than new weights. A trial's result is then
    that of all its ancestors' training too: take the model itself, `get_best_models()`, for
    `fit_best` trains one from new weights. The weights of the population stay on disk.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)`.
        objective: Name of a metric, a `keras_tuner.Objective`, or a list of them.
        max_trials: How many trials to run at most.
        population_size: How many of the latest trials may have children; as many are drawn at
            random first. A fifth of `max_trials`, but from 5 to 100, if not given.
        sample_size: Among how many of the population the best becomes the parent: the more, the
            greedier. Half of `population_size` if not given.
        inherit_weights: Whether a trial starts from its parent's weights.
        seed: Seed of values, weights and shuffling. The same seed gives the same trials.
        hyperparameters: Space to override or to prescribe.
        tune_new_entries: Whether hyperparameters that are not in `hyperparameters` are searched.
        allow_new_entries: Whether the hypermodel may ask for such.
        max_retries_per_trial: How often a trial that failed is tried again.
        max_consecutive_failed_trials: After how many failed trials in a row the search stops.
        **kwargs: The arguments of `kt_hpo.Tuner`.

    Raises:
        ValueError: If `population_size` or `sample_size` is not allowed.

    Example:
        >>> class Parabola(EvolutionarySearch):
        ...     def run_trial(self, trial):
        ...         return trial.hyperparameters.Float("x", -1, 1) ** 2
        >>> tuner = Parabola(max_trials=40, seed=0, directory="runs", overwrite=True)
        >>> tuner.search(verbose=0)
        >>> tuner.study.best_value < 0.01
        True
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: ObjectiveLike = None,
        max_trials: int | None = 100,
        population_size: int | None = None,
        sample_size: int | None = None,
        inherit_weights: bool = False,
        seed: int | None = None,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        oracle = EvolutionarySearchOracle(
            objective=objective,
            max_trials=max_trials,
            population_size=population_size,
            sample_size=sample_size,
            inherit_weights=inherit_weights,
            seed=seed,
            hyperparameters=hyperparameters,
            tune_new_entries=tune_new_entries,
            allow_new_entries=allow_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        super().__init__(oracle, hypermodel, **kwargs)
