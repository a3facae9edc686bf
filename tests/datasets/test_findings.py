"""What a table shows before any training."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kt_hpo.datasets import DataWarning, from_arrays, from_frame
from kt_hpo.datasets.findings import imbalance, suspects, useless_columns
from kt_hpo.datasets.preprocessing.columns import infer

STREAM = np.random.default_rng(0)


def test_columns_of_no_use() -> None:
    frame = pd.DataFrame(
        {
            "customer_id": STREAM.permutation(40),
            "size": STREAM.permutation(40),  # as different as identifiers, and called otherwise
            "weight": STREAM.normal(size=40),
            "name": [f"n{row}" for row in range(40)],
            "note": [f"came at {row} by train" for row in range(40)],
            "unit": "cm",
            "sometimes": ["cm", None] * 20,
            "nothing": np.nan,
        }
    )
    columns = [infer(frame[name], name) for name in frame]
    assert useless_columns(frame, columns) == {
        "customer_id": "identifies the row",
        "name": "is another word in every row, an identifier",
        "unit": "is 'cm' everywhere",
        "nothing": "is empty",
    }


@pytest.mark.parametrize("is_class", [True, False])
def test_leaks(is_class: bool) -> None:
    y = np.arange(300) % 3 if is_class else STREAM.normal(size=300)
    words = np.array([f"level {round(value, 1)}" for value in y], dtype=object)
    columns = {
        "copy": 3.0 * y + 1,
        "gaps": np.where(np.arange(300) % 5 == 0, np.nan, y),
        "near": y + STREAM.normal(size=300),
        "other": STREAM.normal(size=300),
        "each": np.array([f"row {row}" for row in range(300)], dtype=object),
        **({"words": words} if is_class else {}),
    }
    assert suspects(columns, y, is_class) == ["copy", "gaps", *(["words"] if is_class else [])]


def test_a_leak_is_named_and_kept() -> None:
    y = np.arange(60) % 2
    frame = pd.DataFrame({"size": STREAM.normal(size=60), "outcome": y * 7, "y": y})
    with pytest.warns(DataWarning, match="Column 'outcome' alone tells 'y' almost without error"):
        train = from_frame(frame).train
    assert [group.name for group in train.preprocessing.groups] == ["size", "outcome"]
    with pytest.warns(DataWarning, match="alone tells the target"):
        from_arrays(frame[["size", "outcome"]], y)


def test_what_float32_cannot_tell_apart() -> None:
    frame = pd.DataFrame({"time": 1.7e9 + STREAM.random(60), "y": np.arange(60) % 2})
    with pytest.warns(DataWarning, match=r"Column 'time' varies little .* Subtract 1\.7e\+09"):
        train = from_frame(frame).train
    assert len(np.unique(train.x)) == len(train)
    whole = frame.assign(time=1_700_000_000 + np.arange(60))
    train = from_frame(whole, validation=0, test=0).train
    assert not any("'time' varies" in sentence for sentence in train.findings)
    assert len(np.unique(train.x)) == 60


def test_good_data_say_nothing(recwarn: pytest.WarningsRecorder) -> None:
    frame = pd.DataFrame({"a": STREAM.normal(size=60), "b": STREAM.normal(size=60)})
    assert from_frame(frame.assign(y=np.arange(60) % 2)).train.findings == ()
    assert not [one for one in recwarn if issubclass(one.category, DataWarning)]


def test_imbalance() -> None:
    assert imbalance(np.repeat([0, 1], [75, 25]), ["a", "b"]) == ""
    said = imbalance(np.repeat([0, 1, 2], [90, 8, 2]), ["a", "b", "c"])
    assert "'a' has 90 % of the rows and 'c' 2.0 %" in said and "val_loss" in said
    assert imbalance(np.repeat([0, 2], [90, 10]), ["a", "never", "c"])
