"""How the trials learned: the objective after every epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from optuna.trial import FrozenTrial, TrialState

from kt_hpo.plots import marks, ranges, style
from kt_hpo.plots.search import Search, line_of, place_of

# More hide each other.
MAX_CURVES = 500


@style.styled()
def plot_learning_curves(tuner_or_study: Any, ax: Axes | None = None) -> Axes:
    """Plot the objective by epoch of every trial: all faint, the best one bold.

    A dot ends the curve of every trial that was pruned. Of more than 500 trials the best and others
    spread evenly over the search are drawn. A trial that went on from another, in
    Hyperband, freeze-thaw and population-based training, begins where that one ended.

    Args:
        tuner_or_study: A tuner, or an `optuna.Study`.
        ax: `matplotlib.axes.Axes` or None. Where to draw; a new figure if None.

    Returns:
        The `matplotlib.axes.Axes`.

    Raises:
        TypeError: If the first argument is neither a tuner nor a study.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.add_trial(optuna.create_trial(value=1.0, intermediate_values={0: 2.0, 1: 1.0}))
        >>> plot_learning_curves(study).get_xlabel()
        'epoch'
    """
    search, ax = Search.of(tuner_or_study), style.axes_of(ax)
    style.dress(ax, "Learning curves", "epoch", search.label)
    count = len(search.trials)
    shown = search.thinned(MAX_CURVES)
    curves = _curves(search)
    heights = np.concatenate([points[:, 1] for points in curves.values()] or [np.empty(0)])
    heights = heights[~np.isnan(heights)]
    if not heights.size:
        return style.say(ax, "No values by epoch were recorded.")
    ranges.fit_objective(ax, search, heights)
    for state in style.COLORS:
        _draw_faint(ax, state, shown.with_state(state), curves)
    named = _draw_best(ax, search, curves)
    if len(shown.trials) < count:
        named = f"{len(shown.trials):,} of {count:,} trials, {named}".removesuffix(", ")
    ax.autoscale_view(scaley=False)
    ranges.whole_numbers(ax)
    style.finish(ax, named, style.accent(ax))
    return ax


def _curves(search: Search) -> dict[int, np.ndarray]:
    """Return the curve of each trial, from the end of the one it went on from."""
    curves = {trial.number: _points(search.curve(trial)) for trial in search.trials}
    joined = dict(curves)
    for trial in search.trials:
        past = curves.get(int(place_of(trial).get("trial_id", -1)))
        if past is not None and len(past) and len(curves[trial.number]):
            joined[trial.number] = np.vstack([past[-1:], curves[trial.number]])
    return joined


def _points(curve: dict[int, float]) -> np.ndarray:
    """Return a curve as an array of (epoch, value) rows, cut after its last value."""
    points = np.array(list(curve.items()), dtype=float).reshape(-1, 2)
    known = np.flatnonzero(~np.isnan(points[:, 1]))
    return points[: known[-1] + 1] if known.size else points[:0]


def _draw_faint(
    ax: Axes, state: TrialState, trials: list[FrozenTrial], by_number: dict[int, np.ndarray]
) -> None:
    """Draw the curves of the trials in one state, fainter the more and the longer they are."""
    trials = [trial for trial in trials if len(by_number[trial.number])]
    curves = [by_number[trial.number] for trial in trials]
    if not curves:
        return
    look: dict[str, Any] = {"color": style.COLORS[state]}
    alpha = float(np.clip(400 / sum(map(len, curves)), 0.08, 0.6))
    label = f"{len(curves):,} {style.WORDS[state]}"
    gid = marks.group_id("lines", trials)
    ax.add_collection(
        LineCollection(curves, lw=1.0, alpha=alpha, label=label, zorder=2, gid=gid, **look)
    )
    # A curve of one epoch has no line, and where a pruned one ends is what matters.
    dotted = [points for points in curves if len(points) == 1 or state == TrialState.PRUNED]
    if dotted:
        epochs, values = np.array([points[-1] for points in dotted]).T
        look |= {"s": float(np.clip(2000 / len(dotted), 6, 14)), "linewidths": 0, "zorder": 2.2}
        alpha = float(np.clip(60 / len(dotted), 0.3, 0.9))
        heights = np.clip(values, *ax.get_ylim())
        ax.scatter(epochs, heights, alpha=alpha, clip_on=False, **look)


def _draw_best(ax: Axes, search: Search, curves: dict[int, np.ndarray]) -> str:
    """Draw the best trial's curve, and those it went on from, over all others; return its name."""
    best = search.best()
    if best is None or not len(curves[best.number]):
        return ""
    by_number = {trial.number: trial for trial in search.trials}
    way = [curves[trial.number] for trial in line_of(best, by_number)]
    epochs, values = np.concatenate(way).T
    gid = marks.group_id("lines", [best])
    look: dict[str, Any] = {"color": style.accent(ax), "zorder": 3}
    ax.plot(epochs, values, linewidth=2.2, solid_capstyle="round", gid=gid, **look)
    ax.plot(epochs[-1], values[-1], marker="o", markersize=5, **look)
    return f"best: trial {best.number}"
