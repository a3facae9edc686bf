"""What a data set can do once it is loaded."""

from __future__ import annotations

import numpy as np
import pytest
from rows import numbered

from kt_hpo.datasets import Dataset, Splits, from_arrays


@pytest.mark.slow
def test_concatenate(loaded: dict[str, Splits]) -> None:
    train, validation, _ = loaded["digits"]
    both = train.concatenate(validation)
    assert len(both) == len(train) + len(validation)
    assert (both.x[len(train) :] == validation.x).all()
    assert both.class_names == train.class_names
    with pytest.raises(ValueError, match="their input_shape is"):
        train.concatenate(loaded["wine"].train)


def test_pipeline(loaded: dict[str, Splits]) -> None:
    train = loaded["wine"].train
    batches = [y.numpy() for _, y in train.pipeline(batch_size=50)]
    assert [len(batch) for batch in batches] == [50, 50, 24]
    assert (np.concatenate(batches) == train.y).all()


def test_pipeline_shuffles_each_epoch() -> None:
    train = from_arrays(*numbered(), normalize=False, validation=0, test=0).train

    def epochs(seed: int) -> list[list[float]]:
        pipeline = train.pipeline(batch_size=7, shuffle=True, seed=seed)
        return [[float(x[0]) for x, _ in pipeline.unbatch()] for _ in range(2)]

    first, second = epochs(1)
    assert sorted(first) == sorted(second) == sorted(train.x[:, 0])
    assert first != second
    assert first != train.x[:, 0].tolist()
    assert epochs(1) == [first, second]
    assert epochs(2) != [first, second]


def test_frozen_and_short(loaded: dict[str, Splits]) -> None:
    train = loaded["wine"].train
    with pytest.raises(AttributeError):
        train.name = "beer"  # type: ignore[misc]
    assert len(repr(train)) < 100
    assert train.arrays == (train.x, train.y)
    assert isinstance(train, Dataset)
