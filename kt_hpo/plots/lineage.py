"""Who copied whom in a population-based training."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator
from optuna.trial import FrozenTrial, TrialState

from kt_hpo.plots import marks, ranges, style
from kt_hpo.plots.population import Population
from kt_hpo.plots.search import Search


@style.styled()
def plot_lineage(tuner_or_study: Any, ax: Axes | None = None) -> Axes:
    """Plot the life of each member of a population as a row, with a line from whom it copied.

    An interval is the darker the better it ranks among those of the same age. The way of the best
    model, through all it was copied from, is orange. Crosses are intervals that failed.

    Args:
        tuner_or_study: A `kt_hpo.PopulationBasedTraining`, or its `optuna.Study`.
        ax: `matplotlib.axes.Axes` or None. Where to draw; a new figure if None.

    Returns:
        The `matplotlib.axes.Axes`.

    Raises:
        TypeError: If the first argument is neither a tuner nor a study.

    Example:
        >>> import optuna
        >>> plot_lineage(optuna.create_study()).texts[0].get_text()
        'No trials yet.'
    """
    search, ax = Search.of(tuner_or_study), style.axes_of(ax)
    style.dress(ax, "Lineage of the population", "epoch", "member", grid=None)
    population = Population.of(search)
    if reason := population.why_empty():
        return style.say(ax, reason)
    _draw_lives(ax, population)
    copies = _copies(population)
    bows = [_bow(population, source, trial) for source, trial in copies]
    _draw_copies(ax, bows, style.GRAY, 0.8)
    _draw_best(ax, population)
    members = {population.member(trial) for trial in population.intervals.values()}
    ax.set_ylim(max(members) + 0.6, min(members) - 0.6)
    ax.set_xlim(left=0)
    ax.margins(x=0.01)
    ax.yaxis.set_major_locator(MaxNLocator(20, integer=True))
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ranges.whole_numbers(ax)
    aside = f"{len(copies):,} cop{'y' if len(copies) == 1 else 'ies'}"
    style.finish(ax, aside, key=("worse at that age", "better"))
    return ax


def _draw_lives(ax: Axes, population: Population) -> None:
    """Draw each interval in its member's row."""
    goodness, members = population.goodness, population.intervals.values()
    rows = len({population.member(trial) for trial in members})
    width = float(np.clip(110 / rows, 2, 9))
    gap = 0.06
    segments, colors = [], []
    for trial in members:
        begin, end = population.span(trial)
        row, length = population.member(trial), end - begin
        segments.append([(begin + gap * length, row), (end - gap * length, row)])
        rank = goodness.get(trial.number)
        colors.append(style.goodness(ax)(rank) if rank is not None else (0.6, 0.6, 0.6, 0.35))
        if trial.state == TrialState.FAIL:
            middle = 0.5 * (begin + end)
            ax.plot(middle, row, "x", color=style.VERMILLION, markersize=6, zorder=3)
    ax.add_collection(
        LineCollection(segments, colors=colors, linewidths=width, capstyle="butt", zorder=2)
    )
    ax.autoscale_view()


def _copies(population: Population) -> list[tuple[FrozenTrial, FrozenTrial]]:
    """Return the pairs of an interval and another member's that went on from it."""
    pairs = ((population.source(trial), trial) for trial in population.intervals.values())
    return [
        (source, trial)
        for source, trial in pairs
        if source is not None and population.member(source) != population.member(trial)
    ]


def _draw_copies(ax: Axes, bows: list[np.ndarray], color: str, width: float) -> None:
    """Draw a bow from the end of each source to the beginning of its copy, where a dot is."""
    if not bows:
        return
    alpha = float(np.clip(150 / len(bows), 0.2, 1.0))
    look: dict[str, Any] = {"alpha": alpha, "zorder": 2.4}
    ax.add_collection(LineCollection(bows, colors=color, linewidths=width, **look))
    x, y = np.array([bow[-1] for bow in bows]).T
    ax.scatter(x, y, s=4 * width + 4, c=color, linewidths=0, **look)


def _bow(population: Population, source: FrozenTrial, trial: FrozenTrial) -> np.ndarray:
    """Return the points of a bow from the end of one interval to the beginning of another."""
    begin, end = population.span(trial)
    part = np.linspace(0, 1, 15)
    low, high = population.member(source), population.member(trial)
    depth = 0.45 * (end - begin) * min(1.0, 0.3 + 0.1 * abs(high - low))
    return np.column_stack([begin - 4 * depth * part * (1 - part), low + (high - low) * part])


def _draw_best(ax: Axes, population: Population) -> None:
    """Draw the way of the best model."""
    line = population.best_line
    if not line:
        return
    for trial in line:
        row = population.member(trial)
        ax.plot(population.span(trial), [row, row], color=style.ORANGE, linewidth=2, zorder=2.6)
    bows = [
        _bow(population, source, trial)
        for source, trial in pairwise(line)
        if population.member(source) != population.member(trial)
    ]
    _draw_copies(ax, bows, style.ORANGE, 2)
    marks.star(ax, population.span(line[-1])[1], population.member(line[-1]), line[-1])
