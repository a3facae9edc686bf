"""The strip above a plot that says what its colors mean."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.offsetbox import AnnotationBbox, DrawingArea, HPacker, TextArea
from matplotlib.patches import Rectangle

# In points.
WIDTH, HEIGHT, ABOVE = 60.0, 6.0, 11.0


def draw_key(ax: Axes, colors: Colormap, low: str, high: str, **words: Any) -> None:
    """Draw colors as a strip between two words, above the axes at the right.

    Args:
        ax: `matplotlib.axes.Axes`. The axes.
        colors: `matplotlib.colors.Colormap`. The colors.
        low: String, what the first of them means.
        high: String, what the last of them means.
        **words: How the words look: `fontsize`, `color`.

    Example:
        >>> from matplotlib import colormaps
        >>> from matplotlib.figure import Figure
        >>> draw_key(Figure().subplots(), colormaps["Blues"], "worse", "better")
    """
    left, right = (TextArea(word, textprops=words) for word in (low, high))
    key = HPacker(children=[left, _strip(colors), right], align="center", pad=0, sep=5)
    ax.add_artist(
        AnnotationBbox(
            key,
            (1.0, 1.0),
            xycoords="axes fraction",
            xybox=(0, ABOVE),
            boxcoords="offset points",
            box_alignment=(1.0, 0.5),
            frameon=False,
            pad=0,
        )
    )


def _strip(colors: Colormap, steps: int = 60) -> DrawingArea:
    """Return the colors side by side."""
    area, width = DrawingArea(WIDTH, HEIGHT), WIDTH / steps
    for step in range(steps):
        color = colors(step / (steps - 1))
        area.add_artist(Rectangle((step * width, 0), 1.1 * width, HEIGHT, lw=0, color=color))
    return area
