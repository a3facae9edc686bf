"""Where in the plane of two hyperparameters the good trials are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from kt_hpo.plots import marks, style
from kt_hpo.plots.pairs import pair_of
from kt_hpo.plots.search import Search


@style.styled()
def plot_rank(
    tuner_or_study: Any, ax: Axes | None = None, *, hyperparameters: Sequence[str] | None = None
) -> Axes:
    """Plot the trials over two hyperparameters, the darker and larger the better they rank.

    A rank says nothing about how far values spread, and so no outlier hides what is good. Crosses
    are trials that failed.

    Args:
        tuner_or_study: A tuner, or an `optuna.Study`.
        ax: `matplotlib.axes.Axes` or None. Where to draw; a new figure if None.
        hyperparameters: Two strings or None. Their names; the two most important if None.

    Returns:
        The `matplotlib.axes.Axes`.

    Raises:
        TypeError: If the first argument is neither a tuner nor a study.
        ValueError: If they are not two, or a name is none of a hyperparameter that varies.

    Example:
        >>> import optuna
        >>> def f(trial):
        ...     return trial.suggest_float("x", 0, 1) + trial.suggest_int("y", 0, 9)
        >>> study = optuna.create_study()
        >>> study.optimize(f, n_trials=3)
        >>> plot_rank(study).get_ylabel()
        'y'
    """
    search, ax = Search.of(tuner_or_study), style.axes_of(ax)
    style.dress(ax, "Ranks", grid="both")
    pair = pair_of(search, hyperparameters)
    if isinstance(pair, str):
        return style.say(ax, pair)
    across, up = pair
    has_both = [t for t in search.finished() if across.name in t.params and up.name in t.params]
    failed = [t for t in search.without_value() if across.name in t.params and up.name in t.params]
    goodness = search.goodness(has_both)
    order = np.argsort(goodness, kind="stable")
    size = float(np.clip(6000 / max(len(has_both), 1), 10, 70))
    ax.scatter(
        across.places(has_both)[order],
        up.places(has_both)[order],
        c=style.goodness(ax)(goodness[order]),
        s=size * (0.45 + 0.55 * goodness[order]),
        linewidths=0.5,
        edgecolors="white",
        zorder=2.5,
    )
    if failed:
        ax.scatter(
            across.places(failed),
            up.places(failed),
            marker="x",
            s=20,
            linewidths=1.0,
            color=style.VERMILLION,
            label=f"{len(failed):,} without a value",
            zorder=2.4,
        )
    best = search.best()
    if best in has_both:
        marks.star(ax, float(across.places([best])[0]), float(up.places([best])[0]), best, size=210)
    across.put_on(ax, "x", count=7)
    up.put_on(ax, "y", count=6)
    style.finish(ax, search.label, key=("worse", "better"))
    return ax
