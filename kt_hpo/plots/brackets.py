"""How Hyperband let trials go on: its brackets, rung by rung."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator
from optuna.trial import FrozenTrial

from kt_hpo.formatting import number
from kt_hpo.plots import marks, ranges, style
from kt_hpo.plots.panels import panels_in, share_vertical
from kt_hpo.plots.search import Search, line_of, place_of

MAX_COLUMNS = 5
# Inches between two numbers.
ROOM = 0.24


@style.styled()
def plot_brackets(tuner_or_study: Any, ax: Axes | None = None) -> Axes:
    """Plot the objective of Hyperband's trials over their epochs, a panel a bracket.

    A dot is a trial at the end of its rung, and a line leads from it to the trial it went on as;
    numbers count the trials of a rung. The way of the best trial is dark. Crosses failed. The
    same bracket of several iterations is one panel.

    Args:
        tuner_or_study: A `kt_hpo.Hyperband`, or its `optuna.Study`.
        ax: `matplotlib.axes.Axes` or None. Where to draw; a new figure if None.

    Returns:
        The `matplotlib.axes.Axes`, the panels within it.

    Raises:
        TypeError: If the first argument is neither a tuner nor a study.

    Example:
        >>> import kt_hpo
        >>> class Slope(kt_hpo.Hyperband):
        ...     def run_trial(self, trial):
        ...         x = trial.hyperparameters.Float("x", 0, 1)
        ...         return x / trial.hyperparameters.values["tuner/epochs"]
        >>> tuner = Slope(max_epochs=9, directory="runs", project_name="b", overwrite=True)
        >>> tuner.search(verbose=0)
        >>> len(plot_brackets(tuner).child_axes)
        3
    """
    search, ax = Search.of(tuner_or_study), style.axes_of(ax)
    style.dress(ax, "Hyperband brackets", grid=None)
    members = [trial for trial in search.trials if "bracket" in place_of(trial)]
    if not members:
        none = "These trials have no brackets; those of kt_hpo.Hyperband do."
        return style.say(ax, none if search.trials else "No trials yet.")
    finished = [trial for trial in search.finished() if "bracket" in place_of(trial)]
    if not finished:
        return style.say(ax, "No trial has a value yet.")
    brackets = sorted({place_of(trial)["bracket"] for trial in members}, reverse=True)
    panels = panels_in(ax, len(brackets), MAX_COLUMNS, above=0.34)
    line = line_of(search.best(), {trial.number: trial for trial in search.trials})
    best_way = [trial.number for trial in line]
    for panel, bracket in zip(panels, brackets, strict=True):
        ranges.fit_objective(panel, search, search.values(finished))
        mine = [trial for trial in members if place_of(trial)["bracket"] == bracket]
        _draw(panel, search, mine, best_way)
        panel.set_title(f"bracket {bracket}", fontsize=style.NORMAL, color=style.ink(ax), pad=14)
    better = "higher" if search.maximize else "lower"
    share_vertical(panels, f"{search.label}\n{better} is better")
    promoted = sum("trial_id" in place_of(trial) for trial in members)
    style.finish(ax, f"{len(members) - promoted:,} configurations, {promoted:,} promotions")
    return ax


def _draw(ax: Axes, search: Search, members: list[FrozenTrial], best_way: list[int]) -> None:
    """Draw the trials of one bracket."""
    epochs = {trial.number: float(place_of(trial)["epochs"]) for trial in members}
    valued = [trial for trial in members if not np.isnan(search.value(trial))]
    low, high = ax.get_ylim()
    points = {t.number: (epochs[t.number], np.clip(search.value(t), low, high)) for t in valued}
    steps = {
        number: (points[past], points[number])
        for number, past in _promotions(members).items()
        if past in points and number in points
    }
    ax.add_collection(
        LineCollection(list(steps.values()), colors=style.SKY, linewidths=1.1, zorder=2)
    )
    _draw_dots(ax, list(points.values()))
    way = np.array([points[number] for number in best_way if number in points])
    if len(way):
        ax.plot(*way.T, color=style.accent(ax), linewidth=2.2, marker="o", markersize=4.5, zorder=3)
        last = next(trial for trial in valued if trial.number == best_way[-1])
        marks.star(ax, way[-1, 0], way[-1, 1], last)
    failed = [trial for trial in search.without_value() if trial.number in epochs]
    places = [epochs[trial.number] for trial in failed]
    marks.at_worse_edge(ax, places, failed, search.maximize, "x", style.VERMILLION)
    _label_rungs(ax, Counter(epochs.values()))


def _promotions(members: list[FrozenTrial]) -> dict[int, int]:
    """Return which trial each one went on from."""
    past = {trial.number: place_of(trial).get("trial_id") for trial in members}
    return {number: int(trial_id) for number, trial_id in past.items() if trial_id is not None}


def _draw_dots(ax: Axes, points: list[tuple[float, float]]) -> None:
    """Draw the trials, fainter the more there are."""
    if points:
        x, y = np.array(points).T
        ax.scatter(
            x,
            y,
            s=float(np.clip(1200 / len(points), 8, 26)),
            c=style.SKY,
            edgecolors=style.accent(ax),
            linewidths=0.6,
            alpha=float(np.clip(60 / len(points), 0.35, 0.9)),
            zorder=2.5,
        )


def _label_rungs(ax: Axes, counts: Counter[float]) -> None:
    """Put the ticks on the rungs there is room to name, each with its number of trials above."""
    rungs = sorted(counts)
    inches = ax.get_window_extent().width / ax.figure.dpi
    named = rungs[:: -math.ceil(ROOM * len(rungs) / inches)][::-1]
    ax.set_xscale("log")
    ax.set_xlim(rungs[0] / 1.5, rungs[-1] * 1.5)
    ax.xaxis.set_major_locator(FixedLocator(named))
    ax.xaxis.set_major_formatter(FixedFormatter([number(rung, 3) for rung in named]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("epochs", fontsize=style.NORMAL)
    for rung in named:
        ax.annotate(
            f"{counts[rung]:,}",
            (rung, 1.0),
            (0, 3),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            fontsize=style.SMALL - 0.5,
            color=style.GRAY,
        )
