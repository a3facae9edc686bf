"""Hyperband (Li et al. 2018, "Hyperband: A Novel Bandit-Based Approach", algorithm 1)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from kt_hpo.objectives import ObjectiveLike
from kt_hpo.oracle.ranking import best_first
from kt_hpo.oracle.recorded import RecordedOracle
from kt_hpo.oracle.trials import past_of
from kt_hpo.space import domain
from kt_hpo.space.continuation import Continuation
from kt_hpo.space.kinds import Value
from kt_hpo.tuner import Tuner


@dataclass
class Bracket:
    """One run of successive halving: its number `s` in the paper, its trials by rung."""

    number: int
    rungs: list[list[Trial]]


class HyperbandOracle(RecordedOracle, keras_tuner.oracles.HyperbandOracle):
    """Gives many trials a few epochs, and the best of them ever more.

    Sizes and epochs of the rungs are Keras Tuner's. Which trial belongs to which bracket is read
    from the trials themselves, so that an interrupted search goes on exactly as it would have.
    Two things are corrected: a rung with failed trials still promotes as many as planned, and a
    space with fewer configurations than a bracket asks for is halved all the same.

    Args: as in `keras_tuner.oracles.HyperbandOracle`.

    Example:
        >>> HyperbandOracle(objective="val_loss", max_epochs=9).planned_trials
        23
    """

    pauses_trials = True

    @property
    def planned_trials(self) -> int | None:
        """How many trials all rungs of all brackets have together."""
        if math.isinf(self.hyperband_iterations):
            return None
        return self.hyperband_iterations * sum(
            self._size(number, rung)
            for number in range(self._bracket_count)
            for rung in range(number + 1)
        )

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Promotes a trial to its next rung, or draws a new one.

        Args:
            trial_id: The trial's id.

        Returns:
            `{"status": ..., "values": ...}`, as every oracle.
        """
        exhausted = False
        for bracket in [*self._open_brackets(), *self._following_bracket()]:
            if not exhausted and len(bracket.rungs[0]) < self._size(bracket.number, 0):
                values = self._random_values()
                if values is not None:
                    return self._running(values, bracket)
                exhausted = True
            promotion = self._promotion(bracket)
            if promotion is not None:
                return promotion
        if self.ongoing_trials:
            return {"status": TrialStatus.IDLE}
        return {"status": TrialStatus.STOPPED}

    def populate_enqueued(self, trial_id: str, fixed: Mapping[str, Value]) -> dict[str, Any]:
        """Begins with enqueued values in the lowest rung of a bracket that has room for them."""
        for bracket in [*self._open_brackets(), *self._following_bracket()]:
            if not self._is_full(bracket):
                values = domain.draw(self.hyperparameters, self._stream(), fixed)
                return self._running(values, bracket)
        return {"status": TrialStatus.STOPPED}

    def checkpoints_needed(self) -> set[str]:
        """Names the trials that may still be promoted, or whose promotion is running."""
        needed = past_of(self.unfinished)
        for bracket in self._open_brackets():
            for rung in range(1, len(bracket.rungs)):
                places = self._size(bracket.number, rung) - len(bracket.rungs[rung])
                best = self._best_first(self._left(bracket, rung))
                needed |= {trial.trial_id for trial in best[: max(places, 0)]}
        return needed

    def may_be_continued(self, trial: Trial) -> bool:
        """Tells whether there is a rung above the trial's."""
        place = Continuation.of(trial.hyperparameters.values)
        return place.round < place.bracket

    def _start_recording(self, seed: int | None) -> None:
        super()._start_recording(seed)
        self._brackets_begun = 0
        self._open: list[Bracket] = []
        self._home: dict[str, Bracket] = {}

    @property
    def _bracket_count(self) -> int:
        """How many brackets there are: s_max + 1 in the paper."""
        count, epochs = 0, self.max_epochs
        while epochs >= self.min_epochs:
            count, epochs = count + 1, epochs / self.factor
        return count

    def _size(self, number: int, rung: int) -> int:
        """How many trials a rung gets: n_i = B/R * eta^(s - i) / (s + 1), both rounded up here."""
        budget = math.ceil(1 + math.log(self.max_epochs, self.factor))
        return math.ceil(budget / (number + 1) * self.factor ** (number - rung))

    def _epochs(self, number: int, rung: int) -> int:
        """After how many epochs trials of a rung end: r_i = R * eta^(i - s), rounded up here."""
        return math.ceil(self.max_epochs / self.factor ** (number - rung))

    def _open_brackets(self) -> list[Bracket]:
        """The brackets that want more trials, in the order they were begun."""
        for trial_id in self.start_order[len(self._home) :]:
            trial = self.trials[trial_id]
            place = Continuation.of(trial.hyperparameters.values)
            if place.trial_id is None:
                bracket = self._newest(place.bracket)
            else:
                bracket = self._home[place.trial_id]
            bracket.rungs[place.round].append(trial)
            self._home[trial_id] = bracket
        self._open = [bracket for bracket in self._open if not self._has_all(bracket)]
        return self._open

    def _newest(self, number: int) -> Bracket:
        """The bracket that a trial of the lowest rung belongs to, begun if the latest is full."""
        if not self._open or self._is_full(self._open[-1]):
            self._open.append(self._empty(number))
            self._brackets_begun += 1
        return self._open[-1]

    def _following_bracket(self) -> Iterator[Bracket]:
        """The bracket to begin when those before have no work left, if there is one."""
        count = self._bracket_count
        if self._brackets_begun < self.hyperband_iterations * count:
            yield self._empty(count - 1 - self._brackets_begun % count)

    def _empty(self, number: int) -> Bracket:
        return Bracket(number, [[] for _ in range(number + 1)])

    def _is_full(self, bracket: Bracket) -> bool:
        return len(bracket.rungs[0]) >= self._size(bracket.number, 0)

    def _has_all(self, bracket: Bracket) -> bool:
        return all(
            len(trials) >= self._size(bracket.number, rung)
            for rung, trials in enumerate(bracket.rungs)
        )

    def _planned(self, bracket: Bracket, rung: int) -> int:
        """How many trials a rung gets, fewer than the paper's when too few could be begun."""
        planned = self._size(bracket.number, rung)
        if self._is_full(bracket):
            return planned
        return min(planned, math.ceil(len(bracket.rungs[0]) / self.factor**rung))

    def _left(self, bracket: Bracket, rung: int) -> list[Trial]:
        """The trials of the rung below that were not promoted to this one."""
        promoted = past_of(bracket.rungs[rung])
        return [trial for trial in bracket.rungs[rung - 1] if trial.trial_id not in promoted]

    def _best_first(self, trials: list[Trial]) -> list[Trial]:
        in_range = [trial for trial in trials if self.is_in_range(trial)]
        return best_first(in_range, self.objective, self._parameters)

    def _promotion(self, bracket: Bracket) -> dict[str, Any] | None:
        """The best trial of a rung, once more have ended than will be left behind."""
        for rung in range(1, len(bracket.rungs)):
            planned = self._planned(bracket, rung)
            left = self._left(bracket, rung)
            ended = [t for t in left if t.status in (TrialStatus.COMPLETED, TrialStatus.FAILED)]
            best = self._best_first(left)
            losers = max(len(bracket.rungs[rung - 1]), self._planned(bracket, rung - 1)) - planned
            if best and len(bracket.rungs[rung]) < planned and len(ended) > losers:
                return self._running(best[0].hyperparameters.values, bracket, rung, best[0])
        return None

    def _running(
        self,
        values: Mapping[str, Any],
        bracket: Bracket,
        rung: int = 0,
        past: Trial | None = None,
    ) -> dict[str, Any]:
        place = Continuation(
            initial_epoch=self._epochs(bracket.number, rung - 1) if past else 0,
            epochs=self._epochs(bracket.number, rung),
            bracket=bracket.number,
            round=rung,
            trial_id=past.trial_id if past else None,
        )
        return {"status": TrialStatus.RUNNING, "values": {**values, **place.values()}}


