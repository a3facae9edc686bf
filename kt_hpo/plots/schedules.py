"""Which values a population went through while it trained."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from optuna.trial import FrozenTrial

from kt_hpo.plots import ranges, style, text
from kt_hpo.plots.importances import by_importance, say_left_out
from kt_hpo.plots.panels import panels_in
from kt_hpo.plots.population import Population
from kt_hpo.plots.scale import Scale
from kt_hpo.plots.search import Search

MAX_PANELS, COLUMNS = 6, 2


@style.styled()
def plot_schedules(tuner_or_study: Any, ax: Axes | None = None) -> Axes:
    """Plot each hyperparameter that a population explored over the epochs, a panel each.

    Every member's values are faint, the darker the better its interval ranks among those of the
    same age; the schedule of the best model is orange. The six most important are shown.

    Args:
        tuner_or_study: A `kt_hpo.PopulationBasedTraining`, or its `optuna.Study`.
        ax: `matplotlib.axes.Axes` or None. Where to draw; a new figure if None.

    Returns:
        The `matplotlib.axes.Axes`, the panels within it.

    Raises:
        TypeError: If the first argument is neither a tuner nor a study.

    Example:
        >>> import optuna
        >>> plot_schedules(optuna.create_study()).texts[0].get_text()
        'No trials yet.'
    """
    search = Search.of(tuner_or_study)
    population = Population.of(search)
    explored = [scale for scale in by_importance(search) if _is_explored(population, scale)]
    shown = explored[:MAX_PANELS]
    ax = style.axes_of(ax, height=4.2 if len(shown) <= 2 * COLUMNS else 5.4)
    style.dress(ax, "Schedules", grid=None)
    if reason := population.why_empty():
        return style.say(ax, reason)
    if not shown:
        return style.say(ax, "No member has changed a value yet.")
    columns = 1 if len(shown) == 1 else COLUMNS
    panels = panels_in(ax, len(shown), columns, between=0.75, above=0.22)
    for panel, scale in zip(panels, shown, strict=True):
        _draw(panel, population, scale)
    aside = say_left_out(search, len(explored) - len(shown))
    style.finish(ax, aside, key=("worse at that age", "better"))
    return ax


def _is_explored(population: Population, scale: Scale) -> bool:
    """Tell whether any interval has another value than the one it went on from."""
    name = scale.name
    return any(
        trial.params.get(name) != source.params.get(name)
        for trial in population.intervals.values()
        if (source := population.source(trial)) is not None
    )


def _draw(ax: Axes, population: Population, scale: Scale) -> None:
    """Draw the schedules of one hyperparameter."""
    goodness = population.goodness
    intervals = sorted(population.intervals.values(), key=lambda t: goodness.get(t.number, -1.0))
    crowd = len({population.member(trial) for trial in intervals})
    colors = style.goodness(ax)([goodness.get(trial.number, 0.0) for trial in intervals])
    colors[:, 3] = np.clip(12 / crowd, 0.3, 0.9)
    steps = [_step(population, scale, trial) for trial in intervals]
    ax.add_collection(LineCollection(steps, colors=colors, linewidths=1.2, zorder=2))
    line = population.best_line
    if line:
        way = np.concatenate([_step(population, scale, trial)[-2:] for trial in line])
        for color, width in ((style.paper(ax), 4.0), (style.ORANGE, 2.2)):
            ax.plot(*way.T, color=color, linewidth=width, zorder=3)
    ax.autoscale_view()
    scale.put_on(ax, "y", count=4)
    ax.set_ylabel("")
    ax.set_title(text.shorten(scale.label), loc="left", fontsize=style.NORMAL, color=style.ink(ax))
    ax.set_xlabel("epoch", fontsize=style.NORMAL)
    ax.set_xlim(left=0)
    ranges.whole_numbers(ax)


def _step(population: Population, scale: Scale, trial: FrozenTrial) -> np.ndarray:
    """Return a level line at an interval's value, and the jump to it from where it went on."""
    begin, end = population.span(trial)
    value = float(scale.numbers([trial])[0])
    source = population.source(trial)
    jump = [] if source is None else [(begin, float(scale.numbers([source])[0]))]
    return np.array([*jump, (begin, value), (end, value)])
