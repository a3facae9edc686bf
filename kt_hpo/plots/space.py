"""The search space as a tree: which hyperparameter has a value beside which others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle

from kt_hpo.formatting import count, number
from kt_hpo.plots import style, text
from kt_hpo.plots.scale import Scale
from kt_hpo.plots.search import Search
from kt_hpo.space.domain import to_distribution
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.space.names import condition_in_words
from kt_hpo.space.scopes import recorded_names

# Where the strips of values begin and end, and how far a level is indented, in axes' widths.
LEFT, RIGHT, INDENT = 0.5, 0.94, 0.028
MAX_ROWS, MAX_TICKS, MAX_BOXES = 60, 400, 8


@dataclass(frozen=True)
class Row:
    """A line of the tree: a hyperparameter, or the condition of those below it."""

    name: str
    depth: int
    scale: Scale | None = None


@style.styled()
def plot_space(tuner_or_study: Any, ax: Axes | None = None) -> Axes:
    """Plot the conditional search space as a tree, with the values that were tried.

    Beside each hyperparameter its range is drawn with a tick for each trial, or its choices, the
    darker the more often they were tried; the best trial's value is orange.

    Args:
        tuner_or_study: A tuner, or an `optuna.Study`.
        ax: `matplotlib.axes.Axes` or None. Where to draw; a new figure if None.

    Returns:
        The `matplotlib.axes.Axes`.

    Raises:
        TypeError: If the first argument is neither a tuner nor a study.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
        >>> [text.get_text() for text in plot_space(study).texts]
        ['x', '0', '1']
    """
    search = Search.of(tuner_or_study)
    rows = _rows(search)
    left_out = len(rows) - MAX_ROWS
    rows = rows[:MAX_ROWS]
    ax = style.axes_of(ax, height=float(np.clip(0.8 + 0.3 * len(rows), 2.4, 14)))
    style.dress(ax, "Search space", grid=None)
    if not rows:
        return style.say(ax, "No hyperparameters are known yet.")
    ax.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(max(len(rows), 5) - 0.4, -0.6))
    ax.spines[:].set_visible(False)
    _draw_branches(ax, rows)
    for place, row in enumerate(rows):
        _write(ax, place, row)
        if row.scale is not None and row.scale.choices:
            _draw_choices(ax, search, place, row.scale)
        elif row.scale is not None:
            _draw_range(ax, search, place, row.scale)
    drawn = count(sum(row.scale is not None for row in rows), "hyperparameter")
    style.finish(ax, drawn + (f", {left_out} rows left out" if left_out > 0 else ""))
    return ax


def _rows(search: Search) -> list[Row]:
    """Return the tree's lines, each below what it depends on."""
    config = search.study.user_attrs.get("space")
    if not config or not config.get("space"):
        return [Row(search.short_name(name), 0, scale) for name, scale in _met(search).items()]
    met = _met(search)
    tree: dict[tuple[str, ...], list[Row]] = {}
    for hyperparameter, name in recorded_names(HyperParameters.from_config(config)):
        path = tuple(
            condition_in_words(condition.name, condition.values)
            for condition in hyperparameter.conditions
        )
        scale = met.get(name) or Scale.of(name, [to_distribution(hyperparameter)])
        tree.setdefault(path, []).append(Row(hyperparameter.name, 2 * len(path), scale))
    return _unfolded(tree, ())


def _unfolded(tree: dict[tuple[str, ...], list[Row]], path: tuple[str, ...]) -> list[Row]:
    """Return the rows under some conditions, those under further ones after each."""
    rows = []
    deeper = list(dict.fromkeys(p[: len(path) + 1] for p in tree if _begins(p, path)))
    for row in tree.get(path, []):
        rows.append(row)
        for further in [p for p in deeper if p[-1].startswith(f"{row.name} = ")]:
            rows.append(Row(further[-1], row.depth + 1))
            rows += _unfolded(tree, further)
            deeper.remove(further)
    for further in deeper:
        rows += [Row(further[-1], 2 * len(path) + 1), *_unfolded(tree, further)]
    return rows


def _begins(path: tuple[str, ...], start: tuple[str, ...]) -> bool:
    """Tell whether a path goes on from a start."""
    return len(path) > len(start) and path[: len(start)] == start


