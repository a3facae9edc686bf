"""What a search leaves: a model of raw rows, which knows its data wherever it is moved."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import keras
import keras_tuner
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

import hypermodels
from kt_hpo import datasets
from kt_hpo.datasets.preprocessing import from_config
from kt_hpo.result_files import read_description, save_model

pytestmark = pytest.mark.filterwarnings("ignore::kt_hpo.datasets.DataWarning")


def trained(train: datasets.Dataset, epochs: int = 40) -> keras.Model:
    """A small network, fitted as the ready spaces are: a regression within its own scale."""
    keras.utils.set_random_seed(0)
    layers = [keras.Input(train.input_shape), keras.layers.Dense(32, activation="relu")]
    if train.task == "regression":
        mean, std = train.target_scale
        layers += [keras.layers.Dense(1), keras.layers.Rescaling(std, mean)]
        compiled = {"loss": "mse", "metrics": ["mae"], "loss_weights": [1 / std**2]}
    else:
        layers += [keras.layers.Dense(train.num_classes, activation="softmax")]
        compiled = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(0.02), **compiled)
    model.fit(*train.arrays, epochs=epochs, batch_size=128, verbose=0)
    return model


def mixed(rows: int = 400) -> pd.DataFrame:
    stream = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": stream.integers(18, 80, rows).astype(float),
            "yearly income": np.exp(stream.normal(10, 1, rows)).round(2),
            "city": stream.choice(["Wien", "Graz", "Linz"], rows),
            "since": pd.date_range("2020-01-01", periods=rows, freq="2D").strftime("%d.%m.%Y"),
            "note": [
                " ".join(stream.choice(["it", "was", "good", "bad", "slow", "today"], 6))
                for _ in range(rows)
            ],
        }
    )
    words = frame["note"].str.count("good") - frame["note"].str.count("bad")
    score = (frame["age"] - 49) / 12 + 2 * (frame["city"] == "Wien") - 0.7 + words
    frame["buys"] = np.where(score > 0, "yes", "no")
    frame.loc[::9, "age"] = np.nan
    frame.loc[::11, "city"] = None
    return frame


def table(name: str) -> pd.DataFrame:
    if name == "mixed":
        return mixed()
    if name == "diabetes":
        frame = load_diabetes(as_frame=True, scaled=False).frame
        return frame.assign(target=frame["target"].astype(float))
    bunch = {"wine": load_wine, "breast_cancer": load_breast_cancer}[name](as_frame=True)
    return bunch.frame.assign(target=np.array(bunch.target_names)[bunch.frame["target"]])


@pytest.mark.parametrize("name", ["wine", "breast_cancer", "diabetes", "mixed"])
def test_raw_rows_that_nothing_was_learned_of_are_predicted(name: str, tmp_path: Path) -> None:
    order = np.random.default_rng(1).permutation(len(table(name)))
    frame, held_out = table(name), len(order) // 5
    kept, held = frame.iloc[order[held_out:]], frame.iloc[order[:held_out]]
    kept.to_csv(tmp_path / "kept.csv", index=False, sep=";" if name == "mixed" else ",")
    train = datasets.from_csv(tmp_path / "kept.csv").train
    save_model(trained(train), train, tmp_path / "best_model.keras")

    moved = (tmp_path / "best_model.keras").rename(tmp_path / "moved.keras")
    model, known = keras.models.load_model(moved), read_description(moved)
    rows = from_config(known["preprocessing"]).inputs(held)
    outputs = model.predict(rows, verbose=0)
    truth = held[known["target"]]
    if known["task"] == "regression":
        assert known["class_names"] is None
        r2 = 1 - np.mean((outputs[:, 0] - truth) ** 2) / truth.var(ddof=0)
        assert r2 > 0.3
        mae = model.evaluate(rows, truth, verbose=0, return_dict=True)["mae"]
        assert mae == pytest.approx(np.abs(outputs[:, 0] - truth).mean(), rel=1e-4)
    else:
        accuracy = (np.array(known["class_names"])[outputs.argmax(axis=1)] == truth).mean()
        # One of nine ages, and one of eleven cities, is not known to the mixed table's model.
        assert accuracy > (0.8 if name == "mixed" else 0.9)
        labels = pd.Categorical(truth, categories=known["class_names"]).codes
        measured = model.evaluate(rows, labels, verbose=0, return_dict=True)
        assert measured["accuracy"] == pytest.approx(accuracy, abs=1e-5)


def test_columns_by_name_are_what_the_model_takes(tmp_path: Path) -> None:
    frame = table("wine")
    train = datasets.from_frame(frame).train
    save_model(trained(train, 1), train, tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")
    # Letters, digits and _ only: TensorFlow's SavedModel knows no other names.
    columns = {name.replace("/", "_"): frame[name].to_numpy() for name in frame.columns[:-1]}
    own = model.predict(train.preprocessing.inputs(frame), verbose=0)
    np.testing.assert_allclose(model.predict(columns, verbose=0), own, atol=1e-5)


@pytest.mark.slow
def test_the_model_is_loaded_without_this_package(tmp_path: Path) -> None:
    train = datasets.from_frame(mixed()).train
    save_model(trained(train, 1), train, tmp_path / "model.keras")
    code = (
        "import sys, keras; keras.models.load_model('model.keras');"
        "sys.exit(any(name.startswith('kt_hpo') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0


def test_pixels_and_texts(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (40, 6, 6, 1)).astype(np.uint8)
    train = datasets.from_arrays(images, np.arange(40) % 2).train
    inputs = keras.Input((6, 6, 1))
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(inputs)))
    save_model(model, train, tmp_path / "images.keras")
    loaded = keras.models.load_model(tmp_path / "images.keras")
    expected = model.predict(images / 255, verbose=0)
    np.testing.assert_allclose(loaded.predict(images, verbose=0), expected, atol=1e-5)

    texts = ["good dog here", "bad cat there"] * 20
    train = datasets.from_arrays(texts, [0, 1] * 20).train
    inputs = keras.Input(train.input_shape, dtype="int32")
    x = keras.layers.Embedding(train.preprocessing.vocabulary_size, 3)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling1D()(x)))
    save_model(model, train, tmp_path / "texts.keras")
    loaded = keras.models.load_model(tmp_path / "texts.keras")
    outputs = loaded.predict(np.array(texts, object), verbose=0)
    assert outputs.shape == (40, 2)
    np.testing.assert_allclose(outputs[::2], np.tile(outputs[0], (20, 1)), atol=1e-5)


def test_a_model_of_others_describes_nothing(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="does not say what data it was trained on"):
        read_description(tmp_path / "model.keras")
    x, y = np.zeros((20, 2), "float32"), np.arange(20) % 2
    plain = datasets.Dataset(x, y, "toy", "classification", ("no", "yes"))
    save_model(model, plain, tmp_path / "model.keras")
    assert read_description(tmp_path / "model.keras")["preprocessing"] is None


@pytest.mark.slow
def test_a_saved_model_needs_nothing_but_keras(tmp_path):
    """Not even where a ready model has trained with a schedule of its own."""
    frame = pd.DataFrame({"size": np.arange(60.0), "kind": ["a", "b", "c"] * 20, "y": [0, 1] * 30})
    train = datasets.from_frame(frame, "y").train
    hypermodel = hypermodels.MLPHyperModel(train.input_shape, train.num_classes, schedule="cosine")
    model = hypermodel.build(keras_tuner.HyperParameters())
    model.fit(*train.arrays, verbose=0)
    save_model(model, train, tmp_path / "model.keras")
    program = (
        "import keras, numpy as np, tensorflow as tf\n"
        f"model = keras.models.load_model({str(tmp_path / 'model.keras')!r})\n"
        "rows = {'size': np.array([[1.0], [np.nan]]), 'kind': tf.constant([['a'], ['']])}\n"
        "print(model.predict(rows, verbose=0).shape, type(model.optimizer).__name__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout == "(2, 1) SGD\n", done.stderr
