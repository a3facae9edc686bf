"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from kt_hpo.formatting import number
from kt_hpo.plots import style, text

# Up to so many classes every cell shows its count, and every class its name.
MAX_COUNTED, MAX_NAMED = 20, 40


@style.styled()
def plot_confusion_matrix(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    class_names: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot how many samples of each true class were predicted as each class.

    A cell's color is its share of the true class, so that rare classes show as well.

    Args:
        y_true: Array of the true classes: labels, or one row of ones and zeros a sample.
        y_pred: Array of the predicted ones: labels, or the probabilities a model returned.
        class_names: Sequence of strings or None. The names of classes 0, 1, 2, ...
        ax: `matplotlib.axes.Axes` or None. Where to draw; a new figure if None.

    Returns:
        The `matplotlib.axes.Axes`.

    Raises:
        ValueError: If the two differ in length, or classes have no name in `class_names`.

    Example:
        >>> ax = plot_confusion_matrix([0, 1, 1], [0, 1, 0], class_names=["cat", "dog"])
        >>> [label.get_text() for label in ax.get_yticklabels()]
        ['cat', 'dog']
    """
    ax = style.axes_of(ax)
    style.dress(ax, "Confusion matrix", "predicted", "true", grid=None)
    true, predicted = class_labels(y_true), class_labels(y_pred)
    if len(true) != len(predicted):
        raise ValueError(f"y_true has {len(true)} samples, y_pred has {len(predicted)}.")
    if not len(true):
        return style.say(ax, "There are no predictions.")
    classes, names = _classes(true, predicted, class_names)
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(counts, (np.searchsorted(classes, true), np.searchsorted(classes, predicted)), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    ax.spines[:].set_visible(False)
    _name_ticks(ax, names)
    if len(classes) <= MAX_COUNTED:
        _write_counts(ax, counts, shares)
    style.finish(ax, f"accuracy {number(np.trace(counts) / len(true))}")
    return ax


def class_labels(y: ArrayLike) -> np.ndarray:
    """Return one label a sample, of labels, one-hot rows or predicted probabilities.

    Args:
        y: Array of labels, of shape `(n,)`, or of a row each, of shape `(n, classes)`. One
            column of fractions is the probability of class 1.

    Returns:
        Array of shape `(n,)`.

    Example:
        >>> class_labels([[0.1, 0.9], [0.8, 0.2]])
        array([1, 0])
    """
    y = np.asarray(y)
    if y.ndim > 1 and y.shape[-1] > 1:
        return y.reshape(-1, y.shape[-1]).argmax(axis=1)
    y = y.ravel()
    if y.dtype.kind == "f" and not np.array_equal(y, np.round(y)):
        y = y > 0.5
    return y.astype(int) if y.dtype.kind in "fb" else y


def _classes(
    true: np.ndarray, predicted: np.ndarray, class_names: Sequence[str] | None
) -> tuple[np.ndarray, list[str]]:
    """Return the sorted classes and their names."""
    classes = np.union1d(true, predicted)
    if class_names is None:
        return classes, [str(label) for label in classes]
    names = [str(name) for name in class_names]
    if classes.dtype.kind in "iu" and classes.min() >= 0 and classes.max() < len(names):
        return np.arange(len(names)), names
    if len(classes) != len(names):
        raise ValueError(f"class_names has {len(names)} names for {len(classes)} classes.")
    return classes, names


def _name_ticks(ax: Axes, names: list[str]) -> None:
    """Write the names of the classes, or of some where they are many."""
    step = -(-len(names) // MAX_NAMED)
    places, shown = range(0, len(names), step), [text.shorten(n, 16) for n in names[::step]]
    long = max(map(len, shown)) * len(shown) > 45
    ax.set_yticks(places, shown)
    ax.set_xticks(places, shown, rotation=90 if long else 0)
    ax.tick_params(length=0, labelsize=style.SMALL if len(shown) <= MAX_COUNTED else 6)


def _write_counts(ax: Axes, counts: np.ndarray, shares: np.ndarray) -> None:
    """Write every cell's count, in white on the dark ones; zeros stay quiet."""
    size = float(np.clip(80 / len(counts), 5, 10))
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if shares[row, column] > 0.55 else "#333333" if count else "#BBBBBB"
        ax.text(column, row, str(count), ha="center", va="center", fontsize=size, color=color)
