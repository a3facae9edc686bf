"""The best model in the formats of other runtimes, each of which predicts the same."""

import json

import keras
import numpy as np
import pytest
from tuned_wines import tuned, wines

import kt_hpo
from kt_hpo.integrations.model_exports import MODEL_FORMATS

FORMATS = [form for form in MODEL_FORMATS if form != "keras"]


def of_saved_model(path, raw):
    tensorflow = pytest.importorskip("tensorflow")
    loaded = tensorflow.saved_model.load(str(path))
    return loaded.serve(raw).numpy()


def of_onnx(path, raw):
    session = pytest.importorskip("onnxruntime").InferenceSession(str(path))
    names = [each.name for each in session.get_inputs()]
    [found] = session.run(None, raw if isinstance(raw, dict) else {names[0]: raw})
    return found


def of_tflite(path, raw):
    runtime = pytest.importorskip("ai_edge_litert.interpreter")
    interpreter = runtime.Interpreter(str(path))
    run = interpreter.get_signature_runner()
    [name] = ["" if isinstance(raw, dict) else next(iter(run.get_input_details()))]
    [found] = run(**(raw if isinstance(raw, dict) else {name: raw})).values()
    return found


RUNTIMES = {"saved_model": of_saved_model, "onnx": of_onnx, "tflite": of_tflite}


def fed(trained, raw):
    """Raw rows as runtimes take them: each input of shape `(rows, 1)`, or the array."""
    rows = trained.inputs(raw)
    return {k: v[:, None] for k, v in rows.items()} if isinstance(rows, dict) else rows


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "numbers"
    return tuned(folder, wines(texts=False), target="kind")


@pytest.fixture(scope="module")
def categories(tmp_path_factory):
    return tuned(tmp_path_factory.mktemp("export") / "categories", wines(), target="kind")


@pytest.mark.parametrize("form", FORMATS)
def test_each_runtime_predicts_the_same_of_raw_rows(form, numbers, tmp_path):
    trained, frame = kt_hpo.load(numbers), wines(texts=False)
    assert frame["acid"].isna().any()
    path = kt_hpo.export(numbers, tmp_path / MODEL_FORMATS[form], form)
    found = RUNTIMES[form](path, fed(trained, frame))
    expected = trained.predict(frame)["probability good"].to_numpy()
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-5)
    known = json.loads((tmp_path / f"{path.name}.json").read_text())
    assert known["class_names"] == ["bad", "good"] and known["target"] == "kind"
    assert {each["name"] for each in known["inputs"]} == set(trained.inputs(frame))


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_each_runtime_predicts_the_same_of_pixels(form, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1)).astype("uint8")
    run = tuned(tmp_path / "run", (images, np.arange(60) % 3), "cnn")
    trained = kt_hpo.load(run)
    path = kt_hpo.export(run, format=form)
    assert path == run / MODEL_FORMATS[form]
    found = RUNTIMES[form](path, images)
    np.testing.assert_allclose(found, trained.predict(images).iloc[:, 1:], atol=1e-4)


def test_the_keras_file_is_the_model(numbers, tmp_path):
    path = kt_hpo.export(numbers, tmp_path / "mine.keras", "keras")
    rows = kt_hpo.load(numbers).inputs(wines(texts=False))
    assert len(keras.models.load_model(path, compile=False).predict(rows, verbose=0)) == 120


@pytest.mark.parametrize("form", ["saved_model", "tflite"])
def test_categories_are_looked_up_by_the_runtimes_that_can(form, categories, tmp_path):
    trained = kt_hpo.load(categories)
    path = kt_hpo.export(categories, tmp_path / MODEL_FORMATS[form], form)
    raw = fed(trained, wines())
    if form == "tflite":
        raw["grape"] = np.char.encode(raw["grape"].astype(str), "utf-8")
    else:
        tensorflow = pytest.importorskip("tensorflow")
        raw = {name: tensorflow.constant(values) for name, values in raw.items()}
    expected = trained.predict(wines())["probability good"].to_numpy()
    np.testing.assert_allclose(RUNTIMES[form](path, raw)[:, 0], expected, atol=1e-5)


def test_what_a_format_cannot_hold_is_said_before(categories, tmp_path):
    with pytest.raises(ValueError, match=r"'grape' are texts. Export it as saved_model"):
        kt_hpo.export(categories, tmp_path / "model.onnx", "onnx")
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_be_are_refused(numbers, tmp_path):
    with pytest.raises(ValueError, match=r"name it \.tflite"):
        kt_hpo.export(numbers, tmp_path / "model.lite", "tflite")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").touch()
    with pytest.raises(ValueError, match="there already"):
        kt_hpo.export(numbers, tmp_path / "there", "saved_model")
    with pytest.raises(FileNotFoundError, match="no search"):
        kt_hpo.export(tmp_path / "nowhere", format="onnx")
