"""Pictures of results: the house's colors on white paper, as SVG beside the numbers."""

from __future__ import annotations

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.measuring import RESULTS
from kt_hpo.plots.style import BLUE, GRAY, ORANGE

__all__ = ["BLUE", "GRAY", "ORANGE", "axes", "saved"]


def axes(ax: Axes, title: str, x: str, y: str, log: str = "") -> None:
    """Names axes, and makes those logarithmic whose letters are in `log`."""
    ax.set_title(title, loc="left", fontsize=10.5)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    if "x" in log:
        ax.set_xscale("log")
    if "y" in log:
        ax.set_yscale("log")
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.25)


def saved(figure: Figure, name: str) -> str:
    """Writes a picture; returns its path as RESULTS.md names it."""
    file = RESULTS / f"{name}.svg"
    plt.rcParams["svg.hashsalt"] = name  # The same picture is the same file.
    figure.savefig(file, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    return f"results/{file.name}"
