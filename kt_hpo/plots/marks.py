"""Marks that mean the same in every plot: the best trial, and what is off the axes.

What is drawn of trials carries their numbers: in an SVG image they are the id of its group.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from optuna.trial import FrozenTrial

from kt_hpo.plots import style


def group_id(kind: Literal["dots", "lines"], trials: Iterable[FrozenTrial]) -> str:
    """Return the id of what is drawn of some trials: `set_gid` of matplotlib's artists takes it.

    Args:
        kind: String, whether they are dots or lines.
        trials: Iterable of `optuna.trial.FrozenTrial`, in the order they are drawn.

    Returns:
        A string.

    Example:
        >>> import optuna
        >>> group_id("dots", [optuna.create_trial(value=1.0)])
        'dots--1'
    """
    return "-".join([kind, *(str(trial.number) for trial in trials)])


def dots(
    ax: Axes,
    x: Sequence[float] | np.ndarray,
    y: Sequence[float] | np.ndarray,
    trials: Sequence[FrozenTrial],
    **look: Any,
) -> None:
    """Draw a dot for each trial that the vertical axis shows.

    Args:
        ax: `matplotlib.axes.Axes`. The axes, with their vertical limits.
        x: Where the trials stand.
        y: Likewise.
        trials: Sequence of `optuna.trial.FrozenTrial`.
        **look: Arguments of `matplotlib.axes.Axes.scatter`; colors may be one a trial.

    Example:
        >>> import optuna
        >>> dots(style.axes_of(None), [0.5], [0.5], [optuna.create_trial(value=0.5)])
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    shown = ~off_scale(ax, y)
    if isinstance(look.get("c"), np.ndarray):
        look["c"] = look["c"][shown]
    drawn = [trial for trial, inside in zip(trials, shown, strict=True) if inside]
    # A dot at the very end of an axis, an accuracy of 1, is drawn whole.
    ax.scatter(x[shown], y[shown], gid=group_id("dots", drawn), clip_on=False, **look)


def star(ax: Axes, x: float, y: float, trial: FrozenTrial, size: float = 150) -> None:
    """Mark the best trial.

    Args:
        ax: `matplotlib.axes.Axes`. The axes.
        x: Float, where it stands.
        y: Float, likewise.
        trial: `optuna.trial.FrozenTrial`. The trial.
        size: Float, its area in square points.

    Example:
        >>> import optuna
        >>> star(style.axes_of(None), 3, 0.9, optuna.create_trial(value=0.9))
    """
    gid = group_id("dots", [trial])
    look: dict[str, Any] = {"c": style.ORANGE, "ec": "white", "lw": 0.8, "zorder": 4}
    ax.scatter([x], [y], marker="*", s=size, gid=gid, clip_on=False, **look)


def at_worse_edge(
    ax: Axes,
    places: Sequence[float] | np.ndarray,
    trials: Sequence[FrozenTrial],
    maximize: bool,
    marker: str,
    color: str,
    label: str | None = None,
    size: float = 22,
    hollow: bool = False,
    alpha: float = 1.0,
) -> None:
    """Mark trials at the end of the vertical axis where the worse values are.

    Args:
        ax: `matplotlib.axes.Axes`. The axes.
        places: Where they stand horizontally.
        trials: Sequence of `optuna.trial.FrozenTrial`.
        maximize: Boolean, whether higher is better.
        marker: String, matplotlib's marker.
        color: String, its color.
        label: String or None. What they are, for the legend.
        size: Float, a mark's area in square points.
        hollow: Boolean, whether only their outlines are drawn.
        alpha: Float, from 0, invisible, to 1.

    Example:
        >>> import optuna
        >>> trials = [optuna.create_trial(state=optuna.trial.TrialState.FAIL)]
        >>> at_worse_edge(style.axes_of(None), [1], trials, True, "x", style.VERMILLION, "1 failed")
    """
    look: dict[str, Any] = {"edgecolors": color, "facecolors": "none"}
    look = look if hollow else {"color": color}
    ax.scatter(
        places,
        [0.0 if maximize else 1.0] * len(places),
        s=size,
        linewidths=1.2,
        marker=marker,
        transform=ax.get_xaxis_transform(),
        label=label,
        clip_on=False,
        gid=group_id("dots", trials),
        alpha=alpha,
        zorder=2.9 if hollow else 3,
        **look,
    )


def pruned(
    ax: Axes,
    places: Sequence[float] | np.ndarray,
    values: np.ndarray,
    trials: Sequence[FrozenTrial],
    maximize: bool,
    label: str | None = None,
    size: float = 26,
) -> None:
    """Draw pruned trials hollow, at the last value they reported, or at the worse edge.

    They are marked at the edge where the axis, which is fitted to what completed trials reached,
    does not show that value.

    Args:
        ax: `matplotlib.axes.Axes`. The axes, with their vertical limits.
        places: Where they stand horizontally.
        values: Array of the values they reported last.
        trials: Sequence of `optuna.trial.FrozenTrial`.
        maximize: Boolean, whether higher is better.
        label: String or None. What they are, for the legend.
        size: Float, a mark's area in square points.

    Example:
        >>> import optuna
        >>> trial = optuna.create_trial(
        ...     state=optuna.trial.TrialState.PRUNED, intermediate_values={0: 0.5}
        ... )
        >>> pruned(style.axes_of(None), [1], np.array([0.5]), [trial], True, "1 pruned")
    """
    places, off = np.asarray(places, dtype=float), off_scale(ax, values)
    alpha = float(np.clip(150 / max(len(trials), 1), 0.35, 0.9))
    below = [trial for trial, is_off in zip(trials, off, strict=True) if is_off]
    if len(below) < len(trials):
        look: dict[str, Any] = {"edgecolors": style.ORANGE, "facecolors": "none", "alpha": alpha}
        look |= {"lw": 0.9 if len(trials) < 300 else 0.6, "marker": "D", "zorder": 2.4}
        dots(ax, places, values, trials, s=size, label=label, **look)
        label = None
    if below:
        at_worse_edge(
            ax,
            places[off],
            below,
            maximize,
            "v" if maximize else "^",
            style.ORANGE,
            label,
            0.8 * size,
            hollow=True,
            alpha=alpha,
        )


def off_scale(ax: Axes, values: np.ndarray) -> np.ndarray:
    """Tell which values the vertical axis does not show.

    Args:
        ax: `matplotlib.axes.Axes`. The axes.
        values: Array of finite floats.

    Returns:
        Array of booleans.

    Example:
        >>> ax = style.axes_of(None)
        >>> off_scale(ax, np.array([0.5, 7.0])).tolist()
        [False, True]
    """
    low, high = sorted(ax.get_ylim())
    return (values < low) | (values > high)
