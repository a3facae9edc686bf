"""Train, validation and test: every sample in one of them, classes in proportion."""

from __future__ import annotations

import re
from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import numbered, rows_of

from kt_hpo.datasets import from_arrays, load
from kt_hpo.datasets.findings import DataWarning
from kt_hpo.datasets.given import to_splits


def test_partition() -> None:
    splits = from_arrays(*numbered(), normalize=False)
    assert sorted(chain(*rows_of(splits))) == list(range(100))
    assert [len(part) for part in splits] == [70, 15, 15]


def test_seeds() -> None:
    first, again, other = (
        rows_of(from_arrays(*numbered(), normalize=False, seed=seed)) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("part", ["validation", "test"])
def test_a_fraction_of_zero(part: str) -> None:
    x, y = numbered()
    splits = from_arrays(x, y, **{part: 0})
    assert len(getattr(splits, part)) == 0
    assert getattr(splits, part).input_shape == (1,)
    assert sum(map(len, splits)) == 100


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 80),
    classes=st.integers(1, 6),
    validation=st.floats(0, 0.7),
    test=st.floats(0, 0.7),
    seed=st.integers(0, 2**32 - 1),
    regression=st.booleans(),
)
def test_always_a_partition(
    rows: int,
    classes: int,
    validation: float,
    test: float,
    seed: int,
    regression: bool,
) -> None:
    x, y = numbered(rows, classes)
    y = y.astype(float) if regression else y
    options: dict[str, Any] = {"validation": validation, "test": test, "seed": seed}
    try:
        splits = from_arrays(x, y, normalize=False, **options)
    except ValueError as error:
        ours = "nothing to train on|too few|do not fit into|one class only"
        assert re.search(ours, str(error)), error
        return
    assert sorted(chain(*rows_of(splits))) == list(range(rows))
    for part in splits:
        assert (part.y == y[part.x[:, 0].astype(int)]).all()
        if not regression:
            proportional = np.bincount(y) * len(part) / rows
            counts = np.bincount(part.y, minlength=len(proportional))
            assert np.abs(counts - proportional).max() <= 1
    assert abs(len(splits.validation) - validation * rows) <= 1
    assert abs(len(splits.test) - test * rows) <= 1
    if not regression:
        assert set(splits.train.y) == set(y)


@pytest.mark.parametrize("value", [-0.1, 1, 1.5, float("nan"), "0.1", True, None])
def test_no_fraction(value: Any) -> None:
    for name in ("validation", "test"):
        with pytest.raises(ValueError, match=f"{name}=.* is not a fraction"):
            from_arrays(*numbered(), **{name: value})
        with pytest.raises(ValueError, match=f"{name}=.* is not a fraction"):
            load("digits", **{name: value})


def test_fractions_of_everything() -> None:
    with pytest.raises(ValueError, match="leave nothing to train on"):
        from_arrays(*numbered(), validation=0.5, test=0.5)


def test_tiny_class() -> None:
    x, y = numbered()
    labels = np.where(y == 0, "common", "usual")
    labels[0] = "rare"
    with pytest.raises(ValueError, match="'rare' with 1") as caught:
        from_arrays(x, labels)
    assert "leave rare classes out" in str(caught.value)


def test_more_classes_than_room() -> None:
    with pytest.raises(ValueError, match="20 classes do not fit"):
        from_arrays(*numbered(100, 20))


@pytest.mark.parametrize("by", [1, 3])
def test_windows_of_a_series_stay_in_their_order(by: int) -> None:
    series = np.random.default_rng(0).normal(size=200).cumsum()
    x = np.lib.stride_tricks.sliding_window_view(series, 8)[::by, :, None]
    y = np.arange(float(len(x)))
    with pytest.warns(DataWarning, match="windows of one series that overlap"):
        splits = from_arrays(x, y)
    assert np.concatenate([part.y for part in splits]).tolist() == y.tolist()
    with pytest.warns(DataWarning, match="windows of one series that overlap"):
        given_test = to_splits(((x[:-20], y[:-20]), (x[-20:], y[-20:])), "series", seed=0)
    assert np.concatenate([part.y for part in given_test]).tolist() == y.tolist()


@pytest.mark.parametrize("kind", ["shuffled", "apart", "alike"])
def test_other_sequences_are_drawn_at_random(kind: str) -> None:
    stream = np.random.default_rng(0)
    x = np.lib.stride_tricks.sliding_window_view(stream.normal(size=100), 8)[..., None]
    x = {"shuffled": stream.permutation(x), "apart": x[::8], "alike": np.ones((50, 8, 1))}[kind]
    splits = from_arrays(x, np.arange(float(len(x))))
    assert sorted(np.concatenate([part.y for part in splits])) == list(range(len(x)))
    assert (np.diff(splits.train.y) < 0).any()
