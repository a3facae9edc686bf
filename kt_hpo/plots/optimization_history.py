"""How the search went: every trial's objective and the best so far."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from optuna.trial import FrozenTrial, TrialState

from kt_hpo.formatting import number
from kt_hpo.plots import marks, ranges, style
from kt_hpo.plots.search import Search
from kt_hpo.record.best import best_so_far

# Shapes differ as well as colors, for print without color; pruned ones are hollow diamonds.
MARKERS = {TrialState.COMPLETE: "o", TrialState.RUNNING: "s"}


@style.styled()
def plot_optimization_history(tuner_or_study: Any, ax: Axes | None = None) -> Axes:
    """Plot every trial's objective as a dot, and the best so far as a line.

    The axis is fitted to the completed trials. A trial that was pruned or still runs is drawn at
    the last value it reported, hollow, or as a triangle at the worse edge where that is worse than
    the axis shows. Failed trials, and those whose objective is not finite, are crosses there.

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
        >>> study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
        >>> plot_optimization_history(study).get_xlabel()
        'trial'
    """
    search, ax = Search.of(tuner_or_study), style.axes_of(ax)
    better = "higher" if search.maximize else "lower"
    style.dress(ax, "Optimization history", "trial", f"{search.label}, {better} is better")
    shown = {state: _shown(search, state) for state in MARKERS}
    pruned = search.pruned()
    known = shown[TrialState.COMPLETE] or [*pruned, *shown[TrialState.RUNNING]]
    if known:
        ranges.fit_objective(ax, search, search.values(known))
    elif not search.without_value():
        return style.say(ax, "No trial has a value yet." if search.trials else "No trials yet.")
    else:
        ax.set(yticks=[], ylim=(0, 1))
    for state, trials in shown.items():
        _draw_dots(ax, search, state, trials)
    if pruned:
        _draw_pruned(ax, search, pruned)
    _draw_failed(ax, search)
    _draw_off_scale(ax, search, [trial for trials in shown.values() for trial in trials])
    named = _draw_best(ax, search)
    ranges.whole_numbers(ax)
    style.finish(ax, named, style.accent(ax))
    return ax


def _shown(search: Search, state: TrialState) -> list[FrozenTrial]:
    """Return the trials of one state that have a value to draw."""
    trials = search.with_state(state)
    return [trial for trial in trials if not np.isnan(search.value(trial))]


def _draw_dots(ax: Axes, search: Search, state: TrialState, trials: list[FrozenTrial]) -> None:
    """Draw the trials of one state, smaller the more there are."""
    if not trials:
        return
    crowd = len(trials)
    marks.dots(
        ax,
        [trial.number for trial in trials],
        search.values(trials),
        trials,
        s=float(np.clip(3000 / crowd, 9, 30)),
        linewidths=0.8 if crowd < 300 else 0.6,
        alpha=0.9 if crowd < 300 else 0.6,
        label=f"{len(trials):,} {style.WORDS[state]}",
        zorder=2.5,
        marker=MARKERS[state],
        facecolors=style.SKY if state == TrialState.COMPLETE else "none",
        edgecolors=style.accent(ax) if state == TrialState.COMPLETE else style.COLORS[state],
    )


def _draw_pruned(ax: Axes, search: Search, pruned: list[FrozenTrial]) -> None:
    """Draw the pruned trials, and count those that the axis does not show."""
    values = search.values(pruned)
    off = int(marks.off_scale(ax, values).sum())
    size = float(np.clip(2400 / len(search.trials), 9, 26))
    triangle = "▽" if search.maximize else "△"
    label = f"{len(pruned):,} pruned" + (f", {off:,} {triangle}" if off else "")
    numbers = [trial.number for trial in pruned]
    marks.pruned(ax, numbers, values, pruned, search.maximize, label, size)


def _draw_off_scale(ax: Axes, search: Search, trials: list[FrozenTrial]) -> None:
    """Point at the trials that are worse than the axis shows."""
    is_off = marks.off_scale(ax, search.values(trials))
    off = [trial for trial, one in zip(trials, is_off, strict=True) if one]
    if off:
        marker = "v" if search.maximize else "^"
        _draw_at_edge(ax, search, off, marker, style.GRAY, "off scale")


def _draw_failed(ax: Axes, search: Search) -> None:
    """Mark the trials without a value."""
    failed = search.without_value()
    if failed:
        word = "failed" if len(failed) == len(search.with_state(TrialState.FAIL)) else "no value"
        color = style.COLORS[TrialState.FAIL]
        _draw_at_edge(ax, search, failed, "x", color, word)


def _draw_at_edge(
    ax: Axes, search: Search, trials: list[FrozenTrial], marker: str, color: str, word: str
) -> None:
    numbers, label = [trial.number for trial in trials], f"{len(trials):,} {word}"
    marks.at_worse_edge(ax, numbers, trials, search.maximize, marker, color, label)


def _draw_best(ax: Axes, search: Search) -> str:
    """Draw the best so far as steps, and return the words about the best."""
    best, so_far = search.best(), best_so_far(search.study, search.finished())
    if best is None:
        return ""
    values = [search.value(trial) for trial in so_far.values()]
    ax.plot(
        [*so_far, search.trials[-1].number],
        [*values, values[-1]],
        drawstyle="steps-post",
        color=style.accent(ax),
        linewidth=1.8,
        solid_capstyle="round",
        zorder=2.8,
    )
    marks.star(ax, best.number, search.value(best), best)
    if search.n_objectives > 1:
        return f"best {search.objective} so far: {number(values[-1])}"
    return f"best so far: {number(values[-1])} in trial {best.number}"
