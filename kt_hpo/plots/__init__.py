"""Figures of a search, drawn with matplotlib. A new plot is one file here and one line below."""

from kt_hpo.plots.brackets import plot_brackets
from kt_hpo.plots.confusion import plot_confusion_matrix
from kt_hpo.plots.contour import plot_contour
from kt_hpo.plots.durations import plot_durations
from kt_hpo.plots.edf import plot_edf
from kt_hpo.plots.importances import plot_importances
from kt_hpo.plots.learning_curves import plot_learning_curves
from kt_hpo.plots.learning_rate import plot_learning_rate
from kt_hpo.plots.lineage import plot_lineage
from kt_hpo.plots.misclassified import plot_misclassified
from kt_hpo.plots.optimization_history import plot_optimization_history
from kt_hpo.plots.page import overview
from kt_hpo.plots.parallel_coordinates import plot_parallel_coordinates
from kt_hpo.plots.pareto_front import plot_pareto_front
from kt_hpo.plots.predictions import plot_predictions
from kt_hpo.plots.rank import plot_rank
from kt_hpo.plots.schedules import plot_schedules
from kt_hpo.plots.slice import plot_slice
from kt_hpo.plots.space import plot_space
from kt_hpo.plots.timeline import plot_timeline

__all__ = [
    "overview",
    "plot_brackets",
    "plot_confusion_matrix",
    "plot_contour",
    "plot_durations",
    "plot_edf",
    "plot_importances",
    "plot_learning_curves",
    "plot_learning_rate",
    "plot_lineage",
    "plot_misclassified",
    "plot_optimization_history",
    "plot_parallel_coordinates",
    "plot_pareto_front",
    "plot_predictions",
    "plot_rank",
    "plot_schedules",
    "plot_slice",
    "plot_space",
    "plot_timeline",
]
