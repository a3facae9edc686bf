"""How the objectives of a search are distributed, beside those of other searches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from kt_hpo.formatting import count, number
from kt_hpo.plots import ranges, style, text
from kt_hpo.plots.search import searches_of


@style.styled()
def plot_edf(tuner_or_study: Any, ax: Axes | None = None) -> Axes:
    """Plot the empirical distribution: the share of trials whose objective is at most a value.

    Args:
        tuner_or_study: A tuner, an `optuna.Study`, or a sequence of these to compare, such as
            several algorithms on one problem.
        ax: `matplotlib.axes.Axes` or None. Where to draw; a new figure if None.

    Returns:
        The `matplotlib.axes.Axes`.

    Raises:
        TypeError: If there is neither a tuner nor a study.
        ValueError: If the searches to compare have objectives of different names or directions.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
        >>> plot_edf(study).get_xlabel()
        'objective, lower is better'
    """
    several = isinstance(tuner_or_study, Sequence)
    searches = searches_of(tuner_or_study)
    ax, first = style.axes_of(ax), searches[0]
    better = "higher" if first.maximize else "lower"
    label = f"{first.label}, {better} is better"
    style.dress(ax, "Distribution", label, "share of trials", grid="both")
    values = [np.sort(search.values(search.finished())) for search in searches]
    if not any(map(len, values)):
        return style.say(ax, "No trial has a value yet." if first.trials else "No trials yet.")
    everything = np.concatenate(values)
    ranges.fit_value_axis(ax, everything, first.maximize, "x", metric=first.objective)
    for index, (search, found) in enumerate(zip(searches, values, strict=True)):
        color, dashes = style.line_of(index)
        _draw(ax, found, color, dashes, search.study.study_name if several else None)
    ax.set_ylim(0, 1.02)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    style.finish(ax, "" if several else _median(ax, values[0]))
    return ax


def _draw(ax: Axes, values: np.ndarray, color: str, dashes: str, name: str | None) -> None:
    """Draw the function as steps, up to the ends of the axis."""
    if not len(values):
        return
    shares = np.arange(len(values) + 1) / len(values)
    low, high = ax.get_xlim()
    places = np.concatenate([[min(low, values[0])], values, [max(high, values[-1])]])
    heights = np.append(shares, 1.0)
    ax.plot(
        places,
        heights,
        drawstyle="steps-post",
        color=color,
        linestyle=dashes,
        linewidth=1.8,
        label=text.shorten(f"{name} ({len(values)})", 30) if name else None,
    )
    if name is None:
        ax.fill_between(places, heights, step="post", color=color, alpha=0.12, linewidth=0)


def _median(ax: Axes, values: np.ndarray) -> str:
    """Mark the median, and return the words about it."""
    median = float(np.median(values))
    ax.plot([median, median, ax.get_xlim()[0]], [0, 0.5, 0.5], color=style.GRAY, lw=0.9, ls=":")
    return f"median {number(median)} of {count(len(values), 'complete trial')}"
