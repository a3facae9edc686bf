"""Freeze-thaw Bayesian optimization (Swersky, Snoek & Adams 2014, arXiv:1406.3896).

A trial is one part of a training: from where it paused to where it pauses next.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial, TrialStatus
from threadpoolctl import ThreadpoolController

from kt_hpo.arguments import check_whole, check_whole_or_none, is_one_of
from kt_hpo.engines.proposals.coordinates import Coordinates
from kt_hpo.engines.proposals.learning_curves import (
    NOTHING,
    LearningCurveProcess,
    Points,
    expected_improvement,
)
from kt_hpo.engines.proposals.loss_scale import LossScale, most_telling
from kt_hpo.engines.proposals.mutation import mutate
from kt_hpo.objectives import ObjectiveLike
from kt_hpo.oracle.recorded import RecordedOracle
from kt_hpo.oracle.trials import PRUNED, past_of
from kt_hpo.record.clock import seconds
from kt_hpo.space import domain
from kt_hpo.space.continuation import Continuation, own_values
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.space.kinds import Value
from kt_hpo.tuner import Tuner

# How many times as long a training is after each part: 1.5 to 4 were level on tables of curves, and
# each part has a model to build.
_GROWTH = 3
# How many trainings are begun at random, and what share of the budget they may take.
_INITIAL, _SHARE = 10, 0.2
# How many of the trainings that came as far may go on: the weights of no others are kept.
_KEPT = 50
# How many points the process is given, and how many its parameters are found with.
_MOST, _MOST_TO_FIT = 300, 180
# Parameters are found anew whenever there are so many times more trials, or so many more.
_REFIT, _MOST_NEW = 1.25, 150
# New configurations that are looked at: random ones, and mutations of each of the best.
_DRAWN, _BEST, _MUTATIONS = 80, 8, 8
_WENT_WELL = (TrialStatus.COMPLETED, PRUNED)
_ENDED = (*_WENT_WELL, TrialStatus.FAILED)


@dataclass
class Training:
    """A configuration as far as it is trained.

    Attributes:
        number: Which it is, in the order they were begun.
        parts: Its trials, in their order.
        losses: Its least loss at the end of each part that has ended well, by epochs.
        seconds: What these parts took.
        epochs: For how many it is trained, the part that runs included.
    """

    number: int
    parts: list[Trial] = field(default_factory=list)
    losses: dict[int, float] = field(default_factory=dict)
    seconds: float = 0.0
    epochs: int = 0

    @property
    def least(self) -> float:
        """Its least loss; infinite before a part has ended well."""
        return min(self.losses.values(), default=math.inf)

    def add(self, part: Trial) -> None:
        """Takes up the next part."""
        self.parts.append(part)
        _, self.epochs = _span(part)


class FreezeThawSearchOracle(RecordedOracle):
    """Decides at every moment which training to continue, which to start and which to leave.

    After ten random trainings of one part each, fewer where the budget is small, a Gaussian process
    of learning curves (`learning_curves.LearningCurveProcess`) predicts how far every paused
    training, and new configurations, would get at `max_epochs`, or with what is left of the budget.
    The one with the largest expected improvement for each epoch up to there gets its next part: up
    to the next of the epochs 1, 3, 9, 27, ... Trials that run count as if they had ended as
    expected.

    Two trainings go on to their end whatever is expected. The first, if its values were enqueued,
    such as the defaults of a ready model: what is known to be good is measured in full, and there
    is a whole curve to learn from. And the best, with the last epochs of the budget, or the last
    seconds of the search: where it is best to stop is known then.

    Args:
        objective: As in `keras_tuner.Oracle`.
        max_trials: The budget: the epochs of so many full trainings. Trials, parts of trainings,
            are more. None for no end.
        max_epochs: Epochs of a full training.
        min_epochs: Epochs at which a training pauses first.
        costs: What an epoch costs, `"epochs"` or `"seconds"`.
        seed: Seed of all random choices.
        **kwargs: As in `keras_tuner.Oracle`.

    Raises:
        ValueError: If an argument is not allowed.

    Example:
        >>> oracle = FreezeThawSearchOracle("val_loss", max_trials=20, max_epochs=10)
        >>> oracle.pauses
        [1, 3, 10]
    """

    learns_from_trials = True
    pauses_trials = True

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = 20,
        max_epochs: int = 100,
        min_epochs: int = 1,
        costs: Literal["epochs", "seconds"] = "epochs",
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        check_whole_or_none("to go on until every configuration is trained", max_trials=max_trials)
        check_whole(max_epochs=max_epochs, min_epochs=min_epochs)
        if min_epochs > max_epochs:
            raise ValueError(
                f"min_epochs={min_epochs} is more than max_epochs={max_epochs}, the epochs of a "
                "full training. Give at most those: as many let every training end at once."
            )
        if not is_one_of(costs, ("epochs", "seconds")):
            raise ValueError(f"costs={costs!r} is not allowed; give 'epochs' or 'seconds'.")
        self.costs = costs
        self.max_epochs = max_epochs
        self.budget = math.inf if max_trials is None else max_trials * max_epochs
        self.pauses = _pauses(min_epochs, max_epochs)
        self.initial = int(max(min(_SHARE * self.budget / min_epochs, _INITIAL), 2))
        # A budget of epochs: how many trials it makes, nobody knows.
        super().__init__(objective=objective, max_trials=None, seed=seed, **kwargs)

    @property
    def epoch_budget(self) -> tuple[int, int] | None:
        """Epochs that ended trials have spent, and all there are; None without an end."""
        if math.isinf(self.budget):
            return None
        return self._epochs_begun() - _epochs_of(self.unfinished), int(self.budget)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Gives the training that is worth most its next part, or begins one.

        Args:
            trial_id: The trial's id.

        Returns:
            `{"status": ..., "values": ...}`, as every oracle.
        """
        left = self._left()
        values = self._next_values(left) if left > 0 else None
        if values is not None:
            return self._running(values, left)
        return {"status": TrialStatus.IDLE if self.ongoing_trials else TrialStatus.STOPPED}

    def populate_enqueued(self, trial_id: str, fixed: Mapping[str, Value]) -> dict[str, Any]:
        """Begins a training with enqueued values."""
        left = self._left()
        if left <= 0:
            return {"status": TrialStatus.STOPPED}
        return self._running(domain.draw(self.hyperparameters, self._stream(), fixed), left)

    def checkpoints_needed(self) -> set[str]:
        """Names the trials that may be continued, or are just being so."""
        paused = {one.parts[-1].trial_id for one in self._paused()}
        return past_of(self.unfinished) | paused

    def may_be_continued(self, trial: Trial) -> bool:
        """Tells whether the trial's training has parts left."""
        return self.epochs_to_go(trial) > 0

    def epochs_to_go(self, trial: Trial) -> int:
        """Counts the epochs that the trial's training has left."""
        return self.max_epochs - _span(trial)[1]

    def _start_recording(self, seed: int | None) -> None:
        super()._start_recording(seed)
        self._fitted: tuple[int, LearningCurveProcess] | None = None
        self._trainings: list[Training] = []
        self._training_of: dict[str, Training] = {}
        self._told = self._epochs_taken_up = 0
        # The best of all trainings, and of those that came as far as an epoch; best first.
        self._best: list[Training] = []
        self._came: dict[int, list[Training]] = {}
        # What the process is told of, and of how many of the ended trials.
        self._points, self._losses, self._shown = NOTHING, np.zeros(0), 0
        self._fresh: tuple[tuple[int, ...], list[dict[str, Value]]] | None = None
        self._coordinates = Coordinates(HyperParameters())
        self._places: dict[int, np.ndarray] = {}

    def _left(self) -> float:
        """Epochs of the budget that no trial has, those that run included."""
        return self.budget - self._epochs_begun()

    def _epochs_begun(self) -> int:
        """Epochs of all trials; changes nothing, as a display may ask for it at any time."""
        new = self.start_order[len(self._training_of) :]
        return self._epochs_taken_up + _epochs_of(self.trials[trial_id] for trial_id in new)

    def _running(self, values: dict[str, Any], left: float) -> dict[str, Any]:
        """Answers with values, and the epochs up to the next pause."""
        begin, end = self._part(values)
        part = Continuation(initial_epoch=begin, epochs=int(min(end, begin + left)))
        return {"status": TrialStatus.RUNNING, "values": values | part.values()}

    def _part(self, values: Mapping[str, Any]) -> tuple[int, int]:
        """From where a part goes on, and to where."""
        past = Continuation.of(values)
        begin = 0 if past.trial_id is None else past.epochs
        return begin, next(pause for pause in self.pauses if pause > begin)

    def _take_up_trials(self) -> None:
        """Learns of the trials that were begun or have ended since it was called last."""
        for trial_id in self.start_order[len(self._training_of) :]:
            trial = self.trials[trial_id]
            source = Continuation.of(trial.hyperparameters.values).trial_id
            if source is None:
                self._trainings.append(Training(len(self._trainings)))
            training = self._trainings[-1] if source is None else self._training_of[source]
            training.add(trial)
            self._training_of[trial_id] = training
            self._epochs_taken_up += _epochs_of([trial])
        for trial_id in self.end_order[self._told :]:
            trial, training = self.trials[trial_id], self._training_of[trial_id]
            if trial.status in _WENT_WELL:
                self._take_up_loss(training, trial)
        self._told = len(self.end_order)

    def _take_up_loss(self, training: Training, trial: Trial) -> None:
        """Learns how far a training came with a part that has ended well."""
        _, epochs = _span(trial)
        training.losses[epochs] = min(training.least, self._loss(trial))
        training.seconds += seconds(self.record.trial(int(trial.trial_id))) or 0.0
        as_far = self._came.setdefault(epochs, [])
        insort(as_far, training, key=lambda one: (one.losses[epochs], one.number))
        # Who is not among them never will be again, for who went on counts too.
        del as_far[_KEPT:]
        if training in self._best:
            self._best.remove(training)
        insort(self._best, training, key=lambda one: (one.least, one.number))
        del self._best[_BEST:]

    def _loss(self, trial: Trial) -> float:
        return -trial.score if self.objective.direction == "max" else trial.score

    def _paused(self) -> list[Training]:
        """The trainings that may go on: of those that came as far, the best."""
        self._take_up_trials()
        return [
            training
            for epochs, as_far in sorted(self._came.items())
            for training in as_far
            if training.epochs == epochs < self.max_epochs
            and training.parts[-1].status == TrialStatus.COMPLETED
            and self.is_in_range(training.parts[-1])
        ]

    def _next_values(self, left: float) -> dict[str, Value] | None:
        """Values of the part that goes on, or of a new training; None if there are none."""
        paused = self._paused()
        for training in paused:
            if training.number == 0 and self._was_enqueued(training):
                return _next(training)
        values = self._most_promising(paused, left)
        if values is not None and self._best and self._best[0] in paused:
            begin, end = self._part(values)
            best = self._best[0]
            if self._most_epochs(best, left) - (end - begin) < self.epochs_to_go(best.parts[-1]):
                return _next(best)
        return values

    def _was_enqueued(self, training: Training) -> bool:
        begun = self.record.trial(int(training.parts[0].trial_id))
        return "fixed_params" in begun.system_attrs

    def _most_epochs(self, training: Training, left: float) -> float:
        """How many of the epochs that are left a training has the time for."""
        known = training.seconds / training.epochs
        return min(left, max(self.seconds_left(), 0.0) / known) if known else left

    def _most_promising(self, paused: Sequence[Training], left: float) -> dict[str, Value] | None:
        """Values of what the most is to be expected of."""
        seen, losses = self._seen()
        fresh: list[dict[str, Value]] = []
        if len(self.past) + len(self._trainings) < self.initial or not np.isfinite(losses).any():
            values = self._random_values()
            if values is not None or not paused:
                return values
        else:
            fresh = self._fresh_values()
        if not paused and not fresh:
            return None
        with _libraries().limit(limits=1):
            best = int(np.argmax(self._expected_gains(seen, losses, paused, fresh, left)))
        if best >= len(paused):
            return fresh[best - len(paused)]
        return _next(paused[best])

    def _fresh_values(self) -> list[dict[str, Value]]:
        """Configurations not tried yet, at random and near the best; others once these change."""
        best = [training.number for training in self._best]
        state = len(self._trainings), len(self._out_of_memory), *best
        if self._fresh is None or self._fresh[0] != state:
            self._fresh = state, self._drawn_anew(self._best)
        return [dict(values) for values in self._fresh[1]]

    def _drawn_anew(self, best: Sequence[Training]) -> list[dict[str, Value]]:
        stream = np.random.default_rng([self.seed, len(self._trainings)])
        known = [own_values(training.parts[-1].hyperparameters.values) for training in best]
        drawn = [domain.draw(self.hyperparameters, stream) for _ in range(_DRAWN)]
        mutated = [
            mutate(self.hyperparameters, values, stream)
            for values in known
            for _ in range(_MUTATIONS)
        ]
        made = {
            self._compute_values_hash(values): values for values in [*drawn, *mutated] if values
        }
        return [values for values in made.values() if not self._is_refused(values)]

    def _seen(self) -> tuple[Points, np.ndarray]:
        """What ended trials have shown, in the order they ended; NaN of those that failed."""
        self._set_coordinates()
        own = [self.trials[trial_id] for trial_id in self.end_order[self._shown :]]
        own = [trial for trial in own if self.is_in_range(trial)]
        self._shown = len(self.end_order)
        trainings = [self._training_of[trial.trial_id] for trial in own]
        ends = [_span(trial)[1] for trial in own]
        losses = [one.losses.get(end, math.nan) for one, end in zip(trainings, ends, strict=True)]
        self._show(own, ends, [one.number for one in trainings], losses)
        return self._points, self._losses

    def _show(
        self,
        trials: Sequence[Trial],
        ends: Sequence[int],
        numbers: Sequence[int],
        losses: Sequence[float],
    ) -> None:
        """Adds ended trials to what was seen."""
        if trials:
            places = np.array([self._place_of(trial) for trial in trials])
            points = Points(places, self._share(ends), np.array(numbers))
            self._points = self._points.and_those(points) if len(self._points) else points
            self._losses = np.append(self._losses, losses)

    def _set_coordinates(self) -> None:
        """Forgets the places of trials where the space has changed, and which are in its ranges."""
        if not self._coordinates.are_in(self.hyperparameters):
            self._coordinates = Coordinates(self.hyperparameters)
            self._places, self._fitted, self._fresh = {}, None, None
            self._points, self._losses, self._shown = NOTHING, np.zeros(0), 0
            past = [trial for trial in self.past if self.is_in_range(trial)]
            losses = [self._loss(trial) for trial in past]
            self._show(past, [self.max_epochs] * len(past), range(-len(past), 0), losses)

    def _place_of(self, trial: Trial) -> np.ndarray:
        """Where a trial is; that of one that has ended is looked up."""
        if trial.status not in _ENDED:  # It may still ask for more.
            return self._coordinates.of(trial.hyperparameters.values)
        if id(trial) not in self._places:
            self._places[id(trial)] = self._coordinates.of(trial.hyperparameters.values)
        return self._places[id(trial)]

    def _share(self, epochs: Sequence[int] | np.ndarray) -> np.ndarray:
        """Epochs as the process sees them: -1 is the first, 0 the last."""
        return np.log(epochs) / math.log(max(self.max_epochs, 2)) - (self.max_epochs > 1)

    def _expected_gains(
        self,
        seen: Points,
        losses: np.ndarray,
        paused: Sequence[Training],
        fresh: Sequence[Mapping[str, Value]],
        left: float,
    ) -> np.ndarray:
        """What is to be expected of the trainings for what it costs: paused ones, then new."""
        count, process = self._process(seen, losses)
        scale = LossScale(losses)
        # What has ended since the parameters were found comes last, so that it alone is new.
        some = np.append(most_telling(losses[:count], _MOST), np.arange(count, len(losses)))
        known, y = seen.at(some), scale(losses[some])
        process.condition(known, y)
        if running := self._running_trainings():
            waited_for = self._ends(running, [one.epochs for one in running])
            expected, _ = process.predict(waited_for)
            process.condition(known.and_those(waited_for), np.append(y, expected))
        fresh_places = np.array([self._coordinates.of(one) for one in fresh])
        begun = len(self._trainings)
        trained = np.array([one.epochs for one in paused] + [0] * len(fresh))
        # No training gets further than what is left of the budget.
        to_go = np.minimum(self.max_epochs - trained, left)
        points = Points(
            np.array([*(self._place_of(one.parts[-1]) for one in paused), *fresh_places]),
            self._share(trained + to_go),
            np.array([*(one.number for one in paused), *(begun + np.arange(len(fresh)))]),
        )
        mean, deviation = process.predict(points)
        costs = to_go * self._costs(paused, fresh_places)
        return expected_improvement(mean, deviation, scale.best) / costs

    def _running_trainings(self) -> list[Training]:
        found = {
            one.number: one for one in (self._training_of[t.trial_id] for t in self.unfinished)
        }
        return [one for _, one in sorted(found.items())]

    def _costs(self, paused: Sequence[Training], fresh_places: np.ndarray) -> np.ndarray:
        """What an epoch of trainings costs, paused ones first, then new."""
        alike = np.ones(len(paused) + len(fresh_places))
        if self.costs == "epochs":
            return alike
        timed = [training for training in self._trainings if training.seconds > 0]
        if not timed:
            return alike
        places = np.array([self._place_of(training.parts[0]) for training in timed])
        logs = np.log([training.seconds / max(training.losses) for training in timed])
        # Ridge regression of the logarithm.
        center, middle = logs.mean(), places.mean(0)
        off = places - middle
        slope = np.linalg.solve(off.T @ off + np.eye(len(middle)), off.T @ (logs - center))
        known = [training.seconds / max(training.losses) for training in paused]
        return np.array([*known, *np.exp(center + (fresh_places - middle) @ slope)])

    def _ends(self, trainings: Sequence[Training], epochs: Sequence[int]) -> Points:
        return Points(
            np.array([self._place_of(one.parts[-1]) for one in trainings]),
            self._share(epochs),
            np.array([one.number for one in trainings]),
        )

    def _process(self, seen: Points, losses: np.ndarray) -> tuple[int, LearningCurveProcess]:
        """The process, and from how many of the first trials its parameters were found.

        That hangs on their number alone, so that a search that goes on has the same.
        """
        count = following = min(_INITIAL, len(losses))
        while following <= len(losses):
            count = following
            following = min(math.ceil(count * _REFIT), count + _MOST_NEW)
        if self._fitted is None or self._fitted[0] != count:
            some = most_telling(losses[:count], _MOST_TO_FIT)
            process = LearningCurveProcess(seen.x.shape[1])
            if np.isfinite(losses[:count]).any():
                process.fit(seen.at(some), LossScale(losses[:count])(losses[some]))
            self._fitted = count, process
        return self._fitted


