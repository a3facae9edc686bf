"""Arrays and data frames as data sets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from rows import numbered

from kt_hpo.datasets import from_arrays


def test_strings() -> None:
    x, y = numbered(40, 2)
    train = from_arrays(x, np.where(y == 0, "dog", "cat")).train
    assert train.class_names == ("cat", "dog")
    assert train.y.dtype == np.int64
    bytes_train = from_arrays(x, np.where(y == 0, b"dog", b"cat")).train
    assert bytes_train.class_names == ("cat", "dog")


def test_bools_and_gaps() -> None:
    x, y = numbered(40, 2)
    assert from_arrays(x, y == 0).train.class_names == ("False", "True")
    train = from_arrays(x, y * 7).train
    assert train.class_names == ("0", "7")
    assert set(train.y) == {0, 1}


def test_class_names() -> None:
    x, y = numbered(40, 2)
    train = from_arrays(x, y, class_names=["no", "yes", "never seen"]).train
    assert train.num_classes == 3
    by_name = from_arrays(x, np.where(y == 0, "low", "high"), class_names=["low", "high"])
    assert by_name.train.class_names == ("low", "high")
    with pytest.raises(ValueError, match=r"without a class name: \['1'\]"):
        from_arrays(x, y, class_names=["only"])


def test_floats() -> None:
    x, y = numbered(40, 2)
    train = from_arrays(x, y.astype(float)).train
    assert (train.task, train.y.dtype, train.class_names) == ("regression", np.float32, None)
    assert from_arrays(x, y.astype(float), task="classification").train.num_classes == 2
    assert from_arrays(x, np.arange(40), task="regression").train.task == "regression"
    with pytest.raises(ValueError, match="is unknown"):
        from_arrays(x, y, task="ranking")  # type: ignore[arg-type]


def test_pixels() -> None:
    images = np.full((20, 4, 4), 255, np.uint8)
    assert from_arrays(images, np.arange(20) % 2).train.x.max() == 1
    assert from_arrays(images[..., None] / 2, np.arange(20) % 2).train.x.max() == 127.5


def test_constant_column_and_large_offset() -> None:
    x = np.stack([np.full(40, 3.3), 1.7e9 + np.arange(40)], axis=1)
    train = from_arrays(x, np.arange(40) % 2).train
    assert np.abs(train.x[:, 0]).max() < 1e-6
    assert len(np.unique(train.x[:, 1])) == len(train)


def test_data_frame() -> None:
    frame = pd.DataFrame({"size": range(20), "home": ["yard", "sofa"] * 10})
    assert from_arrays(frame, pd.Series(["a", "b"] * 10)).train.input_shape == (3,)


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        ([], [], "no samples"),
        (np.empty((3, 0)), [0, 1, 0], "no samples"),
        (np.ones((3, 2)), [0, 1], "x has 3 samples and y has 2"),
        ([["a"], ["b"]], [0, 1], "not numeric"),
        ([[1.0], [np.nan]], [0, 1], r"x has 1 missing .* \(the first: \[1\]\)"),
        (np.ones((2, 1)), ["a", None], "y has 1 missing"),
        (np.ones((2, 1)), np.array([1, "a"], dtype=object), "mixes labels of types"),
        (np.ones((4, 1)), np.eye(4, dtype=int), "argmax"),
        (np.ones((4, 1)), [0, 0, 0, 0], "one class only"),
    ],
)
def test_refusals(x: Any, y: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        from_arrays(x, y)
