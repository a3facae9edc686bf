"""How the objective changes over the plane of two hyperparameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from optuna.trial import FrozenTrial

from kt_hpo.formatting import number
from kt_hpo.plots import marks, ranges, style
from kt_hpo.plots.pairs import pair_of
from kt_hpo.plots.scale import Scale
from kt_hpo.plots.search import Search

CELLS, LEVELS, MAX_KERNELS = 70, 9, 2000
# Beside choices, where nothing is smooth across.
FEWER_CELLS = 36
# Trials this many bandwidths away say nothing any more; what is farther from all stays white.
REACH = 2.6


@style.styled()
def plot_contour(
    tuner_or_study: Any, ax: Axes | None = None, *, hyperparameters: Sequence[str] | None = None
) -> Axes:
    """Plot the objective over two hyperparameters as a smooth surface, the darker the better.

    The surface is a mean of the trials nearby, by a Gaussian kernel (Nadaraya, 1964; Watson, 1964)
    as wide as Scott's rule says, of the logarithm where losses span decades; where no trial is near
    it stays white. Dots are the trials.

    Args:
        tuner_or_study: A tuner, or an `optuna.Study`.
        ax: `matplotlib.axes.Axes` or None. Where to draw; a new figure if None.
        hyperparameters: Two strings or None. Their names; the two most important if None.

    Returns:
        The `matplotlib.axes.Axes`.

    Raises:
        TypeError: If the first argument is neither a tuner nor a study.
        ValueError: If they are not two, or a name is none of a hyperparameter that varies.

    Example:
        >>> import optuna
        >>> def f(trial):
        ...     return trial.suggest_float("x", 0, 1) + trial.suggest_int("y", 0, 9)
        >>> study = optuna.create_study()
        >>> study.optimize(f, n_trials=5)
        >>> plot_contour(study, hyperparameters=["x", "y"]).get_xlabel()
        'x'
    """
    search, ax = Search.of(tuner_or_study), style.axes_of(ax)
    style.dress(ax, "Contours", grid=None)
    pair = pair_of(search, hyperparameters)
    if isinstance(pair, str):
        return style.say(ax, pair)
    across, up = pair
    across.put_on(ax, "x", count=7)
    up.put_on(ax, "y", count=6)
    trials = [t for t in search.finished() if across.name in t.params and up.name in t.params]
    low, high = _draw_surface(ax, search, across, up, trials)
    _draw_trials(ax, search, across, up, trials)
    worst, best = (low, high) if search.maximize else (high, low)
    style.finish(ax, search.label, key=(number(worst, 3), number(best, 3)))
    return ax


def _draw_surface(
    ax: Axes, search: Search, across: Scale, up: Scale, trials: list[FrozenTrial]
) -> tuple[float, float]:
    """Draw the surface; return its lowest and highest level."""
    cells = FEWER_CELLS if across.choices or up.choices else CELLS
    edges_x, edges_y = _edges(across, cells), _edges(up, cells)
    middles_x, middles_y = (0.5 * (edges[:-1] + edges[1:]) for edges in (edges_x, edges_y))
    picked = np.linspace(0, len(trials) - 1, min(len(trials), MAX_KERNELS)).astype(int)
    trials = [trials[index] for index in picked]
    low, high, log = ranges.value_range(search.values(trials), search.maximize, search.objective)
    values = np.clip(search.values(trials), low, high)
    heights = _smooth(
        _closeness(across, middles_x, trials),
        _closeness(up, middles_y, trials),
        np.log10(values) if log else values,
    )
    levels = np.linspace(np.nanmin(heights), np.nanmax(heights) + 1e-12, LEVELS + 1)
    colors = style.goodness(ax)
    colors = colors if search.maximize else colors.reversed()
    x, y = across.from_unit(middles_x), up.from_unit(middles_y)
    if across.choices or up.choices:
        ax.pcolormesh(
            across.from_unit(edges_x),
            up.from_unit(edges_y),
            heights,
            cmap=colors,
            norm=BoundaryNorm(levels, 256),
            edgecolors="face",
            linewidth=0.3,
        )
    else:
        ax.contourf(x, y, heights, levels, cmap=colors, alpha=0.85)
        ax.contour(x, y, heights, levels, colors="white", linewidths=0.5)
    ends = levels[[0, -1]]
    low, high = 10.0**ends if log else ends
    return float(low), float(high)


def _edges(scale: Scale, cells: int) -> np.ndarray:
    """Return the edges of the surface's cells, as parts of the range: one cell a choice."""
    return np.linspace(0, 1, (len(scale.choices) or cells) + 1)


def _closeness(scale: Scale, middles: np.ndarray, trials: list[FrozenTrial]) -> np.ndarray:
    """Return minus the squared distance in bandwidths, of shape `(cells, trials)`."""
    places = scale.unit(scale.numbers(trials))
    distance = middles[:, None] - places
    if scale.choices:
        return np.where(np.abs(distance) * len(scale.choices) < 0.5, 0.0, -np.inf)
    bandwidth = np.clip(places.std() * len(trials) ** (-1 / 6), 0.03, 0.25)
    return -((distance / bandwidth) ** 2)


def _smooth(close_x: np.ndarray, close_y: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the mean of the values nearby for each cell, NaN where there are none."""
    weights_x, weights_y = np.exp(0.5 * close_x), np.exp(0.5 * close_y)
    total = weights_y @ weights_x.T
    means = (weights_y * values) @ weights_x.T / np.maximum(total, 1e-300)
    return np.where(total > np.exp(-0.5 * REACH**2), means, np.nan)


def _draw_trials(
    ax: Axes, search: Search, across: Scale, up: Scale, trials: list[FrozenTrial]
) -> None:
    """Draw a dot a trial, and the star of the best."""
    marks.dots(
        ax,
        across.places(trials),
        up.places(trials),
        trials,
        s=float(np.clip(1500 / max(len(trials), 1), 2, 14)),
        color="#222222",
        edgecolors="white",
        linewidths=0.5 if len(trials) < 300 else 0,
        alpha=0.8 if len(trials) < 300 else 0.35,
        zorder=2.5,
    )
    best = search.best()
    if best in trials:
        marks.star(ax, float(across.places([best])[0]), float(up.places([best])[0]), best)
