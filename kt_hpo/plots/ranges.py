"""Which part of an axis is shown."""

from __future__ import annotations

from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from kt_hpo.formatting import number
from kt_hpo.metric_directions import is_at_most_one
from kt_hpo.plots.search import Search


def whole_numbers(ax: Axes) -> None:
    """Put the horizontal ticks on whole numbers: trials and epochs have no halves.

    Args:
        ax: `matplotlib.axes.Axes`. The axes.

    Example:
        >>> from kt_hpo.plots import style
        >>> whole_numbers(style.axes_of(None))
    """
    low, high = ax.get_xlim()
    if high - low < 1:
        middle = round((low + high) / 2)
        ax.set_xlim(middle - 0.5, middle + 0.5)
    ax.xaxis.set_major_locator(
        MaxNLocator(integer=True, nbins=8, steps=[1, 2, 5, 10], min_n_ticks=1)
    )


def fit_value_axis(
    ax: Axes,
    values: np.ndarray,
    maximize: bool,
    which: Literal["x", "y"] = "y",
    keep: np.ndarray | None = None,
    metric: str = "",
) -> None:
    """Scale an axis to objective values, so that a few wild ones hide no other.

    The best value is always inside; far outliers on the worse side are left outside.
    Losses of which the better part spans decades get a logarithmic axis.

    Args:
        ax: `matplotlib.axes.Axes`. The axes.
        values: Array of finite floats, at least one.
        maximize: Boolean, whether higher is better.
        which: String, the axis: `"x"` or `"y"`.
        keep: Array or None. Those of the values that stay inside whatever they are.
        metric: String, what they are values of: an axis of accuracies ends at 1.

    Example:
        >>> from kt_hpo.plots import style
        >>> ax = style.axes_of(None)
        >>> fit_value_axis(ax, np.array([1.0, 1.5, 2.0, 2.5, 3.0, 1e9]), maximize=False)
        >>> round(float(ax.get_ylim()[1]), 2)
        3.12
    """
    low, high, log = value_range(values, maximize, metric)
    if keep is not None and len(keep):
        low, high = _within(*_widened(low, high, log, keep), values, metric)
    axis = ax.xaxis if which == "x" else ax.yaxis
    if log:
        ax.set(**{f"{which}scale": "log"})
        axis.set_major_formatter(FuncFormatter(lambda value, _: number(value, 3)))
        axis.set_minor_formatter(NullFormatter())
    ax.set(**{f"{which}lim": (low, high)})


def fit_objective(ax: Axes, search: Search, values: np.ndarray) -> None:
    """Scale the vertical axis to values of a search's objective; see `fit_value_axis`.

    Args:
        ax: `matplotlib.axes.Axes`. The axes.
        search: The `Search`.
        values: Array of finite floats, at least one.

    Example:
        >>> import optuna
        >>> from kt_hpo.plots import style
        >>> study = optuna.create_study(direction="maximize")
        >>> study.set_metric_names(["val_accuracy"])
        >>> ax = style.axes_of(None)
        >>> fit_objective(ax, Search.of(study), np.array([0.9, 0.99]))
        >>> float(ax.get_ylim()[1])
        0.9954
    """
    fit_value_axis(ax, values, search.maximize, metric=search.objective)


def value_range(values: np.ndarray, maximize: bool, metric: str = "") -> tuple[float, float, bool]:
    """Return the range of objective values that an axis should show.

    Args:
        values: Array of finite floats, at least one.
        maximize: Boolean, whether higher is better.
        metric: String, what they are values of.

    Returns:
        From the best value to the last that is no outlier, with a margin; and whether the axis
        should be logarithmic.

    Example:
        >>> value_range(np.array([1.0, 2.0]), maximize=True)
        (0.94, 2.06, False)
    """
    log = not maximize and values.min() > 0 and np.quantile(values, 0.75) > 10 * values.min()
    sign = -1.0 if maximize else 1.0
    losses = sign * (np.log10(values) if log else values)
    best, third_quartile = np.quantile(losses, [0.0, 0.75])
    edge = losses[losses <= third_quartile + 2 * (third_quartile - best)].max()
    margin = 0.06 * (edge - best) or 0.05 * max(abs(best), 0.1)
    low, high = sorted((float(sign * (best - margin)), float(sign * (edge + margin))))
    return (10.0**low, 10.0**high, True) if log else (*_within(low, high, values, metric), False)


def _within(low: float, high: float, values: np.ndarray, metric: str) -> tuple[float, float]:
    """Return a range that ends where the metric does, which no axis should go beyond."""
    return (low, min(high, 1.0) if values.max() <= 1 and is_at_most_one(metric) else high)


def _widened(low: float, high: float, log: bool, keep: np.ndarray) -> tuple[float, float]:
    """Return a range that holds the values to keep as well, with a margin."""
    ends = np.array([low, high, keep.min(), keep.max()])
    if log:
        ends = np.log10(ends)
    margin = 0.06 * (ends.max() - ends.min())
    low, high = min(ends[0], ends[2] - margin), max(ends[1], ends[3] + margin)
    return (10.0**low, 10.0**high) if log else (low, high)