class Hyperband(Tuner):
    """Hyperband: many trials get a few epochs, the best of them ever more.

    A promoted trial goes on from where it ended, its optimizer's state included.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)`.
        objective: Name of a metric, a `keras_tuner.Objective`, or a list of them.
        max_epochs: Epochs of a trial that is promoted to the end.
        factor: How many times fewer trials, and more epochs, each rung has than the one below.
        hyperband_iterations: How often all brackets are run; may be `float("inf")`.
        seed: Seed of values, weights and shuffling. The same seed gives the same trials.
        hyperparameters: Space to override or to prescribe.
        tune_new_entries: Whether hyperparameters that are not in `hyperparameters` are searched.
        allow_new_entries: Whether the hypermodel may ask for such.
        max_retries_per_trial: How often a trial that failed is tried again.
        max_consecutive_failed_trials: After how many failed trials in a row the search stops.
        **kwargs: The arguments of `kt_hpo.Tuner`.

    Example:
        >>> def build(hp):
        ...     import keras
        ...     layers = [keras.Input((2,)), keras.layers.Dense(hp.Int("units", 1, 64))]
        ...     model = keras.Sequential(layers)
        ...     model.compile(loss="mse")
        ...     return model
        >>> tuner = Hyperband(build, "val_loss", max_epochs=9, directory="runs", overwrite=True)
        >>> tuner.oracle.planned_trials
        23
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: ObjectiveLike = None,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: int | float = 1,
        seed: int | None = None,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        oracle = HyperbandOracle(
            objective=objective,
            max_epochs=max_epochs,
            factor=factor,
            hyperband_iterations=hyperband_iterations,
            seed=seed,
            hyperparameters=hyperparameters,
            tune_new_entries=tune_new_entries,
            allow_new_entries=allow_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        super().__init__(oracle, hypermodel, **kwargs)
