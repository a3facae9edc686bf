"""Weights by class, as a hyperparameter: from every sample alike to every class alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras_tuner.errors import FatalValueError

from hypermodels.ranges import Range, check_numbers
from kt_hpo.training.cross_validation import classes_of, named_data

_NAMES = {"none": 0.0, "balanced": 1.0}


def check_class_weight(class_weight: Range) -> None:
    """Refuses what says nothing about the weights of classes.

    Args:
        class_weight: As in `Training`.

    Raises:
        ValueError: If it is none of `"none"`, `"balanced"`, a power from 0 to 1, a range or a list
            of these, or a dict.

    Example:
        >>> check_class_weight(["none", "balanced"])
    """
    if class_weight is None or isinstance(class_weight, dict):
        return
    values = class_weight if isinstance(class_weight, list) else [class_weight]
    if all(isinstance(value, str) and value in _NAMES for value in values) and values:
        return
    if any(isinstance(value, str) for value in values):
        raise ValueError(
            f"class_weight={class_weight!r} is not allowed; give 'none', 'balanced', a list of "
            "them, a range within (0.0, 1.0) between the two, or a dict of weights by class."
        )
    check_numbers("class_weight", class_weight, 0, 1)


def weights(power: str | float, *args: Any, **kwargs: Any) -> dict[int, float] | None:
    """Gives the weights of the classes in the data of a training.

    Args:
        power: `"none"`, `"balanced"`, or the power of the balanced weights.
        *args: Positional arguments of `fit`.
        **kwargs: Its keyword arguments.

    Returns:
        Weights by class, of mean 1 over the samples; None where all are 1.

    Raises:
        FatalValueError: If the targets are no classes, or there are sample weights besides.

    Example:
        >>> weights("balanced", np.zeros((4, 1)), np.array([0, 0, 0, 1]))
        {0: 0.6666666666666666, 1: 2.0}
    """
    exponent = _NAMES[power] if isinstance(power, str) else power
    if exponent == 0:
        return None
    if kwargs.get("sample_weight") is not None:
        raise FatalValueError(
            "class_weight and sample_weight cannot be used together. Multiply the sample weights "
            "with those of the classes, and leave class_weight out."
        )
    x, y, _ = named_data((args, kwargs))
    labels = classes_of(_as_whole(_targets_of(x) if hasattr(x, "element_spec") else y))
    if labels is None or labels.dtype.kind not in "iub":
        raise FatalValueError(
            "Training(class_weight=...) needs whole numbers as targets, or one-hot ones, to tell "
            "the classes by. Leave it out for regression and for several outputs."
        )
    classes, counts = np.unique(labels, return_counts=True)
    raw = (len(labels) / (len(classes) * counts)) ** exponent
    scaled = raw * len(labels) / (raw * counts).sum()
    return {int(label): float(weight) for label, weight in zip(classes, scaled, strict=True)}


def _as_whole(y: Any) -> Any:
    """Targets as whole numbers, where they are such but for their type."""
    if not hasattr(y, "__array__"):
        return y
    values = np.asarray(y)
    is_whole = values.dtype.kind == "f" and (values == np.round(values)).all()
    return values.astype("int64") if is_whole else values


def _targets_of(pipeline: Any) -> np.ndarray | None:
    """The targets of all samples of a pipeline, in batches or not; None for several outputs."""
    spec = pipeline.element_spec
    if not isinstance(spec, tuple) or not hasattr(spec[1], "shape"):
        return None
    shape = tuple(spec[1].shape)
    in_batches = len(shape) == 2 or shape == (None,)
    targets = [np.asarray(target) for target in pipeline.map(lambda *parts: parts[1])]
    return np.concatenate(targets) if in_batches else np.stack(targets)