def _met(search: Search) -> dict[str, Scale]:
    """Return the scale of every hyperparameter that trials have."""
    distributions: dict[str, dict[Any, None]] = {}
    for trial in search.trials:
        for name, distribution in trial.distributions.items():
            distributions.setdefault(name, {})[distribution] = None
    return {name: Scale.of(name, known) for name, known in distributions.items()}


def _draw_branches(ax: Axes, rows: list[Row]) -> None:
    """Draw lines from each row to those that depend on it."""
    lines = []
    for place, row in enumerate(rows):
        if row.depth == 0:
            continue
        parent = max(p for p in range(place) if rows[p].depth == row.depth - 1)
        x = (row.depth - 1) * INDENT + 0.007
        lines.append([(x, parent + 0.4), (x, place), (row.depth * INDENT - 0.005, place)])
    ax.add_collection(LineCollection(lines, colors=style.GRAY, linewidths=0.8, alpha=0.8))


def _write(ax: Axes, place: int, row: Row) -> None:
    """Write a row's name; a condition's is quiet."""
    condition = row.scale is None
    ax.text(
        row.depth * INDENT,
        place,
        text.shorten(row.name, 34),
        va="center",
        fontsize=style.SMALL if condition else style.NORMAL,
        style="italic" if condition else "normal",
        color="#777777" if condition else style.ink(ax),
    )


def _draw_range(ax: Axes, search: Search, place: int, scale: Scale) -> None:
    """Draw a range with a tick a trial and its ends beside it."""
    ax.plot([LEFT, RIGHT], [place, place], color=style.GRAY, linewidth=0.8, zorder=1.5)
    for x, value, side in ((LEFT, scale.low, "right"), (RIGHT, scale.high, "left")):
        ax.annotate(
            number(value, 3) + (" log" if scale.log and side == "left" else ""),
            (x, place),
            (-6 if side == "right" else 6, 0),
            textcoords="offset points",
            ha=side,
            va="center",
            fontsize=style.SMALL,
            color=style.ink(ax),
        )
    parts = scale.unit(scale.numbers(search.trials))
    places = LEFT + (RIGHT - LEFT) * parts[~np.isnan(parts)]
    ticks = places[:: len(places) // MAX_TICKS + 1]
    ax.vlines(
        ticks,
        place - 0.22,
        place + 0.22,
        color=style.accent(ax),
        linewidth=0.8,
        alpha=float(np.clip(20 / max(len(ticks), 1), 0.12, 0.7)),
        zorder=2,
    )
    best = search.best()
    if best is not None and scale.name in best.params:
        x = LEFT + (RIGHT - LEFT) * float(scale.unit(scale.numbers([best]))[0])
        ax.vlines(x, place - 0.32, place + 0.32, color=style.ORANGE, linewidth=2.6, zorder=3)


def _draw_choices(ax: Axes, search: Search, place: int, scale: Scale) -> None:
    """Draw a box a choice, the darker the more trials tried it."""
    numbers = scale.numbers(search.trials)
    counts = np.array([(numbers == index).sum() for index in range(len(scale.choices))])
    best = search.best()
    best_index = scale.numbers([best])[0] if best is not None else np.nan
    width = (RIGHT - LEFT) / len(scale.choices)
    gap = min(0.003, 0.1 * width)
    named = len(scale.choices) <= MAX_BOXES
    for index, choice in enumerate(scale.choices):
        share = counts[index] / max(counts.sum(), 1)
        color = style.goodness(ax)(0.75 * share) if counts.sum() else style.paper(ax)
        x = LEFT + index * width
        chosen = index == best_index
        box = Rectangle((x + gap, place - 0.34), width - 2 * gap, 0.68, zorder=2 + 0.5 * chosen)
        box.set(facecolor=color, edgecolor=style.ORANGE if chosen else style.GRAY)
        box.set_linewidth(2.2 if chosen else 0.5)
        ax.add_patch(box)
        dark = style.brightness(color) < 0.5
        ax.text(
            x + width / 2,
            place,
            text.shorten(str(choice), max(3, round(66 * width))) if named else "",
            ha="center",
            va="center",
            fontsize=style.SMALL,
            color="white" if dark else "#333333",
            zorder=3,
        )
    if not named:
        words: dict[str, Any] = {"va": "center", "fontsize": style.SMALL, "color": style.ink(ax)}
        ax.text(LEFT - 0.01, place, f"{len(scale.choices)} choices", ha="right", **words)
