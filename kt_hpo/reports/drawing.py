"""What a chart is made of: dots and lines in a square, which the page stretches as it needs.

Dots and lines carry the numbers of their trials; the page's script reads the places back from the
paths to tell which trial the pointer is at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.trial import FrozenTrial

from kt_hpo.reports.scales import SIDE, Numbers, Scale


@dataclass(frozen=True)
class Layer:
    """Dots or lines of one look.

    Attributes:
        kind: The look: `complete`, `pruned`, `running`, `failed`, `top`, `best`, `curve`, `line`.
        path: The path of an SVG image.
        trials: The number of the trial of each of its points, or of all of them; empty where
            the points are no trials.
        label: What it is called in the legend; nothing where it is not listed.
    """

    kind: str
    path: str
    trials: Sequence[int] = ()
    label: str = ""


@dataclass(frozen=True)
class Chart:
    """A figure.

    Attributes:
        title: What it shows.
        xlabel: What the horizontal axis shows.
        ylabel: What the vertical axis shows.
        x: The horizontal scale.
        y: The vertical scale.
        layers: What is drawn, the hindmost first.
        aside: What there is to say beside the title.
    """

    title: str
    xlabel: str
    ylabel: str
    x: Scale
    y: Scale
    layers: Sequence[Layer]
    aside: str = ""


def places(x: Scale, across: Sequence[Any], y: Scale, up: Sequence[Any]) -> list[tuple[int, int]]:
    """Gives the places of points, counted from the lower left.

    Args:
        x: The horizontal scale.
        across: Their values on it.
        y: The vertical scale.
        up: Their values on that.

    Returns:
        A pair a point.
    """
    return list(zip(x.places(across), y.places(up), strict=True))


def dots(
    kind: str,
    points: Iterable[tuple[int, int]],
    trials: Sequence[FrozenTrial],
    label: str = "",
) -> Layer:
    """Draws a dot a trial.

    Args:
        kind: The look.
        points: The places of the dots.
        trials: Their trials.
        label: What they are called in the legend.

    Returns:
        The layer, of one path whatever the number of dots.

    Example:
        >>> dots("complete", [(10, 20)], []).path
        'M10 980h0'
    """
    path = "".join(f"M{x} {SIDE - y}h0" for x, y in points)
    return Layer(kind, path, [trial.number for trial in trials], label)


def picked_dots(
    kind: str,
    points: Sequence[tuple[int, int]],
    trials: Sequence[FrozenTrial],
    picks: Callable[[FrozenTrial], bool],
    label: str,
) -> Layer:
    """Draws a dot for each of some trials.

    Args:
        kind: The look.
        points: The places of all trials.
        trials: The trials.
        picks: Tells which of them are drawn.
        label: What these are called in the legend.

    Returns:
        The layer.
    """
    chosen = [(p, t) for p, t in zip(points, trials, strict=True) if picks(t)]
    return dots(kind, [point for point, _ in chosen], [trial for _, trial in chosen], label)


def line(points: Sequence[tuple[int, int]]) -> str:
    """Draws a line through points.

    Args:
        points: The places, at least one.

    Returns:
        The path.

    Example:
        >>> line([(0, 0), (1000, 1000)])
        'M0 1000L1000 0'
    """
    return "M" + "L".join(f"{x} {SIDE - y}" for x, y in points)


def steps(points: Sequence[tuple[int, int]]) -> str:
    """Draws steps through points, each on its height until the next.

    Args:
        points: The places, at least one.

    Returns:
        The path.

    Example:
        >>> steps([(0, 0), (500, 1000)])
        'M0 1000H500V0'
    """
    (x, y), *others = points
    return f"M{x} {SIDE - y}" + "".join(f"H{x}V{SIDE - y}" for x, y in others)


def drawn(layers: Iterable[Layer]) -> list[Layer]:
    """Leaves out the layers with nothing in them.

    Args:
        layers: The layers.

    Returns:
        Those that have something to draw.
    """
    return [layer for layer in layers if layer.path]


def beyond(y: Numbers, values: Sequence[float]) -> str:
    """Says how many values are worse than a scale shows.

    Args:
        y: The scale.
        values: The values drawn on it.

    Returns:
        A few words, none where all are shown.

    Example:
        >>> beyond(Numbers(0, 1), [0.5, 7.0])
        '1 off scale, at the edge'
    """
    count = sum(not y.low <= value <= y.high for value in values)
    return f"{count:,} off scale, at the edge" if count else ""
