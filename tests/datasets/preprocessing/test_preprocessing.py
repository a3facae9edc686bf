"""Preprocessing within a model is what trained it: on every kind of data, and from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from kt_hpo.datasets import from_arrays
from kt_hpo.datasets.preprocessing import (
    ArrayPreprocessing,
    ImagePreprocessing,
    NoPreprocessing,
    Preprocessing,
    TablePreprocessing,
    TextPreprocessing,
    from_config,
)
from kt_hpo.datasets.preprocessing.columns import infer

STREAM = np.random.default_rng(0)


def echo(shape: tuple[int, ...], dtype: str = "float32") -> keras.Model:
    """A model that gives what it takes."""
    inputs = keras.Input(shape, dtype=dtype)
    return keras.Model(inputs, keras.layers.Identity()(inputs))


def check(learned: Preprocessing, raw: Any, path: Path | None = None) -> np.ndarray:
    """Transforms raw rows; an attached model does the same, of a config and of a file too."""
    x = learned.transform(raw)
    assert np.isfinite(x).all()
    again = from_config(json.loads(json.dumps(learned.to_config())))
    assert again == learned
    attached = again.attach(echo(x.shape[1:], str(x.dtype)))
    if path is not None:
        attached.save(path / "model.keras")
        attached = keras.models.load_model(path / "model.keras")
    np.testing.assert_allclose(attached.predict(learned.inputs(raw), verbose=0), x, atol=2e-5)
    return x


def table(rows: int = 80) -> pd.DataFrame:
    stream = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "a number / with signs": stream.normal(5, 3, rows),
            "skewed": np.exp(3 * stream.normal(size=rows)),
            "stamp": 1_700_000_000 + np.arange(rows),
            "flag": stream.random(rows) > 0.5,
            "when": pd.date_range("2024-01-31", periods=rows, freq="31h"),
            "home": stream.choice(["sofa", "yard"], rows),
            "said": [
                " ".join(stream.choice(["good", "dog", "BAD", "cat!"], 5)) for _ in range(rows)
            ],
            "written": [f"{number:,.2f}" for number in stream.normal(0, 1e5, rows)],
        }
    )
    frame.loc[::7, "a number / with signs"] = np.nan
    frame.loc[::9, "home"] = None
    frame.loc[::11, "written"] = "?"
    frame.loc[3, "when"] = pd.NaT
    return frame


def learned_of(frame: pd.DataFrame, **options: Any) -> TablePreprocessing:
    return TablePreprocessing.learn(
        tuple(infer(frame[name], name) for name in frame), frame, **options
    )


def test_a_table_of_all_kinds(tmp_path: Path) -> None:
    frame = table()
    learned = learned_of(frame)
    x = check(learned, frame, tmp_path)
    assert sum(group.size for group in learned.groups) == x.shape[1]
    by_kind = {(g.name, g.kind, g.size): x[:, g.start : g.start + g.size] for g in learned.groups}
    assert list(by_kind) == [
        ("a number / with signs", "number", 1), ("skewed", "number", 1), ("stamp", "number", 1),
        ("flag", "boolean", 1), ("when", "date", 1), ("written", "number", 1),
        ("a number / with signs", "missing", 1), ("when", "missing", 1), ("written", "missing", 1),
        ("skewed", "quantile", 1), ("when", "date", 6), ("home", "category", 3),
        ("said", "text", 5),
    ]  # fmt: skip
    known = frame["a number / with signs"].dropna()
    standardized = by_kind["a number / with signs", "number", 1][:, 0]
    assert (standardized[::7] == 0).all()
    np.testing.assert_allclose(
        standardized[known.index], (known - known.mean()) / known.std(ddof=0), atol=1e-5
    )
    assert by_kind["written", "missing", 1][::11].all()
    assert by_kind["written", "missing", 1].sum() == len(frame[::11])
    assert len(np.unique(by_kind["stamp", "number", 1])) == len(frame)
    quantiles = by_kind["skewed", "quantile", 1][:, 0]
    assert (np.argsort(quantiles) == np.argsort(frame["skewed"])).mean() > 0.9
    assert abs(quantiles.mean()) < 0.1 and 0.8 < quantiles.std() < 1.1
    assert (by_kind["home", "category", 3].sum(axis=1) == 1).all()
    np.testing.assert_allclose(np.linalg.norm(by_kind["said", "text", 5], axis=1), 1, atol=1e-5)


def test_rows_that_training_has_not_seen() -> None:
    frame = table()
    learned = learned_of(frame)
    raw = learned.inputs(frame.head(2))
    assert set(raw) == set(learned.input_names.values())
    strange = {
        name: np.array(["never seen"] * 2, object) if values.dtype == object else values
        for name, values in raw.items()
    }
    strange["skewed"] = np.float32([1e30, np.nan])
    model = learned.attach(echo((sum(group.size for group in learned.groups),)))
    x = model.predict(strange, verbose=0)
    assert np.isfinite(x).all()
    groups = {(group.name, group.kind): group.start for group in learned.groups}
    home = groups["home", "category"]
    assert (x[:, home : home + 3] == 0).all()
    assert x[:, groups["skewed", "number"]].tolist() == pytest.approx([10, 0])
    assert x[0, groups["skewed", "quantile"]] == pytest.approx(2.17, abs=0.1)


def test_untouched_numbers() -> None:
    frame = pd.DataFrame({"size": np.exp(np.arange(9.0)), "stamp": np.arange(9) + 1e9})
    x = learned_of(frame, normalize=False).transform(frame)
    np.testing.assert_allclose(x, frame.to_numpy(np.float32))


def test_rare_categories_share_a_place_and_are_capped() -> None:
    often = [f"c{number}" for number in range(150)] * 3
    frame = pd.DataFrame({"city": [*often, "once", "twice", "twice"]})
    column = learned_of(frame).columns[0]
    assert len(column.vocabulary) == 100 and column.other
    few = pd.DataFrame({"city": ["a", "a", "b", "b", "c", "c", "d", "d", "e"]})
    learned = learned_of(few)
    assert learned.columns[0].vocabulary == ("a", "b", "c", "d")
    x = check(learned, few)
    assert x.shape == (9, 5)
    assert x[-1].tolist() == [1, 0, 0, 0, 0]
    assert learned.transform({"city": ["never"]}).tolist() == [[1, 0, 0, 0, 0]]


CELLS = {
    "real": st.one_of(st.floats(-1e12, 1e12), st.just(np.nan)),
    "whole": st.integers(-(2**40), 2**40),
    "flag": st.booleans(),
    "word": st.sampled_from(["red", "blue", "Grün", "", None]),
    "prose": st.lists(st.sampled_from(["one", "two", "three", "four!"]), min_size=4).map(" ".join),
    "day": st.one_of(st.dates().map(str), st.just("?")),
}


# Shrinking would build hundreds of models.
@settings(max_examples=8, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(data=st.data())
def test_any_table(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 30))
    frame = pd.DataFrame(
        {
            f"{kind}{place}": data.draw(st.lists(CELLS[kind], min_size=size, max_size=size))
            for place, kind in enumerate(
                data.draw(st.lists(st.sampled_from(list(CELLS)), min_size=1))
            )
        }
    )
    train = frame.head(data.draw(st.integers(1, size)))
    columns = tuple(infer(frame[name], name) for name in frame)
    try:
        learned = TablePreprocessing.learn(columns, train)
    except ValueError as error:
        assert "no column to learn from" in str(error)
        return
    x = learned.transform(frame)
    assert np.isfinite(x).all()
    assert x.shape == (size, sum(group.size for group in learned.groups))
    attached = learned.attach(echo(x.shape[1:]))
    seen = keras.ops.convert_to_numpy(attached(learned.inputs(frame)))
    np.testing.assert_allclose(seen, x, atol=1e-6)


def test_sequences_and_rows(tmp_path: Path) -> None:
    raw = STREAM.normal([3, -100], [2, 10], size=(40, 5, 2))
    x = check(ArrayPreprocessing.learn(raw), raw, tmp_path)
    np.testing.assert_allclose(x.mean(axis=(0, 1)), 0, atol=1e-5)
    np.testing.assert_allclose(x.std(axis=(0, 1)), 1, atol=1e-5)
    assert isinstance(from_arrays(raw, np.arange(40) % 2).train.preprocessing, ArrayPreprocessing)
    scaled = (raw - raw.min()) / np.ptp(raw)
    assert isinstance(from_arrays(scaled, np.arange(40) % 2).train.preprocessing, NoPreprocessing)


def test_time_stamps_keep_their_differences() -> None:
    stamps = (1_700_000_000 + np.arange(50))[:, None]
    assert len(np.unique(check(ArrayPreprocessing.learn(stamps), stamps))) == 50
    assert len(np.unique(ArrayPreprocessing.learn(stamps * 1.0).transform(stamps * 1.0))) == 50


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_images(dtype: str, tmp_path: Path) -> None:
    highest = np.iinfo(dtype).max
    raw = STREAM.integers(0, highest, (6, 4, 3, 1)).astype(dtype)
    raw[0] = highest
    x = check(ImagePreprocessing((4, 3, 1), dtype), raw, tmp_path)
    assert x.max() == 1
    with pytest.raises(ValueError, match="no raw pixels: give uint"):
        ImagePreprocessing((4, 3, 1), dtype).inputs(raw / highest)


def test_texts(tmp_path: Path) -> None:
    texts = [f"The {word}, it sat." for word in ("cat", "dog", "CAT")] * 10
    learned = TextPreprocessing.learn(np.array(texts, object))
    x = check(learned, texts, tmp_path)
    assert x.dtype == np.int32
    assert x.shape == (30, 4)
    assert (x[0] == x[2]).all() and (x[0] != x[1]).any()
    assert learned.transform(["a bird"]).tolist() == [[1, 1, 0, 0]]
    # Without signs words are as far apart as with them.
    assert (learned.transform(["cat...The/sat"]) == learned.transform(["cat the sat"])).all()
    assert "token_weights" not in learned.to_config()
    assert len(learned.token_weights) == learned.vocabulary_size
    train = from_arrays(texts, [0, 1, 0] * 10).train
    assert train.x.dtype == np.int32 and train.preprocessing.kind == "text"


def test_samples_of_another_shape_are_refused() -> None:
    learned = ArrayPreprocessing.learn(np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"shape \(3,\) and type float64 do not fit"):
        learned.transform(np.ones((4, 3)))
    with pytest.raises(ValueError, match=r"trained on numbers of shape \(2,\)"):
        learned.transform([["a", "b"]])
    with pytest.raises(ValueError, match="kind 'magic' is unknown"):
        from_config({"kind": "magic"})


def test_an_attached_model_is_compiled_as_the_trained_one() -> None:
    raw = STREAM.normal(3, 2, size=(40, 2))
    train = from_arrays(raw, raw.sum(axis=1)).train
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"], loss_weights=[0.5])
    attached = train.preprocessing.attach(model)
    measured = attached.evaluate(raw, raw.sum(axis=1), verbose=0, return_dict=True)
    x = train.preprocessing.transform(raw)
    expected = model.evaluate(x, raw.sum(axis=1), verbose=0, return_dict=True)
    assert measured == pytest.approx(expected, rel=1e-4)
