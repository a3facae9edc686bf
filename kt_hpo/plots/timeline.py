"""When each trial ran, and on which worker."""

from __future__ import annotations

import heapq
from datetime import datetime
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.ticker import FixedFormatter, FixedLocator
from optuna.trial import FrozenTrial, TrialState

from kt_hpo.formatting import number
from kt_hpo.plots import marks, style
from kt_hpo.plots.durations import unit_of
from kt_hpo.plots.search import Search
from kt_hpo.record.clock import started

MAX_NUMBERED, MAX_NAMED = 60, 24
# Points: narrower bars have no edges, and of still narrower ones only shares of the time are seen.
EDGED, SEEN = 5.0, 1.2
BINS, HEIGHT = 150, 0.76


@style.styled()
def plot_timeline(tuner_or_study: Any, ax: Axes | None = None) -> Axes:
    """Plot each trial as a bar from its start to its end, in the row of the worker that ran it.

    Which worker that was, a trial's `user_attrs["worker"]` tells; trials without it are packed into
    as few rows as they need side by side. A running trial's bar goes up to the last thing known.
    Of trials too many to be seen each, the row shows how much of the time each state took.

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
        >>> plot_timeline(study).get_xlabel().endswith("since the search began")
        True
    """
    search, ax = Search.of(tuner_or_study), style.axes_of(ax)
    style.dress(ax, "Timeline", grid="x")
    begun = [trial for trial in search.trials if started(trial) is not None]
    begun.sort(key=lambda trial: (started(trial), trial.number))
    if not begun:
        return style.say(ax, "No trial has been begun yet.")
    spans = _spans(begun)
    rows, names = _rows(begun, spans)
    aside = _aside(spans, len(names))
    unit, size = unit_of(spans[:, 1])
    # However short a trial was, its bar is to be seen.
    narrowest = max(spans[:, 1].max(), 1e-6) / 1500
    width = _points_of(ax, spans)
    if len(begun) > BINS and 0 < width < SEEN:
        _draw_shares(ax, begun, spans / size, rows)
    else:
        spans[:, 1] = np.maximum(spans[:, 1], spans[:, 0] + narrowest)
        for state in style.COLORS:
            _draw_bars(ax, state, begun, spans / size, rows, edge=0.6 if width > EDGED else 0.0)
    ax.set(xlabel=f"{unit} since the search began", xlim=(0, spans[:, 1].max() / size * 1.005))
    middle, half = 0.5 * (len(names) - 1), 0.5 * max(len(names), 3)
    ax.set_ylim(middle + half, middle - half)
    _name_rows(ax, names)
    if len(begun) <= MAX_NUMBERED:
        _number(ax, begun, spans / size, rows)
    style.finish(ax, aside)
    return ax


def _spans(begun: list[FrozenTrial]) -> np.ndarray:
    """Return seconds from the first start to the start and the end of each trial."""
    known = [t for trial in begun for t in (started(trial), trial.datetime_complete) if t]
    first, last = min(known), max(known)

    def seconds(moment: datetime | None) -> float:
        return ((moment or last) - first).total_seconds()

    spans = np.array([[seconds(started(t)), seconds(t.datetime_complete)] for t in begun])
    spans[:, 1] = np.maximum(spans[:, 1], spans[:, 0])
    return spans


