"""Several searches side by side: how soon and how good, and what they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import optuna

from kt_hpo.formatting import duration, number
from kt_hpo.plots.best_so_far import Over, plot_best_so_far
from kt_hpo.plots.influences import influences
from kt_hpo.plots.search import Search, names_of, searches_of
from kt_hpo.record.clock import seconds, started
from kt_hpo.reports.advice import distributions
from kt_hpo.reports.charts import Chart, compared
from kt_hpo.reports.uncertainty import Uncertainty, uncertainty
from kt_hpo.reports.words import spread, value_in_words


@dataclass(frozen=True)
class Row:
    """One of the searches.

    Attributes:
        name: Its name.
        made_by: Its algorithm, if that is recorded.
        trials: How many trials it has, and how many of them are complete.
        best: Its best trial and score in words; nothing if there is none.
        trust: How far to trust that.
        training: How long its trials trained, all together.
        elapsed: How long it took.
    """

    name: str
    made_by: str
    trials: tuple[int, int]
    best: tuple[int, str] | None
    trust: Uncertainty
    training: str
    elapsed: str


def contents(studies: Sequence[optuna.Study]) -> dict[str, Any]:
    """Gathers what the page of a comparison shows.

    Args:
        studies: The records of the searches.

    Returns:
        What its template takes.

    Raises:
        ValueError: If there are none, or their objectives have different names or directions.

    Example:
        >>> contents([optuna.create_study(study_name=name) for name in "ab"])["names"]
        ['a', 'b']
    """
    searches = searches_of(list(studies))
    names = names_of(searches)
    rows = [_row(search, name) for search, name in zip(searches, names, strict=True)]
    return {
        "names": names,
        "label": searches[0].label,
        "better": "higher" if searches[0].maximize else "lower",
        "rows": rows,
        "verdict": _verdict(searches, rows),
        "charts": _charts(searches),
        "shared": _hyperparameters(searches),
    }


def _row(search: Search, name: str) -> Row:
    best = search.best()
    weights = {one.name: one.share for one in influences(search) if one.mattered}
    spans = [t for t in search.trials if started(t) and t.datetime_complete]
    starts = [begun for trial in spans if (begun := started(trial)) is not None]
    ends = [ended for trial in spans if (ended := trial.datetime_complete) is not None]
    taken = (max(ends) - min(starts)).total_seconds() if spans else None
    made_by = search.study.user_attrs.get("made_by", {})
    return Row(
        name=name,
        made_by=" · ".join(map(str, made_by.values())),
        trials=(len(search.trials), len(search.finished())),
        best=None if best is None else (best.number, number(search.value(best))),
        trust=Uncertainty(None, "") if best is None else uncertainty(search, best, weights or None),
        training=duration(sum(seconds(trial) or 0.0 for trial in spans)) if spans else "",
        elapsed="" if taken is None else duration(taken),
    )


def _verdict(searches: Sequence[Search], rows: Sequence[Row]) -> str:
    """Which search found the best, and whether that is more than the uncertainties explain."""
    found = [
        (search.value(best), row)
        for search, row in zip(searches, rows, strict=True)
        if (best := search.best()) is not None
    ]
    if len(found) < 2:
        return "There are not two searches with a completed trial to compare yet."
    found.sort(key=lambda one: one[0], reverse=searches[0].maximize)
    (score, first), (next_score, second) = found[:2]
    gap = abs(score - next_score)
    if gap == 0:
        *same, last = [row.name for value, row in found if value == score]
        return f"{', '.join(same)} and {last} found the same best, {number(score)}."
    said = f"{first.name} found the best, {number(score)}, {number(gap)} ahead of {second.name}"
    known = [row.trust.spread for row in (first, second)]
    if None in known:
        return f"{said}; how much of that is chance is not known."
    error = sum(one**2 for one in known if one is not None) ** 0.5
    if gap <= error:
        return f"{said}, which their uncertainties may explain ({spread(error)} together)."
    return f"{said}, more than their uncertainties together, {spread(error)}."


def _charts(searches: list[Search]) -> list[Chart]:
    if not any(search.finished() for search in searches):
        return []
    overs: tuple[Over, ...] = ("trials", "seconds")
    return [
        compared(f"best{index}", partial(plot_best_so_far, over=over), searches)
        for index, over in enumerate(overs)
    ]


def _hyperparameters(searches: Sequence[Search]) -> list[tuple[str, list[str], bool]]:
    """Each hyperparameter with the best value in each search, those that all have first.

    A search without it has nothing there, one whose best trial lacks it a dash.
    """
    known = [distributions(search.trials) for search in searches]
    bests = [search.best() for search in searches]
    names = dict.fromkeys(name for kinds in known for name in kinds)
    rows = [
        (
            searches[0].short_name(name),
            [
                "" if name not in kinds else _value(best, name)
                for kinds, best in zip(known, bests, strict=True)
            ],
            all(name in kinds for kinds in known),
        )
        for name in names
    ]
    return sorted(rows, key=lambda row: not row[2])


def _value(best: Any, name: str) -> str:
    return value_in_words(best.params[name]) if best is not None and name in best.params else "-"
