"""The model of a search, loaded to predict from raw rows."""

import shutil
import zipfile

import hypothesis.strategies as st
import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from models import blobs, eager
from tuned_wines import tuned, wines

import kt_hpo


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return tuned(tmp_path_factory.mktemp("runs") / "wines", wines(), target="kind")


@pytest.fixture(scope="module")
def trained(run):
    return kt_hpo.load(run)


def test_raw_rows_are_predicted_as_the_search_tested_them(run, trained):
    splits = kt_hpo.datasets.from_frame(wines(), "kind")
    inner = next(layer for layer in trained.model.layers if isinstance(layer, keras.Model))
    second = inner.predict(splits.train.preprocessing.transform(wines()), verbose=0)
    expected = np.concatenate([1 - second, second], axis=1)
    found = trained.predict(wines().drop(columns="kind"))
    assert list(found) == ["kind", "probability bad", "probability good"]
    np.testing.assert_allclose(found.iloc[:, 1:].to_numpy(), expected, atol=1e-5)
    assert list(found["kind"]) == [("bad", "good")[place] for place in expected.argmax(axis=1)]
    accuracy = kt_hpo.open_study(run).user_attrs["test"]["accuracy"]
    assert 0 <= accuracy <= 1 and trained.study.user_attrs["test"]["accuracy"] == accuracy


def test_everything_that_is_known_is_there(run, trained):
    assert trained.class_names == ("bad", "good")
    assert trained.description["target"] == "kind"
    assert trained.columns == ("alcohol %", "acid", "old", "bottled", "grape")
    assert repr(trained).startswith(f"<TrainedModel '{run}/best_model.keras': 2 classes from a tab")
    assert trained.unused_columns(wines().assign(more=1)) == ["kind", "more"]


def test_a_frame_keeps_its_index_and_may_be_empty(trained):
    some = wines().iloc[[7, 3]]
    assert list(trained.predict(some).index) == [7, 3]
    assert trained.predict(some.iloc[:0]).shape == (0, 3)
    assert len(trained.predict(some.to_dict("list"))) == 2


def test_a_moved_model_file_is_enough(run, trained, tmp_path):
    moved = kt_hpo.load(shutil.copy(run / "best_model.keras", tmp_path / "mine.keras"))
    assert moved.study is None and moved.class_names == trained.class_names
    pd.testing.assert_frame_equal(moved.predict(wines()), trained.predict(wines()))


@pytest.mark.slow
def test_numbers_are_predicted_as_values(tmp_path):
    x, _ = blobs()
    found = kt_hpo.load(tuned(tmp_path / "numbers", (x, x.sum(axis=1) * 100))).predict(x)
    assert list(found) == ["value"] and found.shape == (200, 1)


@pytest.mark.parametrize("units", [1, 2])
def test_logits_become_probabilities(units, tmp_path):
    def build(hp):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units)])
        name = "BinaryCrossentropy" if units == 1 else "SparseCategoricalCrossentropy"
        model.compile("adam", getattr(keras.losses, name)(from_logits=True), metrics=["accuracy"])
        hp.Fixed("none", 0)
        return model

    trained = kt_hpo.load(tuned(tmp_path / "logits", blobs(), build))
    assert trained.from_logits
    found = trained.predict(blobs()[0]).iloc[:, 1:]
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    assert found.to_numpy().min() >= 0


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (wines().rename(columns={"acid": "acids"}), ["'acid'", "Did you mean 'acids'?"]),
        (wines().drop(columns=["acid", "old"]), ["'acid'", "'old'"]),
        (wines().assign(acid="sour"), ["'acid'", "'sour'", "row 0"]),
        (wines().assign(bottled="soon"), ["'bottled'", "'soon'"]),
        (wines()[["acid", *wines()]], ["several columns", "'acid'"]),
        (np.zeros((3, 5)), ["no table"]),
        ("wine.csv", ["no table"]),
        (None, ["no table"]),
    ],
    ids=lambda value: "",
)
def test_wrong_rows_say_what_is_wrong(frame, words, trained):
    with pytest.raises(ValueError) as refused:
        trained.predict(frame)
    assert all(word in str(refused.value) for word in words), refused.value


def test_wrong_arrays_say_what_the_model_takes(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (60, 6, 6, 1)).astype("uint8")
    run = tuned(tmp_path / "images", (images, np.arange(60) % 2))
    trained = kt_hpo.load(run)
    assert trained.predict(images).shape == (60, 3)
    for wrong in (images[:, :5], images / 255, "photo.png", images.astype(str)):
        with pytest.raises(ValueError, match=r"images of 6 x 6 x 1 pixels"):
            trained.predict(wrong)


def test_a_run_that_has_no_model_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="no search in"):
        kt_hpo.load(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"no file .*best\.keras"):
        kt_hpo.load(tmp_path / "best.keras")
    x, y = blobs()
    tuner = kt_hpo.RandomSearch(eager, "val_loss", max_trials=1, directory=tmp_path, seed=0)
    tuner.search(x, y, validation_split=0.5, batch_size=100, epochs=1, verbose=0)
    with pytest.raises(FileNotFoundError, match=r"search of 1 trials and no .*kt_hpo\.tune"):
        kt_hpo.load(tuner)
    for wrong in (None, 3):
        with pytest.raises(ValueError, match=f"run={wrong}"):
            kt_hpo.load(wrong)


def test_a_file_that_is_no_model_is_refused(run, tmp_path):
    path = tmp_path / "best_model.keras"
    path.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="no model of Keras, or damaged"):
        kt_hpo.load(tmp_path / "best_model.keras")
    keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]).save(path)
    with pytest.raises(ValueError, match="does not say what data"):
        kt_hpo.load(path)
    with zipfile.ZipFile(run / "best_model.keras") as whole, zipfile.ZipFile(path, "w") as part:
        for name in whole.namelist():
            content = whole.read(name)
            part.writestr(name, content.replace(b'"Dense"', b'"Dens"'))
    with pytest.raises(ValueError, match="cannot be loaded"):
        kt_hpo.load(path)


CELL = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
    st.binary(max_size=3), st.dates(), st.lists(st.integers(), max_size=2), st.complex_numbers(),
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=100)
@given(st.data())
def test_any_frame_is_predicted_or_refused(trained, data):
    names = st.sampled_from([*trained.columns, "other"])
    frame = wines().head(2)
    for name in data.draw(st.lists(names, max_size=3, unique=True)):
        if data.draw(st.booleans()):
            frame = frame.drop(columns=name, errors="ignore")
        else:
            cells = data.draw(st.lists(CELL, min_size=2, max_size=2))
            frame[name] = pd.Series(cells, dtype=object, index=frame.index)
    try:
        assert len(trained.predict(frame)) == 2
    except ValueError as error:
        assert "olumn" in str(error)
