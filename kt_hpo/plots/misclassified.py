"""The samples a classifier gets wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from kt_hpo.plots import style, text
from kt_hpo.plots.confusion import class_labels
from kt_hpo.plots.panels import panels_in

MAX_IMAGES, COLUMNS, MAX_BARS = 18, 6, 12


@style.styled()
def plot_misclassified(
    x: ArrayLike,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    class_names: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot the samples whose class was predicted wrongly, the most confident mistakes first.

    Images are shown, eighteen at most, each with its predicted class over its true one. Of samples
    that are no images the twelve first are bars of the probability they were wrong with.

    Args:
        x: Array of the samples: images of shape `(n, height, width)`, or with 1, 3 or 4 channels
            behind; or of any other shape.
        y_true: Array of the true classes: labels, or one row of ones and zeros a sample.
        y_pred: Array of the predicted ones: the probabilities a model returned, or labels, which
            know nothing of confidence.
        class_names: Sequence of strings or None. The names of classes 0, 1, 2, ...
        ax: `matplotlib.axes.Axes` or None. Where to draw; a new figure if None.

    Returns:
        The `matplotlib.axes.Axes`, the images within it.

    Raises:
        ValueError: If the three differ in length, or a class has no name in `class_names`.

    Example:
        >>> images = np.zeros((3, 8, 8))
        >>> ax = plot_misclassified(images, [0, 1, 1], [[0.9, 0.1], [0.8, 0.2], [0.2, 0.8]])
        >>> ax.get_title(loc="right")
        '1 of 3 wrong (33.3%)'
    """
    ax = style.axes_of(ax)
    style.dress(ax, "Misclassified samples", grid=None)
    samples = np.asarray(x)
    true, predicted = class_labels(y_true), class_labels(y_pred)
    if not len(samples) == len(true) == len(predicted):
        raise ValueError(
            f"x has {len(samples)} samples, y_true has {len(true)}, y_pred has {len(predicted)}."
        )
    wrong = np.flatnonzero(true != predicted)
    if not len(wrong):
        return style.say(
            ax, "No sample is misclassified." if len(true) else "There are no samples."
        )
    confidence = _confidence(np.asarray(y_pred))
    if confidence is not None:
        wrong = wrong[np.argsort(-confidence[wrong], kind="stable")]
    words = _words(wrong, true, predicted, confidence, class_names)
    images = _images(samples)
    if images is not None:
        _draw_images(ax, images, wrong, words, confidence is not None)
    else:
        _draw_bars(ax, wrong, words, confidence)
    style.finish(ax, f"{len(wrong):,} of {len(true):,} wrong ({len(wrong) / len(true):.1%})")
    return ax


def _confidence(predicted: np.ndarray) -> np.ndarray | None:
    """Return the probability of each predicted class; None where only labels are known."""
    if predicted.dtype.kind != "f" or not len(predicted):
        return None
    if predicted.ndim > 1 and predicted.shape[-1] > 1:
        return predicted.reshape(-1, predicted.shape[-1]).max(axis=1)
    one = predicted.ravel()
    return None if np.array_equal(one, np.round(one)) else np.maximum(one, 1 - one)


def _words(
    wrong: np.ndarray,
    true: np.ndarray,
    predicted: np.ndarray,
    confidence: np.ndarray | None,
    class_names: Sequence[str] | None,
) -> list[tuple[str, str]]:
    """Return the predicted class, with its probability, and the true class of each mistake."""

    def name(label: object) -> str:
        if class_names is None:
            return text.shorten(str(label), 14)
        if not isinstance(label, int | np.integer) or not 0 <= label < len(class_names):
            raise ValueError(f"class_names has {len(class_names)} names, and none for {label}.")
        return text.shorten(str(class_names[int(label)]), 14)

    return [
        (
            name(predicted[index])
            + ("" if confidence is None else f" ({text.percent(confidence[index])})"),
            name(true[index]),
        )
        for index in wrong[: max(MAX_IMAGES, MAX_BARS)]
    ]


def _images(samples: np.ndarray) -> np.ndarray | None:
    """Return the samples as images with values from 0 to 1; None where they are none."""
    if samples.ndim == 4 and samples.shape[-1] == 1:
        samples = samples[..., 0]
    colored = samples.ndim == 4 and samples.shape[-1] in (3, 4)
    if samples.dtype.kind not in "biuf" or not (colored or samples.ndim == 3):
        return None
    if min(samples.shape[1:3]) < 3:
        return None
    numbers = samples.astype(float)
    low, high = np.nanmin(numbers), np.nanmax(numbers)
    return (numbers - low) / (high - low) if high > low else np.zeros_like(numbers)


def _draw_images(
    ax: Axes, images: np.ndarray, wrong: np.ndarray, words: list[tuple[str, str]], sure: bool
) -> None:
    """Draw images, each with what it was taken for over what it is."""
    shown = wrong[:MAX_IMAGES]
    columns = min(len(shown), COLUMNS)
    panels = panels_in(ax, len(shown), columns, between=0.12, below=0.06, above=0.34)
    for panel, index, (predicted, true) in zip(panels, shown, words, strict=False):
        panel.imshow(images[index], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        panel.set(xticks=[], yticks=[])
        panel.spines[:].set_visible(False)
        panel.grid(False)
        at: dict[str, Any] = {
            "xycoords": "axes fraction",
            "textcoords": "offset points",
            "ha": "center",
        }
        panel.annotate(predicted, (0.5, 1), (0, 13), **at, fontsize=8, color=style.VERMILLION)
        panel.annotate(f"is {true}", (0.5, 1), (0, 3), **at, fontsize=8, color=style.ink(ax))
    predicted = "predicted class" + (" (how probable)" if sure else "")
    for color, word in ((style.VERMILLION, predicted), (style.ink(ax), "true class")):
        ax.scatter([], [], s=30, marker="s", color=color, label=word)


def _draw_bars(
    ax: Axes, wrong: np.ndarray, words: list[tuple[str, str]], confidence: np.ndarray | None
) -> None:
    """Draw the probability of each mistake as a bar."""
    shown = wrong[:MAX_BARS]
    lengths = np.ones(len(shown)) if confidence is None else confidence[shown]
    color = style.VERMILLION if confidence is not None else "none"
    label = "how probable the predicted class was" if confidence is not None else None
    ax.barh(range(len(shown)), lengths, height=0.7, color=color, alpha=0.3, label=label)
    for place, (predicted, true) in enumerate(words[: len(shown)]):
        ax.text(
            0.01,
            place,
            f"taken for {predicted}, is {true}",
            va="center",
            fontsize=style.SMALL,
            color=style.ink(ax),
        )
    ax.set_yticks(range(len(shown)), [f"sample {index}" for index in shown])
    ax.set_ylim(max(len(shown), 5) - 0.4, -0.6)
    ax.set(xlim=(0, 1), xticks=[])
    ax.tick_params(axis="y", length=0)
    ax.spines[:].set_visible(False)
