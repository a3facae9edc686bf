"""How soon searches found what they found: the best so far, of several side by side."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes

from kt_hpo.arguments import is_one_of
from kt_hpo.plots import ranges, style, text
from kt_hpo.plots.durations import unit_of
from kt_hpo.plots.search import Search, names_of, searches_of
from kt_hpo.record.best import best_so_far
from kt_hpo.record.clock import started

Over = Literal["trials", "seconds"]
OVERS: tuple[Over, ...] = ("trials", "seconds")


@style.styled()
def plot_best_so_far(tuner_or_study: Any, ax: Axes | None = None, *, over: Over = "trials") -> Axes:
    """Plot the best so far as steps, of one search or of several to compare.

    Args:
        tuner_or_study: A tuner, an `optuna.Study`, or a sequence of these, such as several
            algorithms on one problem.
        ax: `matplotlib.axes.Axes` or None. Where to draw; a new figure if None.
        over: String, `"trials"`, those that have ended, or `"seconds"` since each search began.

    Returns:
        The `matplotlib.axes.Axes`.

    Raises:
        TypeError: If there is neither a tuner nor a study.
        ValueError: If the searches to compare have objectives of different names or directions,
            or `over` is another.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
        >>> plot_best_so_far([study, study]).get_xlabel()
        'ended trials'
    """
    if not is_one_of(over, OVERS):
        raise ValueError(f"over={over!r} is not allowed; give 'trials' or 'seconds'.")
    searches = searches_of(tuner_or_study)
    first, ax = searches[0], style.axes_of(ax)
    better = "higher" if first.maximize else "lower"
    title = "Best so far by " + ("trial" if over == "trials" else "time")
    style.dress(ax, title, "ended trials", f"{first.label}, {better} is better")
    steps = [_steps(search, over) for search in searches]
    known = [line for line in steps if len(line)]
    if not known:
        some = any(search.trials for search in searches)
        return style.say(ax, "No trial has a value yet." if some else "No trials yet.")
    unit, size = "", 1.0
    if over == "seconds":
        unit, size = unit_of(np.concatenate([line[:, 0] for line in known]))
        ax.set_xlabel(f"{unit} since the search began")
    heights = np.concatenate([line[:, 1] for line in known])
    ranges.fit_objective(ax, first, heights)
    for index, (name, line) in enumerate(zip(names_of(searches), steps, strict=True)):
        if len(line):
            label = text.shorten(name, 30) if len(searches) > 1 else None
            _draw(ax, line / (size, 1.0), *style.line_of(index), label)
    ax.set_xlim(left=0)
    if over == "trials":
        ranges.whole_numbers(ax)
    style.finish(ax, f"{len(searches)} searches" if len(searches) > 1 else "")
    return ax


def _steps(search: Search, over: Over) -> np.ndarray:
    """Return where each improvement came and how good it was, and where the search is now."""
    ended = [trial for trial in search.trials if trial.state.is_finished()]
    if over == "seconds":
        begun = min((moment for t in search.trials if (moment := started(t))), default=None)
        moments = {t.number: t.datetime_complete for t in ended}
        timed = {
            number: (moment - begun).total_seconds()
            for number, moment in moments.items()
            if moment is not None and begun is not None
        }
        ended = sorted((t for t in ended if t.number in timed), key=lambda t: timed[t.number])
        places = [timed[trial.number] for trial in ended]
    else:
        places = [float(index + 1) for index in range(len(ended))]
    place = {trial.number: where for trial, where in zip(ended, places, strict=True)}
    finished = {trial.number for trial in search.finished()}
    order = [trial for trial in ended if trial.number in finished]
    so_far = best_so_far(search.study, order)
    points = [(place[number], search.value(best)) for number, best in so_far.items()]
    return np.array([*points, (places[-1], points[-1][1])]) if points else np.empty((0, 2))


def _draw(ax: Axes, line: np.ndarray, color: str, dashes: str, label: str | None) -> None:
    """Draw the steps of one search, with a dot where it is now."""
    x, y = line.T
    look: dict[str, Any] = {"color": color, "zorder": 2.5}
    ax.plot(x, y, drawstyle="steps-post", linewidth=1.8, linestyle=dashes, label=label, **look)
    ax.plot(x[-1:], y[-1:], marker="o", markersize=5, clip_on=False, **look)
