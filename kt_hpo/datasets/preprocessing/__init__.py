"""Preprocessing that is learned from the train split and saved within the model.

`Dataset.preprocessing` is what turned the raw rows of a data set into `Dataset.x`. To predict from
new rows, give them to the saved model (its inputs are raw), or do it in two steps:

    >>> import numpy as np
    >>> from kt_hpo import datasets
    >>> x, y = np.arange(40.0).reshape(20, 2), ["no", "yes"] * 10
    >>> train = datasets.from_arrays(x, y).train
    >>> learned = from_config(train.preprocessing.to_config())  # as JSON keeps it
    >>> learned.transform([[19.0, 20.0]]).round(1)
    array([[-0.1, -0.1]], dtype=float32)

`preprocessing.inputs(frame)` gives a data frame as the arrays that the saved model takes, by the
names of its inputs, and says what is wrong with it: `model.predict(preprocessing.inputs(frame))`.
"""

from __future__ import annotations

from typing import Any

from kt_hpo.datasets.preprocessing.arrays import (
    ArrayPreprocessing,
    ImagePreprocessing,
    NoPreprocessing,
)
from kt_hpo.datasets.preprocessing.base import Group, Preprocessing
from kt_hpo.datasets.preprocessing.tables import TablePreprocessing
from kt_hpo.datasets.preprocessing.texts import TextPreprocessing

_KINDS: dict[str, Any] = {
    made.kind: made
    for made in (
        ArrayPreprocessing,
        ImagePreprocessing,
        NoPreprocessing,
        TablePreprocessing,
        TextPreprocessing,
    )
}

__all__ = [
    "ArrayPreprocessing",
    "Group",
    "ImagePreprocessing",
    "NoPreprocessing",
    "Preprocessing",
    "TablePreprocessing",
    "TextPreprocessing",
    "from_config",
]


def from_config(config: dict[str, Any]) -> Preprocessing:
    """Makes a preprocessing of what its `to_config` gave.

    Args:
        config: The config, for example from `data.json`.

    Returns:
        The preprocessing.

    Raises:
        ValueError: If it is of an unknown kind.

    Example:
        >>> from_config({"kind": "none", "shape": [2]})
        NoPreprocessing(shape=(2,))
    """
    kind = config.get("kind")
    if kind not in _KINDS:
        raise ValueError(
            f"Preprocessing of kind {kind!r} is unknown; known are {', '.join(_KINDS)}."
        )
    if kind == TablePreprocessing.kind:
        return TablePreprocessing.from_config(config)
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in config.items() if k != "kind"}
    return _KINDS[kind](**values)
