"""The figures of a report: those of `kt_hpo.plots`, small, each with its title beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kt_hpo.plots import style, text
from kt_hpo.plots.brackets import plot_brackets
from kt_hpo.plots.contour import plot_contour
from kt_hpo.plots.influences import Influence
from kt_hpo.plots.learning_curves import plot_learning_curves
from kt_hpo.plots.lineage import plot_lineage
from kt_hpo.plots.model_size import plot_model_size, sized
from kt_hpo.plots.optimization_history import plot_optimization_history
from kt_hpo.plots.pairs import pair_of
from kt_hpo.plots.parallel_coordinates import plot_parallel_coordinates
from kt_hpo.plots.pareto_front import plot_pareto_front
from kt_hpo.plots.scale import Scale, scales
from kt_hpo.plots.schedules import plot_schedules
from kt_hpo.plots.search import Search, place_of
from kt_hpo.plots.slice import draw_slice
from kt_hpo.plots.timeline import plot_timeline
from kt_hpo.record.clock import started
from kt_hpo.reports.svg import to_svg

# More dots or curves than these hide each other, and make the page long to load.
MAX_DOTS, MAX_CURVES = 1000, 150
# Of parallel coordinates each line is long, and passes as many axes as there is room for.
MAX_LINES, MAX_COORDINATES = 100, 5
# Inches; the page scales them to the width there is.
WIDE, SMALL = (5.0, 2.9), (4.0, 2.6)
# How many characters of a label an inch has room for.
_CHARACTERS = 11


_Plot = Callable[[Search, Axes], Axes]
# What is drawn, of which trials, and of how many of them at most.
_Part = tuple[_Plot, Search, int]


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
    return _drawn("chart", _plots(search))


def whole_space(search: Search, found: Sequence[Influence]) -> list[Chart]:
    """Draws how values go together: parallel coordinates, and a plane of what mattered most.

    Args:
        search: The search.
        found: How much each hyperparameter decided, the most important first.

    Returns:
        The figures there is something to draw in.

    Example:
        >>> import optuna
        >>> whole_space(Search.of(optuna.create_study()), [])
        []
    """
    return _drawn("space", _of_several(search, found))


def _drawn(name: str, plots: Iterable[_Part]) -> list[Chart]:
    return [
        _chart(f"{name}{index}", plot, shown, len(every.trials), WIDE)
        for index, (plot, every, most) in enumerate(plots)
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


def _plots(search: Search) -> Iterator[_Part]:
    """What there is to draw of which trials, and of how many of them at most."""
    if search.n_objectives > 1 and any(np.isfinite(t.values).all() for t in search.finished()):
        yield plot_pareto_front, search, MAX_DOTS if search.n_objectives == 2 else MAX_CURVES
    if search.finished() or any(trial.intermediate_values for trial in search.trials):
        yield plot_optimization_history, search, MAX_DOTS
    # One epoch of a training that went on is a part of its curve.
    curved = tuple(trial for trial in search.trials if search.curve(trial))
    if any(len(search.curve(trial)) > 1 for trial in curved):
        yield plot_learning_curves, replace(search, trials=curved), MAX_CURVES
    places = {name for trial in search.trials for name in place_of(trial)}
    if "bracket" in places and search.finished():
        yield plot_brackets, search, len(search.trials)
    if "member" in places:
        yield plot_lineage, search, len(search.trials)
        yield plot_schedules, search, len(search.trials)
    if sum(started(trial) is not None for trial in search.trials) > 1:
        yield plot_timeline, search, len(search.trials)


def _of_several(search: Search, found: Sequence[Influence]) -> Iterator[_Part]:
    """What there is to draw of several hyperparameters together."""
    known = scales(search)
    names = [one.name for one in found if one.name in known] or list(known)
    if not search.finished() or len(names) < 2:
        return
    most = [one.name for one in found if one.mattered and one.name in known]

    def parallel(shown: Search, ax: Axes) -> Axes:
        drawn = names[:MAX_COORDINATES][::-1]
        return plot_parallel_coordinates(shown, ax, hyperparameters=drawn)

    def plane(shown: Search, ax: Axes) -> Axes:
        return plot_contour(shown, ax, hyperparameters=most[:2])

    yield parallel, search, MAX_LINES
    if len(most) > 1 and not isinstance(pair_of(search, most[:2]), str):
        yield plane, search, MAX_DOTS


def _slice_of(scale: Scale) -> _Plot:
    def plot(search: Search, ax: Axes) -> Axes:
        style.dress(ax, scale.label, ylabel=search.label)
        draw_slice(ax, search, scale)
        ax.set_xlabel("")
        return ax

    return plot


def compared(
    name: str, plot: Callable[[list[Search], Axes], Axes], searches: list[Search]
) -> Chart:
    """Draws a figure of several searches.

    Args:
        name: What no other figure of the page is called.
        plot: What draws it.
        searches: The searches.

    Returns:
        The figure.
    """
    figure = Figure(WIDE, layout="constrained")
    return _written(name, figure, plot(searches, figure.subplots()), WIDE)


def _chart(name: str, plot: _Plot, search: Search, count: int, size: tuple[float, float]) -> Chart:
    figure = Figure(size, layout="constrained")
    with style.styled():
        ax = plot(search, figure.subplots())
    part = f"{len(search.trials):,} of {count:,} trials" if len(search.trials) < count else ""
    return _written(name, figure, ax, size, part)


def _written(
    name: str, figure: Figure, ax: Axes, size: tuple[float, float], part: str = ""
) -> Chart:
    """Writes a figure; the page writes its title and what is said beside it."""
    title, aside = ax.get_title(loc="left"), ax.get_title(loc="right")
    for place in ("left", "right"):
        ax.set_title("", loc=place, pad=0)
    aside = "; ".join(filter(None, (aside, part)))
    labels = " by ".join(filter(None, (ax.get_ylabel(), ax.get_xlabel())))
    description = ". ".join(filter(None, (labels, aside)))
    ax.set_xlabel(text.shorten(ax.get_xlabel(), int(_CHARACTERS * size[0])))
    ax.set_ylabel(text.shorten(ax.get_ylabel(), int(_CHARACTERS * size[1])))
    return Chart(title, aside, to_svg(figure, name, title, description))
