"""Which values of each hyperparameter were good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from kt_hpo.plots import marks, ranges, style
from kt_hpo.plots.importances import by_importance, say_left_out
from kt_hpo.plots.panels import BELOW, panels_in, share_vertical
from kt_hpo.plots.scale import LINE, Scale, chosen, scales
from kt_hpo.plots.search import Search

MAX_PANELS, COLUMNS = 6, 3
# Inches between columns, where the ticks of two panels meet.
BETWEEN = 0.34


@style.styled()
def plot_slice(
    tuner_or_study: Any, ax: Axes | None = None, *, hyperparameters: Sequence[str] | None = None
) -> Axes:
    """Plot the objective over each hyperparameter, a panel each; later trials are darker.

    Pruned trials are hollow, at the last value they reported. Crosses at the worse edge are trials
    that failed, triangles those worse than the axis shows, which is fitted to the completed ones.
    Trials that still run are left out.

    Args:
        tuner_or_study: A tuner, or an `optuna.Study`.
        ax: `matplotlib.axes.Axes` or None. Where to draw; a new figure if None.
        hyperparameters: Sequence of strings or None. Their names; the six most important if None,
            three where the axes are not tall enough for two rows.

    Returns:
        The `matplotlib.axes.Axes`, the panels within it.

    Raises:
        TypeError: If the first argument is neither a tuner nor a study.
        ValueError: If a name is none of a hyperparameter that varies.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
        >>> [panel.get_xlabel() for panel in plot_slice(study).child_axes]
        ['x']
    """
    search = Search.of(tuner_or_study)
    ranked = [*scales(search).values()] if hyperparameters else by_importance(search)
    fitting = MAX_PANELS if ax is None or _is_tall(ax) else COLUMNS
    shown = chosen(ranked, hyperparameters) if hyperparameters else ranked[:fitting]
    ax = style.axes_of(ax, height=4.2 if len(shown) <= COLUMNS else 5.2)
    style.dress(ax, "Slices", grid=None)
    finished = search.finished()
    if not finished or not shown:
        none = "The trials have no hyperparameters." if search.trials else "No trials yet."
        return style.say(ax, none if not shown else "No trial has a value yet.")
    panels = panels_in(ax, len(shown), COLUMNS, between=BETWEEN, below=_below(ax, shown))
    for panel, scale in zip(panels, shown, strict=True):
        draw_slice(panel, search, scale)
    _name_marks(ax, search)
    better = "higher" if search.maximize else "lower"
    share_vertical(panels, f"{search.label}\n{better} is better")
    aside = "" if hyperparameters else say_left_out(search, len(ranked) - len(shown))
    style.finish(ax, aside, key=("first trials", "last"))
    return ax


def _name_marks(ax: Axes, search: Search) -> None:
    """Say in the legend what is drawn besides dots."""
    if pruned := search.pruned():
        look: dict[str, Any] = {"facecolors": "none", "edgecolors": style.ORANGE}
        ax.scatter([], [], s=18, marker="D", label=f"{len(pruned):,} pruned", **look)
    if failed := search.without_value():
        color, label = style.VERMILLION, f"{len(failed):,} without a value"
        ax.scatter([], [], s=18, marker="x", linewidths=1.2, color=color, label=label)


def _is_tall(ax: Axes) -> bool:
    """Tell whether two rows of panels fit into the axes."""
    return ax.get_window_extent().height / ax.figure.dpi > 3.6


def _below(ax: Axes, shown: list[Scale]) -> float:
    """Return the inches that ticks and names take below each row of panels."""
    columns = min(len(shown), COLUMNS)
    width = ax.get_window_extent().width / ax.figure.dpi
    inches = (width - (columns - 1) * BETWEEN) / columns
    return BELOW + LINE * (max(scale.lines_below(inches) for scale in shown) - 2)


def draw_slice(ax: Axes, search: Search, scale: Scale) -> None:
    """Draw the objective over one hyperparameter, of the trials that have it.

    Args:
        ax: `matplotlib.axes.Axes`. The axes, dressed.
        search: The `Search`.
        scale: The hyperparameter's `Scale`.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
        >>> draw_slice(style.axes_of(None), Search.of(study), Scale("x", 0, 1))
    """
    ranges.fit_objective(ax, search, search.values(search.finished()))
    finished, pruned, failed = (
        [trial for trial in trials if scale.name in trial.params]
        for trials in (search.finished(), search.pruned(), search.without_value())
    )
    values, places = search.values(finished), scale.places(finished)
    crowd = max(len(finished), 1)
    age = np.array([trial.number for trial in finished]) / max(search.trials[-1].number, 1)
    marks.dots(
        ax,
        places,
        values,
        finished,
        c=style.goodness(ax)(0.15 + 0.85 * age),
        s=float(np.clip(2500 / crowd, 6, 24)),
        linewidths=0.5 if crowd < 300 else 0,
        edgecolors="white",
        alpha=0.9 if crowd < 300 else 0.6,
        zorder=2.5,
    )
    if pruned:
        size = float(np.clip(1600 / len(search.trials), 6, 16))
        last = search.values(pruned)
        marks.pruned(ax, scale.places(pruned), last, pruned, search.maximize, size=size)
    off = [t for t, is_off in zip(finished, marks.off_scale(ax, values), strict=True) if is_off]
    for trials, marker, color in (
        (off, "v" if search.maximize else "^", style.GRAY),
        (failed, "x", style.VERMILLION),
    ):
        places = scale.places(trials)
        marks.at_worse_edge(ax, places, trials, search.maximize, marker, color, size=14)
    best = search.best()
    if best is not None and scale.name in best.params:
        marks.star(ax, float(scale.places([best])[0]), search.value(best), best, size=110)
    scale.put_on(ax, "x", count=4)
