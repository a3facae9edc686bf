"""Marks that mean the same in every plot: the best trial, and what is off the axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from kt_hpo.plots import style


def star(ax: Axes, x: float, y: float, size: float = 150) -> None:
    """Mark the best trial.

    Args:
        ax: `matplotlib.axes.Axes`. The axes.
        x: Float, where it stands.
        y: Float, likewise.
        size: Float, its area in square points.

    Example:
        >>> star(style.axes_of(None), 3, 0.9)
    """
    ax.scatter([x], [y], marker="*", s=size, c=style.ORANGE, ec="white", lw=0.8, zorder=4)


def at_worse_edge(
    ax: Axes,
    places: Sequence[float] | np.ndarray,
    maximize: bool,
    marker: str,
    color: str,
    label: str | None = None,
    size: float = 22,
) -> None:
    """Mark trials at the end of the vertical axis where the worse values are.

    Args:
        ax: `matplotlib.axes.Axes`. The axes.
        places: Where they stand horizontally.
        maximize: Boolean, whether higher is better.
        marker: String, matplotlib's marker.
        color: String, its color.
        label: String or None. What they are, for the legend.
        size: Float, a mark's area in square points.

    Example:
        >>> at_worse_edge(style.axes_of(None), [1, 2], True, "x", style.VERMILLION, "2 failed")
    """
    ax.scatter(
        places,
        [0.0 if maximize else 1.0] * len(places),
        s=size,
        linewidths=1.2,
        marker=marker,
        color=color,
        transform=ax.get_xaxis_transform(),
        label=label,
        clip_on=False,
        zorder=3,
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
