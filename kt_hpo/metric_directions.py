"""Whether more or less of a metric is better, by the names that Keras gives."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

Direction: TypeAlias = Literal["min", "max"]

# Means over the samples of what is right, 1, or wrong, 0.
ACCURACIES = (
    "acc", "accuracy", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy",
    "top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy",
)  # fmt: skip
# The metrics of keras.metrics, as Keras spells them: default names, and the other strings that
# `compile(metrics=[...])` takes. Their classes' names (`"AUC"`, `"BinaryIoU"`) are read alike.
# `mean`, `sum` and the like say nothing of what they are the mean or the sum of.
_GREATER_IS_BETTER = (
    *ACCURACIES,
    "auc", "precision", "recall", "precision_at_recall", "recall_at_precision",
    "sensitivity_at_specificity", "specificity_at_sensitivity", "true_positives", "true_negatives",
    "f1_score", "fbeta_score", "r2_score", "pearson_correlation", "concordance_correlation",
    "cosine_similarity", "io_u", "binary_io_u", "mean_io_u", "one_hot_io_u", "one_hot_mean_io_u",
)  # fmt: skip
# Of the losses `dice` and `tversky` are left out: a metric of that name is as often the
# coefficient, of which more is better.
_SMALLER_IS_BETTER = (
    "loss", "false_positives", "false_negatives",
    "bce", "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy",
    "categorical_focal_crossentropy", "categorical_generalized_cross_entropy", "ce", "crossentropy",
    "sparse_categorical_crossentropy", "categorical_hinge", "hinge", "squared_hinge",
    "circle", "ctc", "huber", "kl_divergence", "kld", "log_cosh", "log_cosh_error", "poisson",
    "mae", "mape", "mse", "msle", "mean_absolute_error", "mean_absolute_percentage_error",
    "mean_squared_error", "mean_squared_logarithmic_error", "root_mean_squared_error",
)  # fmt: skip


_METRICS = _GREATER_IS_BETTER + _SMALLER_IS_BETTER
METRICS = (*_METRICS, *(f"val_{name}" for name in _METRICS))
# Shares of something, or means of numbers from 0 to 1, and those that reach 1 at the most.
_AT_MOST_ONE = (
    *ACCURACIES,
    "auc", "precision", "recall", "precision_at_recall", "recall_at_precision",
    "sensitivity_at_specificity", "specificity_at_sensitivity",
    "f1_score", "fbeta_score", "r2_score", "pearson_correlation",
    "concordance_correlation", "cosine_similarity", "io_u", "binary_io_u", "mean_io_u",
    "one_hot_io_u", "one_hot_mean_io_u",
)  # fmt: skip


def _key(name: str) -> str:
    """A name whether it is written `BinaryIoU`, `binary_io_u` or `binary_iou`."""
    return name.replace("_", "").lower()


_DIRECTIONS: dict[str, Direction] = {
    **{_key(name): "max" for name in _GREATER_IS_BETTER},
    **{_key(name): "min" for name in _SMALLER_IS_BETTER},
}
_BOUNDED = {_key(name) for name in _AT_MOST_ONE}
# Before the name of a metric these make another quantity of it: `neg_log_loss`, `std_accuracy`.
_CHANGES_MEANING = {
    "neg", "negative", "negated", "minus", "inverse", "inverted", "inv", "reciprocal", "opposite",
    "non", "not", "no", "anti", "delta", "diff", "difference", "drop", "gap", "std", "stddev",
    "var", "variance", "spread", "range", "error",
}  # fmt: skip


def metric_direction(name: str) -> Direction | None:
    """Tells whether more or less of a metric is better.

    Args:
        name: As Keras logs it: the name of one of Keras' metrics, losses or their classes. It may
            have `val_`, `weighted_` and the name of an output before it, and behind it the number
            that Keras gives to a name that is there twice.

    Returns:
        `"max"` or `"min"`; None if the name does not tell.

    Example:
        >>> [metric_direction(name) for name in ("val_f1_score", "val_mse", "val_my_score")]
        ['max', 'min', None]
        >>> metric_direction("val_labels_accuracy_1")
        'max'
        >>> metric_direction("neg_log_loss") is None
        True
    """
    known = _known_name(name)
    return None if known is None else _DIRECTIONS[known]


def is_at_most_one(name: str) -> bool:
    """Tells whether a metric cannot exceed 1, as an accuracy cannot.

    Args:
        name: As Keras logs it; see `metric_direction`.

    Returns:
        Whether it is known that it cannot.

    Example:
        >>> [is_at_most_one(name) for name in ("val_accuracy", "val_loss", "val_my_score")]
        [True, False, False]
    """
    return _known_name(name) in _BOUNDED


def _known_name(name: str) -> str | None:
    """The key of the metric of Keras' that a name tells, if it tells one."""
    words = re.sub(r"_\d+$", "", name.removeprefix("val_")).split("_")
    for start in range(len(words)):
        key = "".join(words[start:]).lower()
        if key in _DIRECTIONS:
            before = {word.lower() for word in words[:start]}
            return None if before & _CHANGES_MEANING else key
    return None