def _rows(begun: list[FrozenTrial], spans: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return the row of each trial and the names of the rows: workers first, then packed ones."""
    workers = [trial.user_attrs.get("worker") for trial in begun]
    known = sorted({worker for worker in workers if isinstance(worker, int)})
    names = [f"worker {worker}" for worker in known]
    rows = np.zeros(len(begun), dtype=int)
    busy: list[tuple[float, int]] = []
    free: list[int] = []
    for index, (worker, (start, end)) in enumerate(zip(workers, spans, strict=True)):
        if worker in known:
            rows[index] = known.index(worker)
            continue
        while busy and busy[0][0] <= start:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if not free:
            free.append(len(names))
            names.append("")
        rows[index] = heapq.heappop(free)
        heapq.heappush(busy, (end, int(rows[index])))
    return rows, names


def _points_of(ax: Axes, spans: np.ndarray) -> float:
    """Return how wide half of the bars are at least, in points."""
    width = ax.get_window_extent().width * 72 / ax.figure.dpi
    longest = max(spans[:, 1].max(), 1e-6)
    return float(np.median(spans[:, 1] - spans[:, 0])) / longest * width


def _draw_bars(
    ax: Axes,
    state: TrialState,
    begun: list[FrozenTrial],
    spans: np.ndarray,
    rows: np.ndarray,
    edge: float,
) -> None:
    """Draw the bars of the trials in one state."""
    mine = np.array([trial.state == state for trial in begun])
    if not mine.any():
        return
    (starts, ends), middles = spans[mine].T, rows[mine]
    low, high = middles - HEIGHT / 2, middles + HEIGHT / 2
    trials = [trial for trial, is_mine in zip(begun, mine, strict=True) if is_mine]
    gid = marks.group_id("dots", trials)
    _draw_boxes(ax, state, int(mine.sum()), starts, ends, low, high, edge, gid)


def _draw_shares(ax: Axes, begun: list[FrozenTrial], spans: np.ndarray, rows: np.ndarray) -> None:
    """Draw how much of each part of the time the trials in each state took, row by row."""
    edges = np.linspace(0, spans[:, 1].max(), BINS + 1)
    count = rows.max() + 1
    bottoms = np.zeros((count, BINS))
    for state in style.COLORS:
        mine = np.array([trial.state == state for trial in begun])
        if not mine.any():
            continue
        # How much of the time up to each edge the trials of a row took.
        taken = np.zeros((count, BINS + 1))
        for row in range(count):
            starts, ends = spans[mine & (rows == row)].T
            taken[row] = [np.clip(edge - starts, 0, ends - starts).sum() for edge in edges]
        shares = np.minimum(np.diff(taken, axis=1) / np.diff(edges), 1 - bottoms)
        where, part = np.nonzero(shares > 0)
        high = where + HEIGHT * (0.5 - bottoms[where, part])
        low = high - HEIGHT * shares[where, part]
        _draw_boxes(ax, state, int(mine.sum()), edges[part], edges[part + 1], low, high)
        bottoms += shares


def _draw_boxes(
    ax: Axes,
    state: TrialState,
    count: int,
    left: np.ndarray,
    right: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    edge: float = 0.0,
    gid: str | None = None,
) -> None:
    """Draw boxes in the color of a state."""
    corners = np.array([[left, low], [right, low], [right, high], [left, high]])
    ax.add_collection(
        PolyCollection(
            list(corners.transpose(2, 0, 1)),
            facecolors=style.COLORS[state],
            edgecolors=style.paper(ax) if edge else "none",
            linewidths=edge,
            label=f"{count:,} {style.WORDS[state]}",
            zorder=2,
            gid=gid,
        )
    )


def _name_rows(ax: Axes, names: list[str]) -> None:
    """Name the workers; rows that are only packed have no names."""
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    if not any(names):
        ax.set_yticks([])
        ax.set_ylabel(f"{len(names):,} at once" if len(names) > 1 else "one after the other")
        return
    step = -(-len(names) // MAX_NAMED)
    places = range(0, len(names), step)
    ax.yaxis.set_major_locator(FixedLocator(list(places)))
    ax.yaxis.set_major_formatter(FixedFormatter([names[place] for place in places]))


def _number(ax: Axes, begun: list[FrozenTrial], spans: np.ndarray, rows: np.ndarray) -> None:
    """Write the trials' numbers into the bars that have room for them."""
    narrowest = 0.022 * ax.get_xlim()[1]
    for trial, (start, end), row in zip(begun, spans, rows, strict=True):
        if end - start >= narrowest * len(str(trial.number)) ** 0.5:
            ax.text(
                0.5 * (start + end),
                row,
                str(trial.number),
                ha="center",
                va="center",
                fontsize=style.SMALL - 1,
                color="#222222",
                clip_on=True,
            )


def _aside(spans: np.ndarray, rows: int) -> str:
    """Return how long the search has taken, and how much of that the rows were busy."""
    wall = max(spans[:, 1].max(), 1e-6)
    unit, size = unit_of(np.array([wall]))
    busy = min((spans[:, 1] - spans[:, 0]).sum() / (wall * rows), 1.0)
    return f"{number(wall / size, 3)} {unit}, {busy:.0%} busy"
