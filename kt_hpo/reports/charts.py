"""The figures of a report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from kt_hpo.plots import style
from kt_hpo.plots.search import Search
from kt_hpo.record.best import best_so_far, pareto_front
from kt_hpo.record.tables import objective_names
from kt_hpo.reports.advice import best_trials
from kt_hpo.reports.drawing import (
    Chart,
    Layer,
    beyond,
    dots,
    drawn,
    line,
    picked_dots,
    places,
    steps,
)
from kt_hpo.reports.scales import Scale, roomy, scale_of, value_scale
from kt_hpo.reports.words import count

# More curves than these hide each other, and make the page long to load.
MAX_CURVES = 150
MAX_FRONTS = 3

_CLASSES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.RUNNING: "running",
}


def history(search: Search) -> Chart | None:
    """Draws every trial's objective, and the best so far.

    Args:
        search: The search.

    Returns:
        The chart; None where no trial has a value.
    """
    valued = [trial for trial in search.trials if not math.isnan(search.value(trial))]
    if not valued:
        return None
    x = roomy(0, max(search.trials[-1].number, 1), whole=True)
    y = value_scale([search.value(trial) for trial in valued], search.maximize)
    layers = [_best_so_far(search, x, y)]
    for state, kind in _CLASSES.items():
        trials = [trial for trial in valued if trial.state == state]
        label = count(len(trials), f"{style.WORDS[state]} trial")
        layers.append(dots(kind, _by_number(search, trials, x, y), trials, label))
    failed = search.with_state(TrialState.FAIL)
    edge = y.low if search.maximize else y.high
    points = places(x, [trial.number for trial in failed], y, [edge] * len(failed))
    label = f"{count(len(failed), 'trial')} failed, at the edge"
    layers.append(dots("failed", points, failed, label))
    layers.append(_star(search, x, y))
    aside = beyond(y, [search.value(trial) for trial in valued])
    return Chart("Score of each trial", "trial", search.objective, x, y, drawn(layers), aside)


def learning_curves(search: Search) -> Chart | None:
    """Draws the objective by epoch: the best trial's bold, the others' faint.

    Args:
        search: The search.

    Returns:
        The chart; None where no trial has a value by epoch.
    """
    curves = {trial.number: _known(search.curve(trial)) for trial in search.trials}
    curves = {number: curve for number, curve in curves.items() if len(curve) > 1}
    if not curves:
        return None
    best = search.best()
    shown = _some(search, curves)
    values = [value for number in shown for value in curves[number].values()]
    epochs = [epoch for number in shown for epoch in curves[number]]
    x, y = roomy(min(epochs) + 1, max(epochs) + 1, whole=True), value_scale(values, search.maximize)
    looks = {t.number: f"curve {_CLASSES.get(t.state, 'failed')}" for t in search.trials}
    if best is not None:
        looks[best.number] = "bold"
    layers = [
        Layer(
            looks[number],
            line(places(x, [e + 1 for e in curve], y, list(curve.values()))),
            [number],
        )
        for number, curve in ((number, curves[number]) for number in shown)
    ]
    layers.sort(key=lambda layer: layer.kind == "bold")
    aside = "" if len(shown) == len(curves) else f"{len(shown)} of {len(curves):,} trials"
    return Chart("Learning curves", "epoch", search.objective, x, y, layers, aside)


def slices(search: Search, names: Sequence[str]) -> list[Chart]:
    """Draws the objective over each hyperparameter, with the best tenth of the trials marked.

    Args:
        search: The search.
        names: The hyperparameters.

    Returns:
        A chart a hyperparameter; none where no trial has been completed.
    """
    finished = search.finished()
    if not finished:
        return []
    y = value_scale([search.value(trial) for trial in finished], search.maximize)
    top = {trial.number for trial in best_trials(search)} if len(finished) >= 10 else set()
    charts = []
    for name in names:
        having = [trial for trial in finished if name in trial.params]
        if not having:
            continue
        x = scale_of([trial.distributions[name] for trial in having])
        points = places(x, [t.params[name] for t in having], y, [search.value(t) for t in having])
        layers = [
            picked_dots("complete", points, having, lambda t: t.number not in top, "trials"),
            picked_dots("top", points, having, lambda t: t.number in top, f"{len(top)} best"),
        ]
        aside = beyond(y, [search.value(trial) for trial in having])
        charts.append(Chart(name, "", search.objective, x, y, drawn(layers), aside))
    return charts


def sizes(search: Search) -> Chart | None:
    """Draws the objective over the number of the model's weights.

    Args:
        search: The search.

    Returns:
        The chart; None where that is not recorded, is an objective, or the same for all.
    """
    sized = [trial for trial in search.finished() if trial.user_attrs.get("parameters")]
    amounts = [trial.user_attrs["parameters"] for trial in sized]
    if len(set(amounts)) < 2 or "parameters" in (search.study.metric_names or ()):
        return None
    x = roomy(min(amounts), max(amounts), log=max(amounts) > 10 * min(amounts))
    y = value_scale([search.value(trial) for trial in sized], search.maximize)
    points = places(x, amounts, y, [search.value(trial) for trial in sized])
    layers = [dots("complete", points, sized)]
    best = search.best()
    if best in sized:
        layers.append(dots("best", [points[sized.index(best)]], [best], "best"))
    aside = beyond(y, [search.value(trial) for trial in sized])
    return Chart("Score and size", "parameters", search.objective, x, y, layers, aside)


def fronts(search: Search) -> list[Chart]:
    """Draws the objectives over each other, and the trials that no other is better than.

    Args:
        search: The search.

    Returns:
        A chart for each of the first pairs of objectives; none where there is one objective only.
    """
    finished = search.finished()
    names = objective_names(search.study)
    if search.n_objectives < 2 or not finished:
        return []
    best = {trial.number for trial in pareto_front(search.study, search.trials)}
    maximize = [way == StudyDirection.MAXIMIZE for way in search.study.directions]
    charts = []
    for i, j in list(combinations(range(search.n_objectives), 2))[:MAX_FRONTS]:
        finite = [t for t in finished if math.isfinite(t.values[i]) and math.isfinite(t.values[j])]
        if not finite:
            continue
        across, up = [t.values[i] for t in finite], [t.values[j] for t in finite]
        x, y = value_scale(across, maximize[i]), value_scale(up, maximize[j])
        points = places(x, across, y, up)
        layers = [
            picked_dots("complete", points, finite, lambda t: t.number not in best, "trials"),
            picked_dots("top", points, finite, lambda t: t.number in best, "none is better"),
        ]
        charts.append(Chart(f"{names[i]} and {names[j]}", names[i], names[j], x, y, drawn(layers)))
    return charts


def _star(search: Search, x: Scale, y: Scale) -> Layer:
    best = search.best()
    trials = [] if best is None else [best]
    return dots("best", _by_number(search, trials, x, y), trials, "best")


def _by_number(
    search: Search, trials: Sequence[FrozenTrial], x: Scale, y: Scale
) -> list[tuple[int, int]]:
    numbers = [trial.number for trial in trials]
    return places(x, numbers, y, [search.value(trial) for trial in trials])


def _best_so_far(search: Search, x: Scale, y: Scale) -> Layer:
    so_far = best_so_far(search.study, search.finished())
    if not so_far:
        return Layer("line", "")
    values = np.array([search.value(trial) for trial in so_far.values()])
    rises = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)
    numbers = [*np.array([*so_far])[rises].tolist(), search.trials[-1].number]
    points = places(x, numbers, y, [*values[rises], values[-1]])
    return Layer("line", steps(points), (), "best so far")


def _known(curve: dict[int, float]) -> dict[int, float]:
    return {epoch: value for epoch, value in curve.items() if not math.isnan(value)}


def _some(search: Search, curves: dict[int, dict[int, float]]) -> list[int]:
    """The trials to draw: of many the best, and as many of the others, spread over them."""
    if len(curves) <= MAX_CURVES:
        return list(curves)
    last = {number: list(curve.values())[-1] for number, curve in curves.items()}
    best = search.best()
    ordered = sorted(last, key=lambda number: last[number], reverse=search.maximize)
    if best is not None and best.number in curves:
        ordered.remove(best.number)
        ordered.insert(0, best.number)
    half = MAX_CURVES // 2
    rest = np.linspace(half, len(ordered) - 1, MAX_CURVES - half).astype(int)
    return [*ordered[:half], *(ordered[index] for index in rest)]
