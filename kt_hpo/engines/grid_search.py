"""Grid search: every combination of the values, in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from kt_hpo.objectives import ObjectiveLike
from kt_hpo.oracle.locking import synchronized
from kt_hpo.oracle.recorded import RecordedOracle
from kt_hpo.space import domain
from kt_hpo.space.continuation import own_values
from kt_hpo.space.hyperparameters import HyperParameter
from kt_hpo.space.kinds import Value
from kt_hpo.space.scopes import active_values, first_names, is_active
from kt_hpo.tuner import Tuner


class GridSearchOracle(RecordedOracle, keras_tuner.oracles.GridSearchOracle):
    """Goes through all combinations; a range without a step gives ten values.

    The first value of a hyperparameter is its default, and the last hyperparameter changes fastest,
    as in Keras Tuner. Trials may run side by side and end in any order.

    A hyperparameter may be new in one of the trials. A trial that ended without asking for it
    stands for all its values, since another value would train the same model again.

    Args: as in `keras_tuner.oracles.GridSearchOracle`.

    Example:
        >>> GridSearchOracle(objective="val_loss").max_trials is None
        True
    """

    enumerates = True

    _known_space: Any = None
    # The first combination that is not known to be tried; None where there is none.
    _front: dict[str, Value] | None = None

    @property
    def planned_trials(self) -> int | None:
        """How many trials the search will have at most; None if nobody knows."""
        counts = (size for size in (self.max_trials, domain.size(self.hyperparameters)) if size)
        return min(counts, default=None)

    def propose(self, trial_id: str, hyperparameter: HyperParameter) -> Value:
        """Begins with the default; the other values of the grid have their turn later."""
        return hyperparameter.default

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Gives the first combination that no trial has, without waiting for trials that run.

        Keras Tuner lets at most two run at once. A running trial is waited for only where it
        decides whether a combination is new: it may yet ask for the hyperparameter that makes the
        difference.

        Args:
            trial_id: The trial's id.

        Returns:
            `{"status": ..., "values": ...}`, as every oracle.
        """
        self._take_in_space()
        self._take_in_ended()
        values, all_decided = self._front, True
        while values is not None:
            is_tried = self._is_tried(values)
            following = self._following(values)
            all_decided = all_decided and is_tried is not None
            if all_decided:
                self._front = following
            if is_tried is False:
                return {"status": TrialStatus.RUNNING, "values": values}
            values = following
        # A running trial may ask for hyperparameters that make further combinations.
        return {"status": TrialStatus.IDLE if self.ongoing_trials else TrialStatus.STOPPED}

    def populate_enqueued(self, trial_id: str, fixed: Mapping[str, Value]) -> dict[str, Any]:
        """Passes over what is enqueued: every combination is tried in its turn."""
        return {"status": TrialStatus.IDLE}

    def enqueue(self, values: Mapping[str, Value]) -> None:
        """Raises ValueError: a grid has an order already."""
        raise ValueError(
            "GridSearch tries every combination in order, so nothing can be enqueued. Use "
            "RandomSearch or OptunaSearch to begin with values of your own."
        )

    @synchronized
    def reload(self) -> None:
        """Takes up a search; where it stands follows from the values of its trials."""
        super().reload()
        self._known_space = None

    def _stands(self, trial: Trial) -> bool:
        """Whether a trial lacks no hyperparameter but those that it has not asked for.

        What an older program did not have at all it could not ask for.
        """
        later = self.hyperparameters.recorded_as
        values = trial.hyperparameters.values
        return all(
            hyperparameter.name in values
            for hyperparameter, name in first_names(self.hyperparameters)
            if name in later and is_active(hyperparameter, values)
        )

    def _take_in_space(self) -> None:
        """Begins with the first combination again when the space has changed."""
        described = self.hyperparameters.get_config()["space"]
        if described == self._known_space:
            return
        self._known_space = described
        self._choices = [(hp, _choices(hp)) for hp in self.hyperparameters.space]
        self._front = self._combination({})
        # Values of ended trials, by the names of the hyperparameters that these trials have.
        self._ended: dict[frozenset[str], set[tuple[Value, ...]]] = {}
        self._count_ended = 0

    def _take_in_ended(self) -> None:
        for trial_id in self.end_order[self._count_ended :]:
            trial = self.trials[trial_id]
            if not self._stands(trial):
                continue
            values = self._values_of(trial)
            names = frozenset(values)
            self._ended.setdefault(names, set()).add(tuple(values[name] for name in names))
        self._count_ended = len(self.end_order)

    def _values_of(self, trial: Trial) -> dict[str, Value]:
        values = own_values(trial.hyperparameters.values)
        return {hp.name: values[hp.name] for hp, _ in self._choices if hp.name in values}

    def _is_tried(self, values: Mapping[str, Value]) -> bool | None:
        """Whether a trial has a combination; None while a running one has to decide it."""
        for names, tried in self._ended.items():
            if names <= values.keys() and tuple(values[name] for name in names) in tried:
                return True
        undecided = False
        for trial in self.ongoing_trials.values():
            theirs = self._values_of(trial)
            if theirs.items() <= values.items():
                # What it has not asked for yet will have its default when it does.
                if self._are_defaults(values, values.keys() - theirs.keys()):
                    return True
                undecided = True
        return None if undecided else False

    def _are_defaults(self, values: Mapping[str, Value], names: set[str]) -> bool:
        active = [hp for hp, _ in self._choices if is_active(hp, values)]
        return all(values[hp.name] == hp.default for hp in active if hp.name in names)

    def _following(self, values: Mapping[str, Value]) -> dict[str, Value] | None:
        """The next combination in order; None after the last."""
        active = [(hp, choices) for hp, choices in self._choices if is_active(hp, values)]
        for place in reversed(range(len(active))):
            changed, choices = active[place]
            index = choices.index(values[changed.name]) + 1
            if index < len(choices):
                kept = {hp.name: values[hp.name] for hp, _ in active[:place]}
                return self._combination(kept | {changed.name: choices[index]})
        return None

    def _combination(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Adds the default of each active hyperparameter that has no value."""
        return active_values(self.hyperparameters, lambda hp, _: values.get(hp.name, hp.default))


def _choices(hyperparameter: HyperParameter) -> list[Value]:
    """The values of a hyperparameter, its default first."""
    default = hyperparameter.default
    return [default, *(value for value in hyperparameter.values if value != default)]


class GridSearch(Tuner):
    """Grid search: every combination, in order; ten values of a range without a step.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)`.
        objective: Name of a metric, a `keras_tuner.Objective`, or a list of them.
        max_trials: How many trials to run at most; None for all combinations.
        seed: Seed of values, weights and shuffling. The same seed gives the same trials.
        hyperparameters: Space to override or to prescribe.
        tune_new_entries: Whether hyperparameters that are not in `hyperparameters` are searched.
        allow_new_entries: Whether the hypermodel may ask for such.
        max_retries_per_trial: How often a trial that failed is tried again.
        max_consecutive_failed_trials: After how many failed trials in a row the search stops.
        **kwargs: The arguments of `kt_hpo.Tuner`.

    Example:
        >>> class Table(GridSearch):
        ...     def run_trial(self, trial):
        ...         hp = trial.hyperparameters
        ...         return hp.Choice("a", [1, 2, 3]) * hp.Choice("b", [10, 20])
        >>> tuner = Table(directory="runs", project_name="grid", overwrite=True)
        >>> tuner.search(verbose=0)
        >>> len(tuner.study.trials)
        6
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: ObjectiveLike = None,
        max_trials: int | None = None,
        seed: int | None = None,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        oracle = GridSearchOracle(
            objective=objective,
            max_trials=max_trials,
            seed=seed,
            hyperparameters=hyperparameters,
            tune_new_entries=tune_new_entries,
            allow_new_entries=allow_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        super().__init__(oracle, hypermodel, **kwargs)
