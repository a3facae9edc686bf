"""What the plots read from a search: its trials, its objective and its best trial."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from scipy.stats import rankdata

from kt_hpo.formatting import number
from kt_hpo.record.best import best_first, best_so_far
from kt_hpo.record.studies import trials_to_show
from kt_hpo.space.continuation import reserved_values
from kt_hpo.space.names import short_names


@dataclass(frozen=True)
class Search:
    """The trials of a search, seen through its first objective.

    Args:
        study: `optuna.Study`. The record.
        trials: Tuple of `optuna.trial.FrozenTrial`, by number.
        objectives: Tuple of strings, the objectives' names.
        maximized: Tuple of booleans, of which objectives more is better.

    Example:
        >>> study = optuna.create_study(direction="maximize")
        >>> study.add_trial(optuna.create_trial(value=0.9))
        >>> Search.of(study).best().value
        0.9
    """

    study: optuna.Study
    trials: tuple[FrozenTrial, ...]
    objectives: tuple[str, ...]
    maximized: tuple[bool, ...]

    @classmethod
    def of(cls, tuner_or_study: Any) -> Search:
        """Read a tuner's record, or a study.

        Args:
            tuner_or_study: An object with a `study`, an `optuna.Study`, or a `Search`.

        Returns:
            The `Search`.

        Raises:
            TypeError: If it is neither.
        """
        if isinstance(tuner_or_study, cls):
            return tuner_or_study
        study = getattr(tuner_or_study, "study", tuner_or_study)
        if not isinstance(study, optuna.Study):
            raise TypeError(
                f"Expected a tuner or an optuna.Study to plot, got {type(tuner_or_study).__name__}"
                ". kt_hpo.open_study(path) opens the study of a search's folder."
            )
        return cls(
            study=study,
            trials=tuple(trials_to_show(study)),
            objectives=tuple(study.metric_names or _unnamed(len(study.directions))),
            maximized=tuple(d == StudyDirection.MAXIMIZE for d in study.directions),
        )

    def thinned(self, most: int) -> Search:
        """Return the search with fewer trials, where a drawing of all of them is a blot.

        Args:
            most: Integer, how many trials it should have, about.

        Returns:
            The `Search` itself, if it has no more. Else one of its best trials and as many others,
            spread evenly over it; those that were the best so far are among them.

        Example:
            >>> study = optuna.create_study()
            >>> study.add_trials([optuna.create_trial(value=float(i)) for i in range(9)])
            >>> [trial.number for trial in Search.of(study).thinned(4).trials]
            [0, 1, 2, 8]
        """
        if len(self.trials) <= most:
            return self
        kept = {trial.number for trial in best_first(self.study, self.finished(), most // 2)}
        kept |= {best.number for best in best_so_far(self.study, self.finished()).values()}
        others = [trial.number for trial in self.trials if trial.number not in kept]
        places = np.linspace(0, len(others) - 1, max(most - len(kept), 1)).astype(int)
        kept |= {others[place] for place in places if others}
        return replace(self, trials=tuple(t for t in self.trials if t.number in kept))

    @property
    def objective(self) -> str:
        """The first objective's name."""
        return self.objectives[0]

    @property
    def maximize(self) -> bool:
        """Whether more is better of the first objective."""
        return self.maximized[0]

    @property
    def n_objectives(self) -> int:
        """How many objectives the search has."""
        return len(self.objectives)

    @property
    def label(self) -> str:
        """The objective's name for an axis, saying so when there are others."""
        others = "" if self.n_objectives == 1 else f" (first of {self.n_objectives} objectives)"
        return self.objective + others

    @cached_property
    def short_names(self) -> dict[str, str]:
        """What each hyperparameter is called in a figure, by its name in the record."""
        return short_names(name for trial in self.trials for name in trial.distributions)

    def short_name(self, name: str) -> str:
        """Return what a hyperparameter is called in a figure.

        Args:
            name: String, its name in the record.

        Returns:
            Its own name, with the condition it is under only where two have the same.

        Example:
            >>> Search.of(optuna.create_study()).short_name("rate")
            'rate'
        """
        return self.short_names.get(name, name)

    def with_state(self, state: TrialState) -> list[FrozenTrial]:
        """Return the trials that are in one state.

        Args:
            state: `optuna.trial.TrialState`. The state.

        Returns:
            List of `optuna.trial.FrozenTrial`.
        """
        return [trial for trial in self.trials if trial.state == state]

    def value(self, trial: FrozenTrial) -> float:
        """Return a trial's objective, or the last it reported, NaN where there is none to draw.

        Args:
            trial: `optuna.trial.FrozenTrial`. The trial.

        Returns:
            A finite float or NaN.
        """
        if trial.values:
            return _drawable(trial.values[0])
        reported = trial.intermediate_values
        return _drawable(reported[max(reported)]) if reported else math.nan

    def values(self, trials: Iterable[FrozenTrial]) -> np.ndarray:
        """Return the objective of several trials.

        Args:
            trials: Iterable of `optuna.trial.FrozenTrial`.

        Returns:
            Array of floats, finite or NaN.
        """
        return np.array([self.value(trial) for trial in trials], dtype=float)

    def goodness(self, trials: Iterable[FrozenTrial]) -> np.ndarray:
        """Return where trials rank among each other, however far their objectives spread.

        Args:
            trials: Iterable of `optuna.trial.FrozenTrial` with a finite objective.

        Returns:
            Array of floats from 0, the worst, to 1, the best.
        """
        values = self.values(trials)
        ranks = rankdata(values if self.maximize else -values) - 1
        return ranks / max(len(ranks) - 1, 1) if len(ranks) > 1 else np.ones(len(ranks))

    def without_value(self) -> list[FrozenTrial]:
        """Return the trials that failed, or that completed without a finite objective.

        Returns:
            List of `optuna.trial.FrozenTrial`.
        """
        complete = self.with_state(TrialState.COMPLETE)
        diverged = [trial for trial in complete if math.isnan(self.value(trial))]
        return self.with_state(TrialState.FAIL) + diverged

    def finished(self) -> list[FrozenTrial]:
        """Return the complete trials that have a finite objective.

        Returns:
            List of `optuna.trial.FrozenTrial`.
        """
        complete = self.with_state(TrialState.COMPLETE)
        return [trial for trial in complete if not math.isnan(self.value(trial))]

    def pruned(self) -> list[FrozenTrial]:
        """Return the pruned trials that have reported a finite value.

        Returns:
            List of `optuna.trial.FrozenTrial`.
        """
        pruned = self.with_state(TrialState.PRUNED)
        return [trial for trial in pruned if not math.isnan(self.value(trial))]

    def best(self) -> FrozenTrial | None:
        """Return the best of the finished trials that keep the constraints.

        Returns:
            The `optuna.trial.FrozenTrial`, or None where there is none; see `kt_hpo.record.best`.
        """
        return next(iter(best_first(self.study, self.finished(), 1)), None)

    def best_in_words(self) -> str:
        """Return which trial is the best, and its objective; nothing where there is none.

        With several objectives it is the one of the Pareto front with the best sum of them, which
        need not be the best in the first.

        Returns:
            A string.
        """
        best = self.best()
        if best is None:
            return ""
        score = number(self.value(best))
        if self.n_objectives > 1:
            return f"trial {best.number} has the best sum of objectives: {score}"
        return f"best: {score} in trial {best.number}"

    def curve(self, trial: FrozenTrial) -> dict[int, float]:
        """Return the objective by epoch: what was reported, else the history's mean.

        Args:
            trial: `optuna.trial.FrozenTrial`. The trial.

        Returns:
            Dict of epoch to a finite float or NaN, in the order of epochs.
        """
        curve: Mapping[int, float] = trial.intermediate_values or self._mean_history(trial)
        return {epoch: _drawable(curve[epoch]) for epoch in sorted(curve)}

    def _mean_history(self, trial: FrozenTrial) -> dict[int, float]:
        """Average the objective's history over the executions that reached each epoch."""
        by_epoch: dict[int, list[float]] = {}
        for execution in trial.user_attrs.get("history") or []:
            values = execution.get(self.objective, [])
            for epoch, value in zip(
                execution.get("epoch", range(len(values))), values, strict=False
            ):
                if value is not None:  # This epoch did not measure it.
                    by_epoch.setdefault(epoch, []).append(value)
        return {epoch: float(np.mean(values)) for epoch, values in by_epoch.items()}


