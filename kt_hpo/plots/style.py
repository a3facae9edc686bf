"""How every plot looks: its colours, its axes and its words, in one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from matplotlib import pyplot as plt
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, ScalarFormatter
from optuna.trial import TrialState

# Okabe and Ito's palette: told apart with every kind of colour vision.
ORANGE, SKY, GREEN, BLUE, VERMILLION = "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00"
GREY = "#999999"

# Of trials, by state.
COLOURS = {
    TrialState.COMPLETE: SKY,
    TrialState.PRUNED: ORANGE,
    TrialState.RUNNING: GREEN,
    TrialState.FAIL: VERMILLION,
}
WORDS = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.RUNNING: "running",
    TrialState.FAIL: "failed",
}

SMALL, NORMAL, LARGE = 8.5, 9.5, 11.5


@contextmanager
def styled() -> Iterator[None]:
    """Draws words as they are: names come from users, "$" and "_" in them are no mathematics.

    The user's settings are left as they were, and fonts are the user's all the while.
    `matplotlib.rc_context` would do, were it not to undo what a notebook's backend sets when the
    first figure loads it: no figure of the user's would be shown from then on.

    Yields:
        None.

    Example:
        >>> with styled():
        ...     rcParams["text.parse_math"]
        False
    """
    before = rcParams["text.usetex"], rcParams["text.parse_math"]
    rcParams["text.usetex"], rcParams["text.parse_math"] = False, False
    try:
        yield
    finally:
        rcParams["text.usetex"], rcParams["text.parse_math"] = before


def axes_of(ax: Axes | None) -> Axes:
    """Return the given axes, or those of a new white figure that a notebook shows.

    Args:
        ax: `matplotlib.axes.Axes` or None. The caller's own axes.

    Returns:
        The `matplotlib.axes.Axes` to draw on.

    Example:
        >>> axes_of(None).figure.get_facecolor()
        (1.0, 1.0, 1.0, 1.0)
    """
    if ax is not None:
        return ax
    return plt.subplots(figsize=(7.0, 4.2), layout="constrained", facecolor="white")[1]


def brightness(colour: Any) -> float:
    """Return how bright a colour looks on white paper.

    Args:
        colour: Any colour matplotlib knows.

    Returns:
        A float from 0 (black) to 1 (white).

    Example:
        >>> brightness("white") > brightness("yellow") > brightness("blue")
        True
    """
    red, green, blue, alpha = to_rgba(colour)
    return 1 - alpha * (1 - (0.2126 * red + 0.7152 * green + 0.0722 * blue))


def ink(ax: Axes) -> str:
    """Return the colour of words beside these axes: dark on light paper, light on dark.

    Args:
        ax: `matplotlib.axes.Axes`. The axes to write on.

    Returns:
        A colour as a string.

    Example:
        >>> ink(axes_of(None))
        '#333333'
    """
    return "#333333" if brightness(ax.figure.get_facecolor()) > 0.4 else "#DDDDDD"


def dress(
    ax: Axes,
    title: str,
    xlabel: str = "",
    ylabel: str = "",
    grid: Literal["x", "y", "both"] | None = "y",
) -> None:
    """Give axes the house's look, whatever the user's `rcParams` say.

    Args:
        ax: `matplotlib.axes.Axes`. The axes to dress.
        title: String, what the plot shows.
        xlabel: String, the label of the horizontal axis.
        ylabel: String, the label of the vertical axis.
        grid: String or None. The axis with grid lines: `"x"`, `"y"` or `"both"`.

    Example:
        >>> ax = axes_of(None)
        >>> dress(ax, "Durations", xlabel="seconds")
        >>> ax.get_xlabel()
        'seconds'
    """
    colour = ink(ax)
    ax.set_facecolor("none")
    ax.set_title(title, loc="left", fontsize=LARGE, fontweight="bold", color=colour)
    ax.set_xlabel(xlabel, fontsize=NORMAL, color=colour)
    ax.set_ylabel(ylabel, fontsize=NORMAL, color=colour)
    ax.tick_params(
        which="both", labelsize=SMALL, labelcolor=colour, color=GREY, length=3, width=0.6
    )
    for side, spine in ax.spines.items():
        spine.set(visible=side in ("left", "bottom"), color=GREY, linewidth=0.6)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(ScalarFormatter(useMathText=False, usetex=False))
    ax.set_axisbelow(True)
    ax.grid(False, which="both")
    if grid:
        ax.grid(True, axis=grid, color=GREY, alpha=0.25, linewidth=0.6, linestyle="-")


def finish(ax: Axes, aside: str = "", colour: str | None = None) -> None:
    """List what was drawn in a row under the title, where it hides no data, and add an aside.

    Args:
        ax: `matplotlib.axes.Axes`. The axes, dressed, with labelled artists.
        aside: String, the words at the title's right: the figure to remember.
        colour: String or None. The aside's colour, that of the artist it names.

    Example:
        >>> ax = axes_of(None)
        >>> line = ax.plot([1, 2], label="best so far")
        >>> finish(ax, "0.9 in trial 3")
        >>> ax.get_legend().get_texts()[0].get_text(), ax.get_title(loc="right")
        ('best so far', '0.9 in trial 3')
    """
    handles, labels = ax.get_legend_handles_labels()
    # The titles of an axes share one distance.
    ax.set_title(
        aside, loc="right", fontsize=NORMAL, color=colour or ink(ax), pad=24 if handles else 8
    )
    if not handles:
        return
    row = ax.legend(
        handles,
        labels,
        loc="lower left",
        bbox_to_anchor=(-0.01, 0.99),
        ncols=len(handles),
        fontsize=SMALL,
        labelcolor=ink(ax),
        frameon=False,
        borderpad=0.2,
        columnspacing=1.2,
        handlelength=1.3,
        handletextpad=0.5,
    )
    for handle in row.legend_handles:
        if handle is not None:
            handle.set_alpha(1.0)


def say(ax: Axes, reason: str) -> Axes:
    """Write quietly why there is nothing to show, and hide the empty axes.

    Args:
        ax: `matplotlib.axes.Axes`. The axes, dressed.
        reason: String, the sentence to write.

    Returns:
        The same axes.

    Example:
        >>> say(axes_of(None), "No trial has finished.").texts[0].get_text()
        'No trial has finished.'
    """
    ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
    ax.spines[:].set_visible(False)
    ax.text(
        0.5,
        0.5,
        reason,
        transform=ax.transAxes,
        ha="center",
        va="center",
        fontsize=NORMAL,
        style="italic",
        color=GREY,
    )
    return ax


def shorten(name: str, width: int = 24) -> str:
    """Shorten a long name in its middle, where names differ least.

    Args:
        name: String, the name.
        width: Integer, the most characters to keep.

    Returns:
        The name as a string, at most `width` characters long.

    Example:
        >>> shorten("convolution_block_3_number_of_filters", 20)
        'convolutio…f_filters'
    """
    name = " ".join(name.split())
    tail = (width - 1) // 2
    return name if len(name) <= width else f"{name[: width - 1 - tail]}…{name[-tail:]}"


def whole_numbers(ax: Axes) -> None:
    """Put the horizontal ticks on whole numbers: trials and epochs have no halves.

    Args:
        ax: `matplotlib.axes.Axes`. The axes.

    Example:
        >>> whole_numbers(axes_of(None))
    """
    low, high = ax.get_xlim()
    if high - low < 1:
        middle = round((low + high) / 2)
        ax.set_xlim(middle - 0.5, middle + 0.5)
    ax.xaxis.set_major_locator(
        MaxNLocator(integer=True, nbins=8, steps=[1, 2, 5, 10], min_n_ticks=1)
    )


def fit_value_axis(ax: Axes, values: np.ndarray, maximize: bool) -> None:
    """Scale the vertical axis to objective values, so that a few wild ones hide no other.

    The best value is always inside; far outliers on the worse side are left outside.
    Losses of which the better part spans decades get a logarithmic axis.

    Args:
        ax: `matplotlib.axes.Axes`. The axes.
        values: Array of finite floats, at least one.
        maximize: Boolean, whether higher is better.

    Example:
        >>> ax = axes_of(None)
        >>> fit_value_axis(ax, np.array([1.0, 1.5, 2.0, 2.5, 3.0, 1e9]), maximize=False)
        >>> round(float(ax.get_ylim()[1]), 2)
        3.12
    """
    log = not maximize and values.min() > 0 and np.quantile(values, 0.75) > 10 * values.min()
    sign = -1.0 if maximize else 1.0
    losses = sign * (np.log10(values) if log else values)
    best, third_quartile = np.quantile(losses, [0.0, 0.75])
    edge = losses[losses <= third_quartile + 2 * (third_quartile - best)].max()
    margin = 0.06 * (edge - best) or 0.05 * max(abs(best), 0.1)
    low, high = sorted((sign * (best - margin), sign * (edge + margin)))
    if log:
        low, high = 10.0**low, 10.0**high
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_ylim(low, high)
