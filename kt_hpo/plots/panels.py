"""Several small axes in one."""

from __future__ import annotations

import math

from matplotlib.axes import Axes

from kt_hpo.plots import style

# Inches that ticks and the name of a panel's horizontal axis take, and those between columns.
BELOW, BETWEEN = 0.55, 0.18


def panels_in(
    ax: Axes,
    count: int,
    columns: int,
    between: float = BETWEEN,
    below: float = BELOW,
    above: float = 0.0,
) -> list[Axes]:
    """Divide axes into panels, row by row, and leave of the axes themselves the title only.

    Args:
        ax: `matplotlib.axes.Axes`. The axes, dressed.
        count: Integer, how many panels.
        columns: Integer, how many stand side by side at most.
        between: Float, the inches between columns.
        below: Float, the inches for ticks and name under each row but the last.
        above: Float, the inches for a title over each row.

    Returns:
        List of `matplotlib.axes.Axes`, dressed.

    Example:
        >>> len(panels_in(style.axes_of(None), count=5, columns=3))
        5
    """
    rows = math.ceil(count / columns)
    columns = math.ceil(count / rows)
    frame = ax.get_window_extent()
    dpi = ax.figure.dpi
    gap_x = min(between * dpi / frame.width, 0.5 / columns)
    top = min(above * dpi / frame.height, 0.3 / rows)
    gap_y = min(below * dpi / frame.height, 0.4 / rows)
    width, height = (1 + gap_x) / columns, (1 + gap_y) / rows
    ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
    ax.spines[:].set_visible(False)
    panels = []
    for index in range(count):
        row, column = divmod(index, columns)
        corner = (column * width, 1 - (row + 1) * height + gap_y)
        panel = ax.inset_axes((*corner, width - gap_x, height - gap_y - top))
        style.dress(panel, "")
        panels.append(panel)
    return panels


def share_vertical(panels: list[Axes], label: str = "") -> None:
    """Give panels of one row or more the vertical axis of the first, numbered at the left only.

    Args:
        panels: List of `matplotlib.axes.Axes` that `panels_in` made.
        label: String, the axis' label.

    Example:
        >>> share_vertical(panels_in(style.axes_of(None), count=2, columns=2), "loss")
    """
    lefts = [panel.get_position().x0 for panel in panels]
    for panel, left in zip(panels, lefts, strict=True):
        panel.set_ylim(panels[0].get_ylim())
        if left > min(lefts) + 1e-6:
            panel.tick_params(axis="y", which="both", labelleft=False, length=0)
            panel.spines["left"].set_visible(False)
        elif label:
            panel.set_ylabel(label, fontsize=style.NORMAL)