def searches_of(tuner_or_study: Any) -> list[Search]:
    """Read a search, or several to compare.

    Args:
        tuner_or_study: A tuner, an `optuna.Study`, a `Search`, or a sequence of these.

    Returns:
        List of `Search`, at least one.

    Raises:
        TypeError: If there is neither a tuner nor a study.
        ValueError: If the sequence is empty, or objectives have different names or directions.

    Example:
        >>> len(searches_of([optuna.create_study(), optuna.create_study()]))
        2
    """
    several = isinstance(tuner_or_study, Sequence)
    searches = [Search.of(each) for each in (tuner_or_study if several else [tuner_or_study])]
    if not searches:
        raise ValueError("There is no search to plot: the sequence is empty.")
    kinds = dict.fromkeys(f"{s.objective} ({'max' if s.maximize else 'min'})" for s in searches)
    if len(kinds) > 1:
        raise ValueError(
            f"The searches have different objectives: {', '.join(kinds)}. Compare those of one."
        )
    return searches


def names_of(searches: Sequence[Search]) -> list[str]:
    """Return a name for each of several searches.

    Args:
        searches: Sequence of `Search`.

    Returns:
        List of strings: the names of the studies, with numbers behind those that are the same.

    Example:
        >>> studies = [optuna.create_study(study_name="demo") for _ in range(2)]
        >>> names_of([Search.of(study) for study in studies])
        ['demo 1', 'demo 2']
    """
    names = [search.study.study_name for search in searches]
    return [
        f"{name} {index + 1}" if names.count(name) > 1 else name for index, name in enumerate(names)
    ]


