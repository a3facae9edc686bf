"""How near a regression's predictions are to the truth."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from kt_hpo.formatting import number
from kt_hpo.plots import style

MAX_POINTS = 5000


@style.styled()
def plot_predictions(y_true: ArrayLike, y_pred: ArrayLike, ax: Axes | None = None) -> Axes:
    """Plot predicted values against true ones, with the line of perfect predictions.

    Values that are not finite are left out, and counted. Of more than 5,000 points an evenly
    spaced part is drawn.

    Args:
        y_true: Array of the true values.
        y_pred: Array of the predicted ones, of as many values.
        ax: `matplotlib.axes.Axes` or None. Where to draw; a new figure if None.

    Returns:
        The `matplotlib.axes.Axes`.

    Raises:
        ValueError: If the two differ in size.

    Example:
        >>> plot_predictions([1.0, 2.0, 3.0], [1.1, 1.9, 3.2]).get_xlabel()
        'true'
    """
    ax = style.axes_of(ax)
    style.dress(ax, "Predictions", "true", "predicted", grid="both")
    true, predicted = (np.asarray(y, dtype=float).ravel() for y in (y_true, y_pred))
    if len(true) != len(predicted):
        raise ValueError(f"y_true has {len(true)} values, y_pred has {len(predicted)}.")
    finite = np.isfinite(true) & np.isfinite(predicted)
    left_out = len(true) - finite.sum()
    true, predicted = true[finite], predicted[finite]
    if not len(true):
        return style.say(ax, "There are no finite predictions.")
    error = np.sqrt(np.mean((true - predicted) ** 2))
    every = -(-len(true) // MAX_POINTS)
    alpha = float(np.clip(300 / len(true), 0.15, 0.8))
    ax.scatter(
        true[::every], predicted[::every], s=14, color=style.accent(ax), alpha=alpha, linewidths=0
    )
    ax.axline((true[0], true[0]), slope=1, color=style.ORANGE, linewidth=1.4, label="perfect")
    missing = f", {left_out} not finite" if left_out else ""
    style.finish(ax, f"root mean squared error {number(error)}{missing}")
    return ax
