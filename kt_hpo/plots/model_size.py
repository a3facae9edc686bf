"""What larger models gain."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter
from optuna.trial import FrozenTrial

from kt_hpo.formatting import number
from kt_hpo.plots import marks, ranges, style
from kt_hpo.plots.search import Search


@style.styled()
def plot_model_size(tuner_or_study: Any, ax: Axes | None = None) -> Axes:
    """Plot the objective over the number of the model's weights; the best trial is a star.

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
        >>> for size in (100, 200):
        ...     trial = optuna.create_trial(value=1 / size, user_attrs={"parameters": size})
        ...     study.add_trial(trial)
        >>> plot_model_size(study).get_xlabel()
        'parameters'
    """
    search, ax = Search.of(tuner_or_study), style.axes_of(ax)
    style.dress(ax, "Score and size", "parameters", search.label)
    trials = sized(search)
    if not trials:
        none = "No trial has a value yet." if search.trials else "No trials yet."
        return style.say(ax, "No sizes were recorded." if search.finished() else none)
    values = search.values(trials)
    ranges.fit_objective(ax, search, values)
    sizes = np.array([trial.user_attrs["parameters"] for trial in trials], dtype=float)
    if sizes.max() > 10 * sizes.min():
        ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda size, _: number(size, 3)))
    ax.xaxis.set_minor_formatter(NullFormatter())
    crowd = len(trials)
    marks.dots(
        ax,
        sizes,
        values,
        trials,
        s=float(np.clip(3000 / crowd, 9, 30)),
        alpha=0.9 if crowd < 300 else 0.6,
        linewidths=0.8 if crowd < 300 else 0.6,
        facecolors=style.SKY,
        edgecolors=style.accent(ax),
        zorder=2.5,
    )
    best = search.best()
    if best in trials:
        marks.star(ax, best.user_attrs["parameters"], search.value(best), best)
    off = marks.off_scale(ax, values).sum()
    style.finish(ax, f"{off} off scale" if off else "")
    return ax


def sized(search: Search) -> list[FrozenTrial]:
    """Return the finished trials whose models' sizes are recorded.

    Args:
        search: The `Search`.

    Returns:
        List of `optuna.trial.FrozenTrial`.

    Example:
        >>> import optuna
        >>> sized(Search.of(optuna.create_study()))
        []
    """
    return [trial for trial in search.finished() if trial.user_attrs.get("parameters")]
