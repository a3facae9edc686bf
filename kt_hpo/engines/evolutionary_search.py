"""Regularized evolution (Real et al. 2019, "... for Image Classifier Architecture Search")."""

from __future__ import annotations

from itertools import chain, islice
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from kt_hpo.arguments import check_flag, check_whole, is_whole
from kt_hpo.engines.proposals.mutation import mutate
from kt_hpo.objectives import ObjectiveLike
from kt_hpo.oracle.ranking import best_first, front
from kt_hpo.oracle.recorded import RecordedOracle
from kt_hpo.oracle.state import DRAWS
from kt_hpo.space.continuation import Continuation
from kt_hpo.space.kinds import Value
from kt_hpo.tuner import Tuner


class EvolutionarySearchOracle(RecordedOracle):
    """Breeds each trial from a good one of the latest: aging evolution, the paper's algorithm 1.

    The first `population_size` trials are drawn at random. From then on a sample is drawn from the
    population, with replacement; the best of it, with several objectives one that no other in the
    sample dominates, is the parent, and the new trial is its mutation (`mutation.mutate`). The
    population is the last `population_size` trials that were completed: not the worst dies, but the
    oldest. Trials that failed or were pruned have no children. Of a past search (`warm_start`) the
    best trials are the first population.

    Args:
        objective: As in `keras_tuner.Oracle`.
        max_trials: How many trials to run at most.
        population_size: How many trials may have children, `P` in the paper; a fifth of
            `max_trials`, but from 5 to 100, if not given.
        sample_size: Among how many the best becomes parent, `S` in the paper; half of
            `population_size` if not given. (The paper's quarter was for 20,000 trials; within a
            hundred, half found better ones.)
        inherit_weights: Whether a trial starts from the weights of its parent.
        seed: Seed of all random numbers. The same seed gives the same trials.
        **kwargs: As in `keras_tuner.Oracle`.

    Raises:
        ValueError: If a size is not a whole number from 1 on, or the sample is larger than the
            population.

    Example:
        >>> oracle = EvolutionarySearchOracle("val_loss", max_trials=100)
        >>> oracle.population_size, oracle.sample_size
        (20, 10)
    """

    learns_from_trials = True

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = 100,
        population_size: int | None = None,
        sample_size: int | None = None,
        inherit_weights: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        check_flag(inherit_weights=inherit_weights)
        super().__init__(objective=objective, max_trials=max_trials, seed=seed, **kwargs)
        if population_size is None:
            population_size = min(max((max_trials or 100) // 5, 5), 100)
        if sample_size is None and is_whole(population_size):
            sample_size = (population_size + 1) // 2
        _check_sizes(population_size, sample_size)
        self.population_size = population_size
        self.sample_size = sample_size
        self.inherit_weights = inherit_weights

    @property
    def population(self) -> list[Trial]:
        """The trials that may have children, the oldest first."""
        past = [trial for trial in self.past if self.is_in_range(trial)]
        best_past = best_first(past, self.objective)[: self.population_size]
        ended = (self.trials[trial_id] for trial_id in reversed(self.end_order))
        completed = (
            trial
            for trial in ended
            if trial.status == TrialStatus.COMPLETED and self.is_in_range(trial)
        )
        return [*islice(chain(completed, best_past), self.population_size)][::-1]

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Mutates the best of a sample of the population.

        Args:
            trial_id: The trial's id.

        Returns:
            `{"status": ..., "values": ...}`, as every oracle. While the population is not there
            yet, or where mutations give only what was tried already, values are drawn at random; a
            search that finds no new ones ends.
        """
        return self._untried(self._child())

    def may_be_continued(self, trial: Trial) -> bool:
        """Tells whether children may start from a trial's weights."""
        return self.inherit_weights

    def checkpoints_needed(self) -> set[str]:
        """Names the trials whose children may still start from their weights."""
        if not self.inherit_weights:
            return set()
        sources = (Continuation.of(t.hyperparameters.values).parent for t in self.unfinished)
        parents = {source for source in sources if source is not None}
        return parents | {trial.trial_id for trial in self.population}

    def _child(self) -> dict[str, Value] | None:
        """A mutation that was not tried before, with its parent; None if there is none."""
        population = self.population
        known = filter(self.is_in_range, chain(self.past, self.trials.values()))
        if not population or len([*islice(known, self.population_size)]) < self.population_size:
            return None
        stream = self._stream()
        for _ in range(DRAWS):
            places = stream.integers(len(population), size=self.sample_size)
            best = front([population[place] for place in places], self.objective)
            parent = best[stream.integers(len(best))]
            values = mutate(self.hyperparameters, parent.hyperparameters.values, stream)
            if values and not self._duplicate(values):
                return values | Continuation(parent=parent.trial_id).values()
        return None


def _check_sizes(population_size: Any, sample_size: Any) -> None:
    check_whole(population_size=population_size, sample_size=sample_size)
    if sample_size > population_size:
        raise ValueError(
            f"sample_size={sample_size} is larger than population_size={population_size}: the "
            "parent is the best of a sample of the population. Give a smaller sample, such as half "
            "of the population."
        )


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
