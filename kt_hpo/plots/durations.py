"""Where the time went."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from kt_hpo.formatting import number
from kt_hpo.plots import style
from kt_hpo.plots.search import Search
from kt_hpo.record import clock

# Each with its seconds, and from how many of them on it is used.
UNITS = (
    ("hours", 3600.0, 10_800.0),
    ("minutes", 60.0, 180.0),
    ("seconds", 1.0, 1.0),
    ("milliseconds", 1e-3, 0.0),
)


@style.styled()
def plot_durations(tuner_or_study: Any, ax: Axes | None = None) -> Axes:
    """Plot how long the trials took, as a histogram stacked by how they ended.

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
        >>> plot_durations(study).get_ylabel()
        'trials'
    """
    search, ax = Search.of(tuner_or_study), style.axes_of(ax)
    seconds = {
        state: [s for t in search.with_state(state) if (s := clock.seconds(t)) is not None]
        for state in style.COLORS
    }
    seconds = {state: durations for state, durations in seconds.items() if durations}
    everything = np.array([value for durations in seconds.values() for value in durations])
    unit, size = unit_of(everything)
    style.dress(ax, "Durations", f"{unit} per trial", "trials")
    if not seconds:
        return style.say(ax, "No trial has ended yet.")
    ax.hist(
        [np.array(durations) / size for durations in seconds.values()],
        bins=_bins(everything / size).tolist(),
        stacked=True,
        color=[style.COLORS[state] for state in seconds],
        edgecolor="white",
        linewidth=0.6,
        label=[f"{len(durations):,} {style.WORDS[state]}" for state, durations in seconds.items()],
    )
    ax.set_xlim(left=0)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    total_unit, total_size = unit_of(everything.sum(keepdims=True))
    total = f"{number(everything.sum() / total_size, 3)} {total_unit} in all"
    style.finish(ax, total)
    return ax


def unit_of(seconds: np.ndarray) -> tuple[str, float]:
    """Choose the unit to tell durations in.

    Args:
        seconds: Array of durations.

    Returns:
        The largest unit of which the longest has three, or one second, and its seconds.

    Example:
        >>> unit_of(np.array([10.0, 200.0]))
        ('minutes', 60.0)
    """
    longest = seconds.max(initial=0.0)
    return next((name, size) for name, size, least in UNITS if longest >= least)


def _bins(durations: np.ndarray) -> np.ndarray:
    """Return the edges of 5 to 30 equal bins from zero to the longest."""
    return np.linspace(0, durations.max() * 1.001, int(np.clip(len(durations) ** 0.5, 5, 30)) + 1)