def _next(training: Training) -> dict[str, Value]:
    """Values of a training's next part."""
    last = training.parts[-1]
    return last.hyperparameters.values | Continuation(trial_id=last.trial_id).values()


def _epochs_of(trials: Iterable[Trial]) -> int:
    return sum(end - begin for begin, end in map(_span, trials))


def _span(trial: Trial) -> tuple[int, int]:
    """The epochs from which to which a trial trains; where trials are whole, they count as one."""
    part = Continuation.of(trial.hyperparameters.values)
    return part.initial_epoch, 1 if part.epochs is None else part.epochs


@cache
def _libraries() -> ThreadpoolController:
    """Those of linear algebra; looking for them takes longer than what they do here."""
    return ThreadpoolController()


def _pauses(min_epochs: int, max_epochs: int) -> list[int]:
    """The epochs at which a training pauses; the last is its end."""
    pauses = [min_epochs]
    while (following := pauses[-1] * _GROWTH) * 1.2 < max_epochs:
        pauses.append(following)
    return pauses + [max_epochs] * (max_epochs > min_epochs)


class FreezeThawSearch(Tuner):
    """Freeze-thaw Bayesian optimization: trainings pause, and the most promising go on.

    A model of all learning curves seen so far says after every part of a training which one is
    worth the next epochs: one of those that pause, with its weights and its optimizer's state, or
    a new one. A trial of the record is one part of a training; `kt_hpo.plots.plot_lineage` shows
    how they hang together.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)`.
        objective: Name of a metric, a `keras_tuner.Objective`, or a list of them.
        max_trials: The budget: the epochs of so many full trainings. Most trainings get only a few
            of them, so that there are many more. None for as long as there is time, or until every
            configuration is trained.
        max_epochs: Epochs of a full training.
        min_epochs: Epochs at which a training pauses first; more where the first ones tell nothing.
        costs: What is spent: `"epochs"`, or `"seconds"`, where an epoch of a large model is worth
            several of a small one. By seconds, the same seed does not give the same trials.
        seed: Seed of values, weights and shuffling. The same seed gives the same trials.
        hyperparameters: Space to override or to prescribe.
        tune_new_entries: Whether hyperparameters that are not in `hyperparameters` are searched.
        allow_new_entries: Whether the hypermodel may ask for such.
        max_retries_per_trial: How often a trial that failed is tried again.
        max_consecutive_failed_trials: After how many failed trials in a row the search stops.
        **kwargs: The arguments of `kt_hpo.Tuner`.

    Example:
        >>> class Decay(FreezeThawSearch):
        ...     def run_trial(self, trial):
        ...         rate = trial.hyperparameters.Float("rate", 0.0, 1.0)
        ...         epochs = trial.hyperparameters.values["tuner/epochs"]
        ...         return (rate - 0.3) ** 2 + 1 / epochs
        >>> tuner = Decay(max_trials=8, max_epochs=9, seed=0, directory="runs", overwrite=True)
        >>> tuner.search(verbose=0)
        >>> tuner.study.best_value < 0.2
        True
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: ObjectiveLike = None,
        max_trials: int | None = 20,
        max_epochs: int = 100,
        min_epochs: int = 1,
        costs: Literal["epochs", "seconds"] = "epochs",
        seed: int | None = None,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        oracle = FreezeThawSearchOracle(
            objective=objective,
            max_trials=max_trials,
            max_epochs=max_epochs,
            min_epochs=min_epochs,
            costs=costs,
            seed=seed,
            hyperparameters=hyperparameters,
            tune_new_entries=tune_new_entries,
            allow_new_entries=allow_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        super().__init__(oracle, hypermodel, **kwargs)
