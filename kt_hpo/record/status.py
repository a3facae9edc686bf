"""Where a search stands, read from its record by whoever looks at it from outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from kt_hpo.record import journal, tables
from kt_hpo.record.best import best_first, level, pareto_front
from kt_hpo.record.clock import started
from kt_hpo.record.counts import Counts
from kt_hpo.record.studies import find_study, is_past
from kt_hpo.space.continuation import Continuation

# The pace is that of the latest trials: of these many.
_LATEST = 50
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


@dataclass(frozen=True)
class OpenTrial:
    """A trial that runs, or that the search will take up first when it goes on.

    Attributes:
        number: Its number.
        epochs: How many epochs it has reported.
        value: The objective of the last of them; None before.
        since: When it began.
    """

    number: int
    epochs: int
    value: float | None
    since: datetime | None


@dataclass(frozen=True)
class BestTrial:
    """The best trial, or with several objectives one that no other beats in all of them.

    Attributes:
        number: Its number.
        values: Its objectives by their names.
        params: Its hyperparameters.
    """

    number: int
    values: dict[str, float]
    params: dict[str, Any]


@dataclass(frozen=True)
class SearchStatus:
    """Where a search stands.

    Attributes:
        name: The search's name.
        state: `"running"`, `"finished"`, `"stopped"` (it can go on) or, of a data base, which does
            not tell whether anyone searches, `"unfinished"`.
        counts: How many trials have ended, by how they ended.
        planned: How many there will be at most; None if nobody knows.
        epochs: Where epochs are the budget: how many are spent, and how many there are.
        best: The best trials: one, or the front of several objectives.
        level: Which trials cannot be told from the best, a sentence; empty where it stands alone.
        open: The trials that run.
        pace: Trials that end in an hour of searching; None before the first one has ended.
        left: Seconds that the others will take at this pace; None where that is not known.

    Example:
        >>> import kt_hpo
        >>> class Parabola(kt_hpo.RandomSearch):
        ...     def run_trial(self, trial):
        ...         return trial.hyperparameters.Float("x", -1, 1) ** 2
        >>> tuner = Parabola(directory="runs", project_name="p", overwrite=True)
        >>> tuner.search(verbose=0)
        >>> summary = search_status(tuner)
        >>> summary.state, summary.counts.complete, summary.planned
        ('finished', 10, 10)
    """

    name: str
    state: str
    counts: Counts
    planned: int | None
    epochs: tuple[int, int] | None
    best: list[BestTrial]
    level: str
    open: list[OpenTrial]
    pace: float | None
    left: float | None

    def as_dict(self) -> dict[str, Any]:
        """Gives all of it as JSON knows it.

        Returns:
            A dict of texts, numbers, dicts and lists.
        """
        known = asdict(self)
        for trial in known["open"]:
            trial["since"] = trial["since"] and trial["since"].isoformat()
        return known


def search_status(tuner_or_study_or_path: Any) -> SearchStatus:
    """Reads where a search stands, without disturbing it.

    Args:
        tuner_or_study_or_path: A tuner, an `optuna.Study`, or what `kt_hpo.open_study` takes.

    Returns:
        Where it stands.

    Raises:
        FileNotFoundError: If there is no search.
    """
    study, folder = find_study(tuner_or_study_or_path)
    trials = [trial for trial in study.get_trials(deepcopy=False) if not is_past(trial)]
    ended = [trial for trial in trials if trial.state in _ENDED]
    planned = study.user_attrs.get("planned_trials")
    pace = _pace(ended)
    remaining = 0 if planned is None else planned - len(ended)
    state = _state(study, folder, bool(planned) and remaining <= 0)
    return SearchStatus(
        name=study.study_name,
        state=state,
        counts=_counts(ended),
        planned=planned,
        epochs=_epochs(study, ended),
        best=_best(study, ended),
        level=level(study, tables.objective_names(study)[0]),
        open=[_open(trial) for trial in trials if trial.state == TrialState.RUNNING],
        pace=pace and pace * 3600,
        left=remaining / pace if pace and remaining > 0 and state != "finished" else None,
    )


def _state(study: optuna.Study, folder: Path, all_ended: bool) -> str:
    if folder != Path() and journal.is_claimed(folder):
        return "running"
    if study.user_attrs.get("finished") or all_ended:
        return "finished"
    # A search that is not in a folder, or has not said what it plans, is nobody's to judge.
    return "stopped" if folder != Path() and "finished" in study.user_attrs else "unfinished"


def _counts(ended: Sequence[FrozenTrial]) -> Counts:
    counts = Counts()
    for trial in ended:
        counts = counts.plus(trial.state.name)
    return counts


def _epochs(study: optuna.Study, ended: Sequence[FrozenTrial]) -> tuple[int, int] | None:
    budget = study.user_attrs.get("planned_epochs")
    if budget is None:
        return None
    parts = [Continuation.of(trial.user_attrs.get("values", {})) for trial in ended]
    return sum((part.epochs or 0) - part.initial_epoch for part in parts), budget


def _best(study: optuna.Study, ended: Sequence[FrozenTrial]) -> list[BestTrial]:
    """The best of the trials that keep the constraints."""
    several = len(study.directions) > 1
    chosen = pareto_front(study, ended) if several else best_first(study, ended, 1)
    names = tables.objective_names(study)
    return [BestTrial(t.number, dict(zip(names, t.values, strict=True)), t.params) for t in chosen]


def _open(trial: FrozenTrial) -> OpenTrial:
    reported = trial.intermediate_values
    last = trial.last_step
    value = None if last is None else reported[last]
    return OpenTrial(trial.number, 0 if last is None else last + 1, value, started(trial))


def _pace(ended: Sequence[FrozenTrial]) -> float | None:
    """Trials in a second of the time in which any of the latest ones was running."""
    spans = [(started(t), t.datetime_complete) for t in ended]
    known = sorted((end, begin) for begin, end in spans if begin is not None and end is not None)
    latest = sorted((begin, end) for end, begin in known[-_LATEST:])
    seconds, until = 0.0, datetime.min
    for begin, end in latest:
        seconds += max((end - max(begin, until)).total_seconds(), 0.0)
        until = max(until, end)
    return len(latest) / seconds if seconds else None
