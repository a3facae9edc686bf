"""Which trials no other beats in every objective."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from optuna.trial import FrozenTrial

from kt_hpo.constraints import keeps
from kt_hpo.plots import marks, ranges, style
from kt_hpo.plots.parallel_coordinates import ABSENT, draw_axes, draw_lines
from kt_hpo.plots.scale import Scale
from kt_hpo.plots.search import Search
from kt_hpo.record.best import on_front


@style.styled()
def plot_pareto_front(tuner_or_study: Any, ax: Axes | None = None) -> Axes:
    """Plot the objectives of all complete trials, those of the Pareto front in dark blue.

    Two objectives span a plane, where the front is a staircase and what it dominates is shaded.
    More are parallel axes, better up, a line a trial. Trials that break a constraint are crosses,
    or left out.

    Args:
        tuner_or_study: A tuner, or an `optuna.Study`, of several objectives.
        ax: `matplotlib.axes.Axes` or None. Where to draw; a new figure if None.

    Returns:
        The `matplotlib.axes.Axes`.

    Raises:
        TypeError: If the first argument is neither a tuner nor a study.

    Example:
        >>> import optuna
        >>> study = optuna.create_study(directions=["minimize", "maximize"])
        >>> study.optimize(lambda trial: [trial.suggest_float("x", 0, 1)] * 2, n_trials=5)
        >>> plot_pareto_front(study).get_title(loc="right")
        '5 of 5 trials on the front'
    """
    search, ax = Search.of(tuner_or_study), style.axes_of(ax)
    style.dress(ax, "Pareto front", grid="both" if search.n_objectives == 2 else None)
    if search.n_objectives == 1:
        return style.say(ax, "One objective has a best trial, not a front.")
    trials = [t for t in search.finished() if np.isfinite(t.values).all()]
    kept = [trial for trial in trials if keeps(trial.constraints)]
    if not kept:
        broken = f"None of {len(trials)} complete trials keeps the constraints."
        return style.say(ax, broken if trials else "No trial has been completed yet.")
    values, signs = _values(kept), np.where(search.maximized, -1.0, 1.0)
    front = on_front(values * signs)
    if search.n_objectives == 2:
        _draw_plane(ax, search, kept, front, signs)
        _draw_broken(ax, [trial for trial in trials if not keeps(trial.constraints)])
    else:
        _draw_parallel(ax, search, kept, front)
    style.finish(ax, f"{front.sum():,} of {len(trials):,} trials on the front")
    return ax


def _values(trials: list[FrozenTrial]) -> np.ndarray:
    """Return the objectives, of shape `(trials, objectives)`."""
    return np.array([trial.values for trial in trials], dtype=float)


def _draw_plane(
    ax: Axes, search: Search, trials: list[FrozenTrial], front: np.ndarray, signs: np.ndarray
) -> None:
    """Draw two objectives as dots, with the front as a staircase."""
    values = _values(trials)
    axes: tuple[Literal["x", "y"], ...] = ("x", "y")
    for index, which in enumerate(axes):
        maximize = search.maximized[index]
        ranges.fit_value_axis(
            ax, values[:, index], maximize, which, values[front, index], search.objectives[index]
        )
        better = "higher" if maximize else "lower"
        ax.set(**{f"{which}label": f"{search.objectives[index]}, {better} is better"})
    size = float(np.clip(3000 / len(values), 8, 30))
    _draw_dots(
        ax,
        _picked(trials, ~front & _shown(ax, values)),
        s=size,
        c=style.SKY,
        alpha=0.8 if len(values) < 300 else 0.45,
        edgecolors="white",
        linewidths=0.5 if len(values) < 300 else 0,
        label=f"{(~front).sum():,} dominated",
        zorder=2.4,
    )
    on_it = _picked(trials, front)
    order = np.argsort(signs[0] * values[front, 0], kind="stable")
    best = values[front][order]
    # From the worse end of the second objective down the stairs to that of the first.
    worse = [ax.get_xlim()[int(signs[0] > 0)], ax.get_ylim()[int(signs[1] > 0)]]
    stairs = np.array([[best[0, 0], worse[1]], *best, [worse[0], best[-1, 1]]])
    x, y = stairs.T
    ax.plot(x, y, drawstyle="steps-post", color=style.accent(ax), linewidth=1.6, zorder=2.6)
    ax.fill_between(x, y, worse[1], step="post", color=style.accent(ax), alpha=0.07, linewidth=0)
    _draw_dots(
        ax,
        [on_it[place] for place in order],
        s=max(size, 24),
        c=style.accent(ax),
        edgecolors="white",
        linewidths=0.7,
        label=f"{len(best):,} on the front",
        zorder=3,
    )


def _draw_broken(ax: Axes, trials: list[FrozenTrial]) -> None:
    """Draw the trials that break a constraint."""
    if trials:
        label = f"{len(trials):,} break a constraint"
        shown = _picked(trials, _shown(ax, _values(trials)))
        _draw_dots(ax, shown, marker="x", s=18, lw=0.9, c=style.GRAY, label=label)


def _picked(trials: list[FrozenTrial], which: np.ndarray) -> list[FrozenTrial]:
    return [trial for trial, is_one in zip(trials, which, strict=True) if is_one]


def _shown(ax: Axes, values: np.ndarray) -> np.ndarray:
    """Tell which trials are within the axes, by their objectives."""
    ends = np.sort([ax.get_xlim(), ax.get_ylim()], axis=1)
    return np.all((values >= ends[:, 0]) & (values <= ends[:, 1]), axis=1)


def _draw_dots(ax: Axes, trials: list[FrozenTrial], **look: Any) -> None:
    x, y = _values(trials).reshape(-1, 2).T
    ax.scatter(x, y, gid=marks.group_id("dots", trials), **look)


def _draw_parallel(ax: Axes, search: Search, trials: list[FrozenTrial], front: np.ndarray) -> None:
    """Draw the objectives side by side, better up, the front over all others."""
    values = _values(trials)
    scales, heights, downward = [], [], []
    for index, name in enumerate(search.objectives):
        maximize = search.maximized[index]
        low, high, log = ranges.value_range(values[:, index], maximize, name)
        low, high = min(low, *values[front, index]), max(high, *values[front, index])
        scale = Scale(name, low, high, log=log)
        unit = scale.unit(np.clip(values[:, index], low, high))
        heights.append(unit if maximize else 1 - unit)
        scales.append(scale)
        downward += [] if maximize else [index]
    nodes = np.array(heights).T
    for which, goodness, word in ((~front, 0.2, "dominated"), (front, 0.75, "on the front")):
        gid = marks.group_id("lines", _picked(trials, which))
        label = f"{which.sum():,} {word}"
        draw_lines(ax, nodes[which], np.full(which.sum(), goodness), label, gid)
    draw_axes(ax, scales, downward)
    ax.set_ylim(bottom=ABSENT / 3)
