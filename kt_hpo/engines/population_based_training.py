"""Population-based training (Jaderberg et al. 2017, arXiv:1711.09846, algorithm 1).

A trial is one interval in the life of one member of the population.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial, TrialStatus

from kt_hpo.arguments import check_whole, is_number
from kt_hpo.engines.proposals.perturbation import explore
from kt_hpo.objectives import ObjectiveLike
from kt_hpo.oracle.ranking import best_first
from kt_hpo.oracle.recorded import RecordedOracle
from kt_hpo.oracle.trials import PRUNED, lineage, past_of
from kt_hpo.space import domain
from kt_hpo.space.continuation import Continuation, own_values
from kt_hpo.space.kinds import Float, Value
from kt_hpo.tuner import Tuner

_ENDED = (TrialStatus.COMPLETED, PRUNED, TrialStatus.FAILED)


class PopulationBasedTrainingOracle(RecordedOracle):
    """Trains a population together; who falls behind copies who leads, and explores from there.

    Who does is decided by truncation selection. The member that has lived the fewest
    intervals is the next to go on, so nobody waits for the others. It is compared with the others
    as they were at its own age: who copies gains no training by it. A member whose interval failed
    or was pruned copies a leader too, or starts again where there is none. Trials run one after
    the other, or again after an interruption, are the same for the same seed.

    A trial's values hold `tuner/member` and `tuner/generation` (which interval of the member it
    is), `tuner/initial_epoch` and `tuner/epochs`, and `tuner/trial_id`, the trial from whose end
    it goes on.

    Args:
        objective: As in `keras_tuner.Oracle`. An interval counts by its best epoch.
        population_size: How many members are trained.
        max_epochs: Epochs of each member.
        ready_interval: Epochs after which a member looks at the others.
        quantile: The share of members, up to a half, that copy, and that are copied.
        resample_probability: How often a copied value is drawn anew rather than perturbed.
        perturbation_factors: One of them multiplies a copied value.
        perturb: Names of the hyperparameters that are explored; all `hp.Float` by default. Weights
            are copied, so none that changes their shapes should be among them.
        seed: Seed of all random choices.
        **kwargs: As in `keras_tuner.Oracle`.

    Raises:
        ValueError: If an argument is not allowed.

    Example:
        >>> oracle = PopulationBasedTrainingOracle("val_loss", population_size=4, max_epochs=10)
        >>> oracle.planned_trials
        40
    """

    def __init__(
        self,
        objective: Any = None,
        population_size: int = 8,
        max_epochs: int = 20,
        ready_interval: int = 1,
        quantile: float = 0.25,
        resample_probability: float = 0.25,
        perturbation_factors: Sequence[float] = (0.8, 1.2),
        perturb: str | Sequence[str] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        check_whole(lowest=2, population_size=population_size)
        check_whole(max_epochs=max_epochs, ready_interval=ready_interval)
        _check_share("quantile", quantile, highest=0.5)
        _check_share("resample_probability", resample_probability, highest=1)
        _check_factors(perturbation_factors)
        _check_perturb(perturb)
        self.population_size = population_size
        self.max_epochs = max_epochs
        self.ready_interval = ready_interval
        self.quantile = quantile
        self.resample_probability = resample_probability
        self.perturbation_factors = tuple(perturbation_factors)
        self.perturb = [perturb] if isinstance(perturb, str) else perturb and list(perturb)
        self.intervals = math.ceil(max_epochs / ready_interval)
        planned = population_size * self.intervals
        super().__init__(objective=objective, max_trials=planned, seed=seed, **kwargs)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Lets the member that has lived the fewest intervals begin or go on.

        Args:
            trial_id: The trial's id.

        Returns:
            `{"status": ..., "values": ...}`, as every oracle.

        Raises:
            ValueError: If `perturb` names what is no hyperparameter.
        """
        members = self._members()
        idle = [m for m, lived in members.items() if self._can_go_on(lived)]
        if not idle:
            status = TrialStatus.IDLE if self.ongoing_trials else TrialStatus.STOPPED
            return {"status": status}
        member = min(idle, key=lambda m: len(members[m]))
        if members[member] or self.hyperparameters.space:
            self._check_perturb()
        standing = self._standing(members, age=len(members[member]))
        if not members[member] or not standing:
            return self._running(members, member, self._start_values())
        return self._going_on(members, member, standing)

    def populate_enqueued(self, trial_id: str, fixed: Mapping[str, Value]) -> dict[str, Any]:
        """Begins a member with enqueued values, while there is one that has not begun."""
        members = self._members()
        for member, lived in members.items():
            if not lived:
                values = domain.draw(self.hyperparameters, self._stream(), fixed)
                return self._running(members, member, values)
        return {"status": TrialStatus.STOPPED}

    def checkpoints_needed(self) -> set[str]:
        """Names the trials from whose end a member may still go on, or is just doing so."""
        members = self._members()
        needed = past_of(self.unfinished)
        ages = [len(lived) for lived in members.values() if len(lived) < self.intervals]
        if ages:
            youngest = min(ages)
            ahead = [trial for lived in members.values() for trial in lived[youngest:]]
            for trial in [*self._latest_good(members, youngest), *ahead]:
                if trial.status == TrialStatus.COMPLETED and self.may_be_continued(trial):
                    needed.add(trial.trial_id)
        return needed

    def may_be_continued(self, trial: Trial) -> bool:
        """Tells whether the trial is not the last interval of its member."""
        return Continuation.of(trial.hyperparameters.values).generation + 1 < self.intervals

    def _start_recording(self, seed: int | None) -> None:
        super()._start_recording(seed)
        self._lived: dict[int, list[Trial]] = {m: [] for m in range(self.population_size)}
        self._placed = 0
        self._sorted: tuple[list[Trial], list[Trial]] = ([], [])

    def _members(self) -> dict[int, list[Trial]]:
        """The intervals that each member has lived; looks at new trials only."""
        for trial_id in self.start_order[self._placed :]:
            trial = self.trials[trial_id]
            member = Continuation.of(trial.hyperparameters.values).member
            self._lived.setdefault(member, []).append(trial)
            self._placed += 1
        return self._lived

    def _can_go_on(self, lived: list[Trial]) -> bool:
        return len(lived) < self.intervals and (not lived or lived[-1].status in _ENDED)

    def _standing(self, members: Mapping[int, list[Trial]], age: int) -> list[Trial]:
        """The latest good interval of each member up to an age, the best first."""
        latest = self._latest_good(members, age)
        # It is the same for all members of a generation, where nobody runs ahead.
        if latest != self._sorted[0]:
            self._sorted = latest, best_first(latest, self.objective, self._parameters)
        return self._sorted[1]

    def _latest_good(self, members: Mapping[int, list[Trial]], age: int) -> list[Trial]:
        """The latest good interval of each member up to an age."""
        latest: list[Trial] = []
        for lived in members.values():
            up_to_age = islice(reversed(lived), max(len(lived) - age, 0), None)
            latest += islice(filter(self._is_good, up_to_age), 1)
        return latest

    def _is_good(self, trial: Trial) -> bool:
        return trial.status == TrialStatus.COMPLETED and self.is_in_range(trial)

    def _start_values(self) -> dict[str, Value]:
        """Values of a new member, in a space too small for all of them those of another too."""
        values = self._random_values()
        return domain.draw(self.hyperparameters, self._stream()) if values is None else values

    def _going_on(
        self, members: Mapping[int, list[Trial]], member: int, standing: list[Trial]
    ) -> dict[str, Any]:
        """Exploits and explores where the member has fallen behind (section 4.1.1)."""
        latest = members[member][-1]
        count = min(math.ceil(self.quantile * len(standing)), len(standing) // 2)
        well = [trial.trial_id for trial in standing[: len(standing) - count]]
        if latest.trial_id in well:
            return self._running(members, member, own_values(latest.hyperparameters.values), latest)
        stream = self._stream()
        source = standing[stream.integers(max(count, 1))]
        values = explore(
            self.hyperparameters,
            own_values(source.hyperparameters.values),
            self._explored_names(),
            self.perturbation_factors,
            self.resample_probability,
            stream,
        )
        return self._running(members, member, values, source)

    def _running(
        self,
        members: Mapping[int, list[Trial]],
        member: int,
        values: dict[str, Value],
        source: Trial | None = None,
    ) -> dict[str, Any]:
        begin = Continuation.of(source.hyperparameters.values).epochs if source else 0
        place = Continuation(
            member=member,
            generation=len(members[member]),
            initial_epoch=begin,
            epochs=min(begin + self.ready_interval, self.max_epochs),
            trial_id=source.trial_id if source else None,
        )
        return {"status": TrialStatus.RUNNING, "values": values | place.values()}

    def _explored_names(self) -> set[str]:
        if self.perturb is not None:
            return set(self.perturb)
        return {hp.name for hp in self.hyperparameters.space if isinstance(hp, Float)}

    def _check_perturb(self) -> None:
        known = [hyperparameter.name for hyperparameter in self.hyperparameters.space]
        unknown = [name for name in self.perturb or [] if name not in known]
        if unknown:
            raise ValueError(
                f"perturb={self.perturb!r} names {', '.join(map(repr, unknown))}, which is no "
                f"hyperparameter of this search. Those are {', '.join(known) or 'none yet'}."
            )


def _check_share(name: str, value: Any, highest: float) -> None:
    if not is_number(value) or not 0 <= value <= highest:
        raise ValueError(f"{name}={value!r} is not allowed; give a number from 0 to {highest}.")


def _check_factors(factors: Any) -> None:
    numbers = list(factors) if isinstance(factors, Sequence | np.ndarray) else []
    if not numbers or not all(is_number(factor) and 0 < factor != 1 for factor in numbers):
        raise ValueError(
            f"perturbation_factors={factors!r} is not allowed; give positive numbers other than 1, "
            "such as (0.8, 1.2)."
        )


def _check_perturb(perturb: Any) -> None:
    names = perturb if isinstance(perturb, list | tuple | set | frozenset) else [perturb]
    if perturb is not None and not all(isinstance(name, str) for name in names):
        raise ValueError(
            f"perturb={perturb!r} is not allowed; give the name of a hyperparameter, a list of "
            "names, or None for all hp.Float."
        )


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
            choice moves to a neighbor at least.
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
        lived = [t.hyperparameters.values for t in lineage(self.oracle.trials, best[0])]
        parts = [(Continuation.of(values), own_values(values)) for values in lived]
        return [(part.initial_epoch, part.epochs, values) for part, values in parts]
