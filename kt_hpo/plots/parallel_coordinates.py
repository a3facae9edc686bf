"""Which combinations of values were good: a line a trial, an axis a hyperparameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from optuna.trial import FrozenTrial, TrialState

from kt_hpo.plots import marks, ranges, style, text
from kt_hpo.plots.importances import by_importance, say_left_out
from kt_hpo.plots.scale import Scale, chosen, spread
from kt_hpo.plots.scale import scales as varying
from kt_hpo.plots.search import Search

MAX_AXES, MAX_LINES = 7, 1000
# Inches between two axes at least, and of a character of a name.
NARROWEST, CHARACTER = 0.7, 0.068
# Where a line passes an axis whose hyperparameter the trial does not have, or has no objective.
ABSENT = -0.13
POINTS = np.linspace(0, 1, 10)


@style.styled()
def plot_parallel_coordinates(
    tuner_or_study: Any, ax: Axes | None = None, *, hyperparameters: Sequence[str] | None = None
) -> Axes:
    """Plot trials as lines through their values, the darker the better; the best is orange.

    The most important hyperparameters are shown, seven at most, fewer where the axes are narrow,
    the most important beside the objective; up is better there. Below an axis pass the trials that
    do not have it. Of more than 1,000 trials the best hundred and an even part of the others are
    drawn. Trials that were pruned or still run are left out; those that failed are dashed.

    Args:
        tuner_or_study: A tuner, or an `optuna.Study`.
        ax: `matplotlib.axes.Axes` or None. Where to draw; a new figure if None.
        hyperparameters: Sequence of strings or None. Their names, from the left; the most important
            if None.

    Returns:
        The `matplotlib.axes.Axes`.

    Raises:
        TypeError: If the first argument is neither a tuner nor a study.
        ValueError: If a name is none of a hyperparameter that varies.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
        >>> [label.get_text() for label in plot_parallel_coordinates(study).get_xticklabels()]
        ['x', 'objective']
    """
    search, ax = Search.of(tuner_or_study), style.axes_of(ax)
    style.dress(ax, "Parallel coordinates", grid=None)
    finished, failed = search.finished(), search.without_value()
    if hyperparameters is None:
        ranked = by_importance(search)
        scales = ranked[: _fitting(ax)][::-1]
    else:
        scales = ranked = chosen([*varying(search).values()], hyperparameters)
    if not scales or not finished + failed:
        none = "The trials have no hyperparameters." if search.trials else "No trials yet."
        return style.say(ax, none if not scales else "No trial has ended yet.")
    objective = _objective_scale(search, finished)
    drawn = _some(search, finished)
    nodes = _nodes(search, scales, objective, drawn)
    draw_lines(ax, nodes, search.goodness(drawn), gid=marks.group_id("lines", drawn))
    if failed:
        _draw_failed(ax, _nodes(search, scales, objective, failed), failed)
    best = search.best()
    if best is not None:
        draw_best(ax, _nodes(search, scales, objective, [best])[0])
    draw_axes(ax, [*scales, objective], [len(scales)] if not search.maximize else [])
    if not _say_absent(ax, scales, finished + failed) and not failed:
        ax.set_ylim(bottom=-0.04)
    if left_out := len(ranked) - len(scales):
        noun = f"hyperparameter{'s' * (left_out != 1)}"
        said = say_left_out(search, left_out, noun)
        ax.set_xlabel(said, fontsize=style.SMALL, color=style.GRAY)
    style.finish(ax, search.best_in_words(), key=("worse", "better") if finished else None)
    return ax


def _fitting(ax: Axes) -> int:
    """Return how many hyperparameters the axes have room for, beside the objective."""
    inches = ax.get_window_extent().width / ax.figure.dpi
    return int(np.clip(inches / NARROWEST, 3, MAX_AXES))


def _some(search: Search, finished: list[FrozenTrial]) -> list[FrozenTrial]:
    """Return the trials to draw, the best last and so on top."""
    order = np.argsort(search.goodness(finished), kind="stable")
    sparse = order if len(order) <= MAX_LINES else order[:-100][:: len(order) // MAX_LINES + 1]
    kept = sparse if len(order) <= MAX_LINES else np.concatenate([sparse, order[-100:]])
    return [finished[index] for index in kept]


def _objective_scale(search: Search, finished: list[FrozenTrial]) -> Scale:
    """Return the scale of the objective, without far outliers."""
    if not finished:
        return Scale(search.objective, 0.0, 1.0)
    low, high, log = ranges.value_range(search.values(finished), search.maximize, search.objective)
    return Scale(search.objective, low, high, log=log)


def _nodes(
    search: Search, scales: list[Scale], objective: Scale, trials: list[FrozenTrial]
) -> np.ndarray:
    """Return the heights at which each trial passes each axis."""
    columns = []
    for scale in scales:
        heights = scale.unit(scale.numbers(trials))
        if scale.choices:
            heights += spread(trials) * min(0.06, 0.25 / len(scale.choices))
        columns.append(heights)
    values = objective.unit(np.clip(search.values(trials), objective.low, objective.high))
    columns.append(values if search.maximize else 1 - values)
    nodes = np.array(columns).T
    return np.where(np.isnan(nodes), ABSENT + 0.02 * spread(trials)[:, None], nodes)


def curves_through(nodes: np.ndarray) -> np.ndarray:
    """Return smooth lines through the heights of each row, level where they cross an axis.

    Args:
        nodes: Array of shape `(lines, axes)`.

    Returns:
        Array of points, of shape `(lines, points, 2)`.

    Example:
        >>> curves_through(np.array([[0.0, 1.0]]))[0, [0, -1]].tolist()
        [[0.0, 0.0], [1.0, 1.0]]
    """
    ease = POINTS**2 * (3 - 2 * POINTS)
    starts, ends = nodes[:, :-1, None], nodes[:, 1:, None]
    places = (np.arange(nodes.shape[1] - 1)[:, None] + POINTS).ravel()
    heights = (starts + (ends - starts) * ease).reshape(len(nodes), len(places))
    return np.stack([np.broadcast_to(places, heights.shape), heights], axis=-1)


def draw_lines(
    ax: Axes,
    nodes: np.ndarray,
    goodness: np.ndarray,
    label: str | None = None,
    gid: str | None = None,
) -> None:
    """Draw lines, the darker the better; later ones are on top.

    Args:
        ax: `matplotlib.axes.Axes`. The axes.
        nodes: Array of heights, of shape `(lines, axes)`.
        goodness: Array of floats from 0 to 1, one a line.
        label: String or None. What they are, for the legend.
        gid: String or None. Their id in an SVG image, of `marks.group_id`.

    Example:
        >>> draw_lines(style.axes_of(None), np.array([[0.0, 1.0]]), np.array([0.5]))
    """
    if not len(nodes):
        return  # A legend cannot show a line that has no color.
    crowd = len(nodes)
    colors = style.goodness(ax)(goodness)
    colors[:, 3] = np.clip(60 / crowd, 0.12, 0.8) * (0.5 + 0.5 * goodness)
    ax.add_collection(
        LineCollection(
            list(curves_through(nodes)),
            colors=colors,
            linewidths=float(np.clip(60 / crowd, 0.7, 1.4)),
            label=label,
            gid=gid,
            zorder=2,
            clip_on=False,
        )
    )


def draw_best(ax: Axes, nodes: np.ndarray) -> None:
    """Draw the best trial's line over all others.

    Args:
        ax: `matplotlib.axes.Axes`. The axes.
        nodes: Array of its heights, one an axis.

    Example:
        >>> draw_best(style.axes_of(None), np.array([0.0, 1.0]))
    """
    x, y = curves_through(nodes[None])[0].T
    for color, width in ((style.paper(ax), 4.2), (style.ORANGE, 2.4)):
        ax.plot(x, y, color=color, linewidth=width, zorder=3, clip_on=False)


def _draw_failed(ax: Axes, nodes: np.ndarray, failed: list[FrozenTrial]) -> None:
    """Draw the trials without an objective; their lines end below its axis."""
    count = sum(trial.state == TrialState.FAIL for trial in failed)
    ax.add_collection(
        LineCollection(
            list(curves_through(nodes)[-MAX_LINES:]),
            colors=style.VERMILLION,
            alpha=float(np.clip(10 / len(failed), 0.08, 0.5)),
            linewidths=0.9,
            linestyles="--" if len(failed) < 100 else "-",
            zorder=1.9,
            clip_on=False,
            label=f"{len(failed):,} {'failed' if count == len(failed) else 'no value'}",
        )
    )


def draw_axes(ax: Axes, scales: list[Scale], reversed_axes: list[int]) -> None:
    """Draw an upright axis for each scale, its values beside it and its name below.

    Args:
        ax: `matplotlib.axes.Axes`. The axes, dressed.
        scales: List of `Scale`.
        reversed_axes: Indices of those whose low end is up.

    Example:
        >>> draw_axes(style.axes_of(None), [Scale("x", 0, 1), Scale("loss", 0, 1)], [1])
    """
    ax.spines[:].set_visible(False)
    ax.set(yticks=[], xlim=(-0.02, len(scales) - 0.98), ylim=(ABSENT - 0.03, 1.03))
    ax.set_xticks(range(len(scales)), _names(ax, scales))
    ax.tick_params(axis="x", length=0, pad=6, labelsize=style.SMALL - 0.5)
    outline = style.paper(ax)
    for index, scale in enumerate(scales):
        ax.plot([index, index], [0, 1], color=style.ink(ax), linewidth=0.9, zorder=3.5)
        places, labels = scale.ticks(4)
        heights = scale.unit(np.asarray(places, dtype=float))
        heights = 1 - heights if index in reversed_axes else heights
        for height, label in zip(heights, labels, strict=True):
            ax.plot(index, height, marker="_", markersize=5, color=style.ink(ax), zorder=3.5)
            ax.annotate(
                label,
                (index, height),
                (-5 if index == 0 else 5, 0),  # Where no lines are, at the first and the last axis.
                textcoords="offset points",
                ha="right" if index == 0 else "left",
                va="center",
                fontsize=style.SMALL - 0.5,
                color=style.ink(ax),
                bbox={"boxstyle": "round,pad=0.15", "fc": outline, "ec": "none", "alpha": 0.92},
                zorder=5,
            )


def _names(ax: Axes, scales: list[Scale]) -> list[str]:
    """Return the names of the axes, every other one lower where they would touch."""
    inches = ax.get_window_extent().width / ax.figure.dpi / max(len(scales) - 1, 1)
    room = max(int(inches / CHARACTER) - 1, 8)
    names = [text.wrapped(scale.label, room) for scale in scales]
    if not any("…" in name for name in names):
        return names
    names = [text.wrapped(scale.label, 2 * room) for scale in scales]
    lower = "\n" * (1 + max(name.count("\n") for name in names[::2]))
    return [f"{lower}{name}" if index % 2 else name for index, name in enumerate(names)]


def _say_absent(ax: Axes, scales: list[Scale], trials: list[FrozenTrial]) -> bool:
    """Name the place below the axes, where lines pass it; tell whether any does."""
    absent = [any(scale.name not in trial.params for trial in trials) for scale in scales]
    for index, is_absent in enumerate(absent):
        if is_absent:
            ax.annotate(
                "not used",
                (index, ABSENT),
                (5, 0),
                textcoords="offset points",
                va="center",
                fontsize=style.SMALL - 1,
                style="italic",
                color=style.GRAY,
                bbox={"boxstyle": "round,pad=0.1", "fc": style.paper(ax), "ec": "none"},
                zorder=5,
            )
    return any(absent)
