"""The loss at ever larger learning rates."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from kt_hpo.formatting import number
from kt_hpo.plots import style


@style.styled()
def plot_learning_rate(found: Any, ax: Axes | None = None) -> Axes:
    """Plot a learning-rate range test: the loss of each step, and the range to search.

    Args:
        found: `kt_hpo.training.learning_rate_finder.LearningRates`. What `find_learning_rate` gave.
        ax: `matplotlib.axes.Axes` or None. Where to draw; a new figure if None.

    Returns:
        The `matplotlib.axes.Axes`.

    Example:
        >>> from types import SimpleNamespace
        >>> found = SimpleNamespace(
        ...     rates=[1e-3, 1e-2, 1e-1],
        ...     losses=[1.0, 0.4, 0.9],
        ...     smoothed=[1.0, 0.5, 0.8],
        ...     low=1e-3,
        ...     steepest=5e-3,
        ...     high=1e-2,
        ... )
        >>> plot_learning_rate(found).get_xlabel()
        'learning rate'
    """
    ax = style.axes_of(ax)
    style.dress(ax, "Learning-rate range test", "learning rate", "loss")
    ax.set_xscale("log")
    ax.axvspan(found.low, found.high, color=style.SKY, alpha=0.25, lw=0, label="range to search")
    ax.plot(found.rates, found.losses, color=style.GRAY, alpha=0.6, lw=0.8, label="loss of a step")
    ax.plot(found.rates, found.smoothed, color=style.accent(ax), lw=2, label="smoothed")
    ax.axvline(found.steepest, color=style.ORANGE, lw=1.5, ls="--", label="steepest")
    ax.set_xlim(found.rates[0], found.rates[-1])
    low, high = min(found.smoothed), max(found.smoothed[0], float(np.median(found.smoothed)))
    # What the loss does once it has diverged would leave no room for what comes before.
    ax.set_ylim(low - 0.1 * (high - low), high + 0.4 * (high - low))
    style.finish(ax, f"{number(found.low, 2)} to {number(found.high, 2)}")
    return ax