def place_of(trial: FrozenTrial) -> dict[str, Any]:
    """Return where a trial stands in its search: its bracket and rung, or its member and interval.

    Args:
        trial: `optuna.trial.FrozenTrial`. The trial.

    Returns:
        Dict of names without their `tuner/`, such as `bracket`, to values.

    Example:
        >>> place_of(optuna.create_trial(value=1.0, user_attrs={"values": {"tuner/round": 2}}))
        {'round': 2}
    """
    values = reserved_values(trial.user_attrs.get("values") or {})
    return {name.partition("/")[2]: value for name, value in values.items()}


def continued(trials: Iterable[FrozenTrial]) -> set[int]:
    """Return which trials another one went on from, as rounds and intervals are.

    Args:
        trials: Iterable of `optuna.trial.FrozenTrial`.

    Returns:
        Set of their numbers.

    Example:
        >>> continued([optuna.create_trial(value=1.0)])
        set()
    """
    places = map(place_of, trials)
    return {int(place["trial_id"]) for place in places if place.get("trial_id") is not None}


def line_of(trial: FrozenTrial | None, trials: Mapping[int, FrozenTrial]) -> list[FrozenTrial]:
    """Return the trials that a model went through.

    Args:
        trial: `optuna.trial.FrozenTrial` or None. The last of them.
        trials: Mapping of numbers to `optuna.trial.FrozenTrial`, those of the search.

    Returns:
        List of `optuna.trial.FrozenTrial`: the one that went on from none first, `trial` last.

    Example:
        >>> line_of(None, {})
        []
    """
    line: list[FrozenTrial] = []
    while trial is not None:
        line.insert(0, trial)
        past = place_of(trial).get("trial_id")
        trial = None if past is None else trials.get(int(past))
    return line


def _unnamed(count: int) -> list[str]:
    """Return names for objectives that have none."""
    return ["objective", *(f"objective {number}" for number in range(2, count + 1))]


def _drawable(value: float) -> float:
    """Return the value, NaN where matplotlib's arithmetic would overflow."""
    return value if abs(value) < 1e100 else math.nan
