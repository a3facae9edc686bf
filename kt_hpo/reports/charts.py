"""The figures of a report: those of `kt_hpo.plots`, small, each with its title beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kt_hpo.plots import style, text
from kt_hpo.plots.learning_curves import plot_learning_curves
from kt_hpo.plots.model_size import plot_model_size, sized
from kt_hpo.plots.optimization_history import plot_optimization_history
from kt_hpo.plots.pareto_front import plot_pareto_front
from kt_hpo.plots.scale import Scale, scales
from kt_hpo.plots.search import Search
from kt_hpo.plots.slice import draw_slice
from kt_hpo.reports.svg import to_svg

# More dots or curves than these hide each other, and make the page long to load.
MAX_DOTS, MAX_CURVES = 1000, 150
# Inches; the page scales them to the width there is.
WIDE, SMALL = (5.0, 2.9), (4.0, 2.6)
# How many characters of a label an inch has room for.
_CHARACTERS = 11


@dataclass(frozen=True)
class Chart:
    """A figure of the page.

    Attributes:
        title: What it shows.
        aside: What there is to say beside the title.
        svg: The figure.
    """

    title: str
    aside: str
    svg: Markup


def overview(search: Search) -> list[Chart]:
    """Draws how the search went.

    Args:
        search: The search.

    Returns:
        The figures there is something to draw in.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.add_trial(optuna.create_trial(value=1.0))
        >>> [chart.title for chart in overview(Search.of(study))]
        ['Optimization history']
    """
    return [
        _chart(f"chart{index}", plot, shown, len(every.trials), WIDE)
        for index, (plot, every, most) in enumerate(_plots(search))
        for shown in [every.thinned(most)]
    ]


def slices(search: Search, names: Sequence[str]) -> list[Chart]:
    """Draws the objective over each hyperparameter that varies, and over the models' size.

    Args:
        search: The search.
        names: The hyperparameters.

    Returns:
        A figure a hyperparameter, and one of the models' sizes, if they differ and are no
        objective; none where no trial has been completed.
    """
    if not search.finished():
        return []
    known = scales(search)
    plots = [_slice_of(known[name]) for name in names if name in known]
    sizes = {trial.user_attrs["parameters"] for trial in sized(search)}
    if len(sizes) > 1 and "parameters" not in search.objectives:
        plots.append(plot_model_size)
    shown = search.thinned(MAX_DOTS)
    return [
        _chart(f"slice{index}", plot, shown, len(search.trials), SMALL)
        for index, plot in enumerate(plots)
    ]


_Plot = Callable[[Search, Axes], Axes]


def _plots(search: Search) -> Iterator[tuple[_Plot, Search, int]]:
    """What there is to draw of which trials, and of how many of them at most."""
    if search.n_objectives > 1 and any(np.isfinite(t.values).all() for t in search.finished()):
        yield plot_pareto_front, search, MAX_DOTS if search.n_objectives == 2 else MAX_CURVES
    if search.finished() or any(trial.intermediate_values for trial in search.trials):
        yield plot_optimization_history, search, MAX_DOTS
    curved = tuple(trial for trial in search.trials if len(search.curve(trial)) > 1)
    if curved:
        yield plot_learning_curves, replace(search, trials=curved), MAX_CURVES


def _slice_of(scale: Scale) -> _Plot:
    def plot(search: Search, ax: Axes) -> Axes:
        style.dress(ax, scale.name, ylabel=search.label)
        draw_slice(ax, search, scale)
        ax.set_xlabel("")
        return ax

    return plot


def _chart(name: str, plot: _Plot, search: Search, count: int, size: tuple[float, float]) -> Chart:
    """Draws a figure; the page writes its title and what is said beside it."""
    figure = Figure(size, layout="constrained")
    with style.styled():
        ax = plot(search, figure.subplots())
    title, aside = ax.get_title(loc="left"), ax.get_title(loc="right")
    for place in ("left", "right"):
        ax.set_title("", loc=place, pad=0)
    if len(search.trials) < count:
        aside = f"{aside}; {len(search.trials):,} of {count:,} trials".removeprefix("; ")
    labels = " by ".join(filter(None, (ax.get_ylabel(), ax.get_xlabel())))
    description = ". ".join(filter(None, (labels, aside)))
    ax.set_xlabel(text.shorten(ax.get_xlabel(), int(_CHARACTERS * size[0])))
    ax.set_ylabel(text.shorten(ax.get_ylabel(), int(_CHARACTERS * size[1])))
    return Chart(title, aside, to_svg(figure, name, title, description))
