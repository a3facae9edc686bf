"""Figures of a search, drawn with matplotlib. A new plot is one file here and one line below."""

from kt_hpo.plots.confusion import plot_confusion_matrix
from kt_hpo.plots.durations import plot_durations
from kt_hpo.plots.importances import plot_importances
from kt_hpo.plots.learning_curves import plot_learning_curves
from kt_hpo.plots.learning_rate import plot_learning_rate
from kt_hpo.plots.optimization_history import plot_optimization_history
from kt_hpo.plots.predictions import plot_predictions
from kt_hpo.plots.summary import plot_summary

__all__ = [
    "plot_confusion_matrix",
    "plot_durations",
    "plot_importances",
    "plot_learning_curves",
    "plot_learning_rate",
    "plot_optimization_history",
    "plot_predictions",
    "plot_summary",
]
