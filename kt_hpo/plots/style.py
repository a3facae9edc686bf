"""How every plot looks: its colors, its axes and its words, in one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from matplotlib import pyplot as plt
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgba
from matplotlib.ticker import ScalarFormatter
from optuna.trial import TrialState

from kt_hpo.plots.key import draw_key

# Okabe and Ito's palette: told apart with every kind of color vision.
ORANGE, SKY, GREEN, BLUE, VERMILLION = "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00"
PURPLE, GRAY = "#CC79A7", "#999999"
PALE = "#BFE3F7"
# Of things that are only to be told apart, in the order to take them.
CYCLE = (BLUE, ORANGE, GREEN, VERMILLION, SKY, PURPLE, GRAY)
# From the worst trial to the best: ever farther from the paper, so that print and every eye keep
# the order.
_ON_LIGHT = LinearSegmentedColormap.from_list("light", ["#DCE3E8", "#8FC7EA", BLUE, "#00304F"])
_ON_DARK = LinearSegmentedColormap.from_list("dark", ["#3A444B", "#1F6E9E", SKY, "#E3F3FD"])

# Of trials, by state.
COLORS = {
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
# Inches: a character of the legend, what else an entry takes, and the strip of colors beside it.
CHARACTER, HANDLE, KEY = 0.072, 0.42, 1.9


class _Thousands(ScalarFormatter):
    """Matplotlib's numbers of ticks, with thousands set apart as they are everywhere else."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        written: str = super().__call__(x, pos)
        return f"{int(written):,}" if written.isdecimal() else written


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


def axes_of(ax: Axes | None, height: float = 4.2) -> Axes:
    """Return the given axes, or those of a new white figure that a notebook shows.

    Args:
        ax: `matplotlib.axes.Axes` or None. The caller's own axes.
        height: Float, the height of a new figure in inches.

    Returns:
        The `matplotlib.axes.Axes` to draw on.

    Example:
        >>> axes_of(None).figure.get_facecolor()
        (1.0, 1.0, 1.0, 1.0)
    """
    if ax is not None:
        return ax
    return plt.subplots(figsize=(7.0, height), layout="constrained", facecolor="white")[1]


def brightness(color: Any) -> float:
    """Return how bright a color looks on white paper.

    Args:
        color: Any color matplotlib knows.

    Returns:
        A float from 0 (black) to 1 (white).

    Example:
        >>> brightness("white") > brightness("yellow") > brightness("blue")
        True
    """
    red, green, blue, alpha = to_rgba(color)
    return 1 - alpha * (1 - (0.2126 * red + 0.7152 * green + 0.0722 * blue))


def ink(ax: Axes) -> str:
    """Return the color of words beside these axes: dark on light paper, light on dark.

    Args:
        ax: `matplotlib.axes.Axes`. The axes to write on.

    Returns:
        A color as a string.

    Example:
        >>> ink(axes_of(None))
        '#333333'
    """
    return "#333333" if brightness(ax.figure.get_facecolor()) > 0.4 else "#DDDDDD"


def goodness(ax: Axes) -> LinearSegmentedColormap:
    """Return the colors from the worst trial to the best, the best farthest from the paper.

    Args:
        ax: `matplotlib.axes.Axes`. The axes to draw on.

    Returns:
        A `matplotlib.colors.LinearSegmentedColormap`.

    Example:
        >>> worst, best = goodness(axes_of(None))([0.0, 1.0])
        >>> brightness(worst) > brightness(best)
        True
    """
    return _ON_LIGHT if ink(ax) == "#333333" else _ON_DARK


def accent(ax: Axes) -> str:
    """Return the color of what matters most: a deep blue on light paper, a pale one on dark.

    Args:
        ax: `matplotlib.axes.Axes`. The axes to draw on.

    Returns:
        A color as a string.

    Example:
        >>> accent(axes_of(None)) == BLUE
        True
    """
    return BLUE if ink(ax) == "#333333" else PALE


def line_of(index: int) -> tuple[str, str]:
    """Return the color and the dashes of one of several lines that are to be told apart.

    Args:
        index: Integer, which of them.

    Returns:
        A color and a line style of matplotlib's; colors come again after seven, and print has none.

    Example:
        >>> line_of(0), line_of(7)[1]
        (('#0072B2', '-'), '--')
    """
    dashes = index // len(CYCLE) if index >= len(CYCLE) else index
    return CYCLE[index % len(CYCLE)], ("-", "--", ":", "-.")[dashes % 4]


def paper(ax: Axes) -> str:
    """Return the color behind these axes.

    Args:
        ax: `matplotlib.axes.Axes`. The axes.

    Returns:
        A color as a string.

    Example:
        >>> paper(axes_of(None))
        '#ffffff'
    """
    color = ax.figure.get_facecolor()
    return to_hex(color) if to_rgba(color)[3] > 0 else "#ffffff"


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
    color = ink(ax)
    ax.set_facecolor("none")
    ax.set_title(title, loc="left", fontsize=LARGE, fontweight="bold", color=color)
    ax.set_xlabel(xlabel, fontsize=NORMAL, color=color)
    ax.set_ylabel(ylabel, fontsize=NORMAL, color=color)
    ax.tick_params(which="both", labelsize=SMALL, labelcolor=color, color=GRAY, length=3, width=0.6)
    for side, spine in ax.spines.items():
        spine.set(visible=side in ("left", "bottom"), color=GRAY, linewidth=0.6)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(_Thousands(useMathText=False, usetex=False))
    ax.set_axisbelow(True)
    ax.grid(False, which="both")
    if grid:
        ax.grid(True, axis=grid, color=GRAY, alpha=0.25, linewidth=0.6, linestyle="-")


def finish(
    ax: Axes, aside: str = "", color: str | None = None, key: tuple[str, str] | None = None
) -> None:
    """List what was drawn in a row under the title, where it hides no data, and add an aside.

    Args:
        ax: `matplotlib.axes.Axes`. The axes, dressed, with labeled artists.
        aside: String, the words at the title's right: the figure to remember.
        color: String or None. The aside's color, that of the artist it names.
        key: Two strings or None. What the two ends of `goodness` mean, where it was used.

    Example:
        >>> ax = axes_of(None)
        >>> line = ax.plot([1, 2], label="best so far")
        >>> finish(ax, "0.9 in trial 3")
        >>> ax.get_legend().get_texts()[0].get_text(), ax.get_title(loc="right")
        ('best so far', '0.9 in trial 3')
    """
    handles, labels = ax.get_legend_handles_labels()
    inches = ax.get_window_extent().width / ax.figure.dpi - (KEY if key else 0)
    rows = 1 if sum(HANDLE + CHARACTER * len(label) for label in labels) <= inches else 2
    # The titles of an axes share one distance.
    pad = (24 if rows == 1 else 36) if handles or key else 8
    ax.set_title(aside, loc="right", fontsize=NORMAL, color=color or ink(ax), pad=pad)
    if key:
        draw_key(ax, goodness(ax), *key, fontsize=SMALL, color=ink(ax))
    if not handles:
        return
    row = ax.legend(
        handles,
        labels,
        loc="lower left",
        bbox_to_anchor=(-0.01, 0.99),
        ncols=-(-len(handles) // rows),
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
        color=GRAY,
    )
    return ax
