"""A search on one page."""

from __future__ import annotations

import io
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import ArrayLike

from kt_hpo.formatting import count, number, short
from kt_hpo.plots import style, text
from kt_hpo.plots.brackets import plot_brackets
from kt_hpo.plots.confusion import plot_confusion_matrix
from kt_hpo.plots.durations import plot_durations
from kt_hpo.plots.edf import plot_edf
from kt_hpo.plots.importances import by_importance, plot_importances
from kt_hpo.plots.learning_curves import plot_learning_curves
from kt_hpo.plots.lineage import plot_lineage
from kt_hpo.plots.optimization_history import plot_optimization_history
from kt_hpo.plots.parallel_coordinates import plot_parallel_coordinates
from kt_hpo.plots.pareto_front import plot_pareto_front
from kt_hpo.plots.predictions import plot_predictions
from kt_hpo.plots.schedules import plot_schedules
from kt_hpo.plots.search import Search, place_of
from kt_hpo.plots.slice import plot_slice


class _OverviewFigure(Figure):
    """A figure that a notebook shows once, though pyplot knows nothing of it."""

    def _repr_png_(self) -> bytes:
        """Return the picture."""
        png = io.BytesIO()
        self.savefig(png, format="png")
        return png.getvalue()


@style.styled()
def overview(
    tuner_or_study: Any,
    y_true: ArrayLike | None = None,
    y_pred: ArrayLike | None = None,
    class_names: Sequence[str] | None = None,
) -> Figure:
    """Plot what tells most about a search on one page.

    That is its history, importances, learning curves (or how the objective is distributed, where
    nothing is known by epoch) and parallel coordinates; then what its kind has: a Pareto front,
    Hyperband's brackets, a population's lineage and schedules, or else slices; and at last the
    predictions of a test set, or else the durations.

    Args:
        tuner_or_study: A tuner, or an `optuna.Study`.
        y_true: Array or None. The true classes or values of a test set.
        y_pred: Array or None. What the best model predicted for it.
        class_names: Sequence of strings or None. The names of classes 0, 1, 2, ...

    Returns:
        The `matplotlib.figure.Figure`, not registered with pyplot: there is nothing to close.

    Raises:
        TypeError: If the first argument is neither a tuner nor a study.
        ValueError: If `y_true` and `y_pred` differ in length, or only one is given.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
        >>> page = overview(study)
        >>> [axes.get_title(loc="left") for axes in page.axes][:2]
        ['Optimization history', 'Importances']
    """
    if (y_true is None) != (y_pred is None):
        raise ValueError("Predictions need both y_true and y_pred.")
    search = Search.of(tuner_or_study)
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12)
    page = _OverviewFigure(figsize=(11.5, 11.6), layout=layout, facecolor="white")
    *panels, last = page.subplots(3, 2).ravel()
    for plot, ax in zip(_telling(search), panels, strict=True):
        plot(search.study, ax)
    if y_true is None or y_pred is None:
        plot_durations(search.study, last)
    else:
        _plot_test(y_true, y_pred, class_names, last)
    words = {"x": 0.012, "ha": "left", "color": style.ink(last)}
    page.suptitle(_headline(search), fontsize=style.LARGE + 1, fontweight="bold", **words)
    page.supxlabel(_caption(search), fontsize=style.NORMAL, **words)
    return page


def _telling(search: Search) -> list[Callable[[Any, Axes], Axes]]:
    """Return the five plots that tell most about a search of this kind."""
    learned = any(search.curve(trial) for trial in search.trials)
    curves = plot_learning_curves if learned else plot_edf
    begun = [plot_optimization_history, plot_importances, curves]
    places = {name for trial in search.trials for name in place_of(trial)}
    if "member" in places:
        return [*begun, plot_lineage, plot_schedules]
    if search.n_objectives > 1:
        return [*begun, plot_parallel_coordinates, plot_pareto_front]
    own = plot_brackets if "bracket" in places else plot_slice
    return [*begun, plot_parallel_coordinates, own]


def _plot_test(
    y_true: ArrayLike, y_pred: ArrayLike, class_names: Sequence[str] | None, ax: Axes
) -> None:
    """Plot predictions of classes or of numbers."""
    if class_names is not None or _are_classes(np.asarray(y_true), np.asarray(y_pred)):
        plot_confusion_matrix(y_true, y_pred, class_names, ax)
    else:
        plot_predictions(y_true, y_pred, ax)


def _are_classes(true: np.ndarray, predicted: np.ndarray) -> bool:
    """Tell labels and probabilities from numbers, by the look of them."""
    if true.dtype.kind not in "iuf" or predicted.dtype.kind not in "iuf":
        return True
    if true.size != predicted.size:
        return True
    whole = np.array_equal(true, np.round(true))
    return whole and len(np.unique(true)) <= 50


def _headline(search: Search) -> str:
    """Return the number of trials, by state, and the best objective."""
    counts = Counter(style.WORDS.get(trial.state, "waiting") for trial in search.trials)
    parts = ", ".join(f"{n:,} {word}" for word, n in counts.most_common())
    trials = count(len(search.trials), "trial")
    headline = f"{trials} ({parts})" if parts else trials
    best = search.best()
    if best is None:
        return headline
    if search.n_objectives > 1:
        return f"{headline} · {search.best_in_words()}"
    return f"{headline} · best {search.label} {number(search.value(best))}"


def _caption(search: Search) -> str:
    """Return the values of the best trial."""
    best = search.best()
    if best is None or not best.params:
        return ""
    important = [scale.name for scale in by_importance(search) if scale.name in best.params]
    values = ", ".join(
        f"{search.short_name(name)} = {_short(best.params[name])}"
        for name in dict.fromkeys([*important, *best.params])
    )
    caption = f"Trial {best.number}, the best: {values}"
    return textwrap.fill(caption, 145, max_lines=2, placeholder=" …")


def _short(value: object) -> str:
    """Return a hyperparameter's value in few characters."""
    return text.shorten(short(value))
