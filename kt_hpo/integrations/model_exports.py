"""The best model of a search in the formats of other runtimes, by Keras' own `model.export`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from kt_hpo.optional import require
from kt_hpo.trained_model import TrainedModel

# What a file of each is called where no other name is given.
MODEL_FORMATS = {
    "keras": "model.keras",
    "saved_model": "saved_model",
    "onnx": "model.onnx",
    "tflite": "model.tflite",
}

_INSTEAD = "Export it as saved_model, which holds every layer of Keras."


def export_model(trained: TrainedModel, path: str | Path, format: str) -> Path:  # noqa: A002
    """Writes a model that takes raw rows, and beside it what its outputs mean.

    Args:
        trained: The model.
        path: The file, or for `saved_model` the new folder, to write.
        format: `"keras"`, `"saved_model"`, `"onnx"` or `"tflite"`.

    Returns:
        The path. Beside it, with `.json` behind its name, are the classes in the order of the
        outputs, and name, type and shape of each input.

    Raises:
        ValueError: If the format cannot hold the model, or another model is there; says what to do.
        ImportError: If a converter is not installed, with the install line.
    """
    path = Path(path)
    _check_path(path, format)
    writers: dict[str, Callable[[TrainedModel, Path], None]] = {
        "keras": _write_keras,
        "saved_model": _write_saved_model,
        "onnx": _write_onnx,
        "tflite": _write_tflite,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    writers[format](trained, path)
    text = json.dumps(meaning(trained), indent=1, ensure_ascii=False)
    path.with_name(f"{path.name}.json").write_text(text + "\n", encoding="utf-8")
    return path


def meaning(trained: TrainedModel) -> dict[str, Any]:
    """Says what a model's inputs and outputs are.

    Args:
        trained: The model.

    Returns:
        `task`, `class_names` in the order of the outputs (of one output the probability of the
        second; None for a regression), `target`, and `inputs`: name, type and shape of each.
    """
    description = trained.description
    return {
        "task": description["task"],
        "class_names": description["class_names"],
        "target": description["target"],
        "inputs": [
            {"name": each.name, "dtype": each.dtype, "shape": list(each.shape)}
            for each in trained.model.inputs
        ],
    }


def _check_path(path: Path, form: str) -> None:
    suffix = Path(MODEL_FORMATS[form]).suffix
    if suffix and path.suffix != suffix:
        raise ValueError(f"{path} is to be a file of the format {form}: name it {suffix}.")
    if not suffix and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ValueError(f"{path} is there already. Name a new folder, or remove it.")


def _write_keras(trained: TrainedModel, path: Path) -> None:
    if path.resolve() != trained.path.resolve():
        shutil.copyfile(trained.path, path)


def _write_saved_model(trained: TrainedModel, path: Path) -> None:
    require("tensorflow", "cpu")
    trained.model.export(str(path), format="tf_saved_model", verbose=False)


def _write_onnx(trained: TrainedModel, path: Path) -> None:
    texts = [each.name for each in trained.model.inputs if each.dtype == "string"]
    if texts:
        raise ValueError(_cannot("ONNX", texts))
    onnx: Any = require("onnx", "export")
    require("tf2onnx", "export")
    model = trained.model
    # Keras reads the inputs off a model that has been called; this one has only been loaded.
    signature = keras.tree.map_structure(
        lambda each: keras.InputSpec(dtype=each.dtype, shape=each.shape, name=each.name),
        model.input,
    )
    model.export(str(path), format="onnx", verbose=False, input_signature=[signature])
    graph = onnx.load(str(path))
    _choose_by_where(graph, onnx)
    try:
        onnx.checker.check_model(graph, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        path.unlink()
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"ONNX cannot hold this model: {reason} {_INSTEAD}") from error
    onnx.save(graph, str(path))


def _cannot(form: str, columns: list[str]) -> str:
    return (
        f"{form} cannot hold how Keras reads texts, and {', '.join(map(repr, columns))} are texts. "
        f"{_INSTEAD} Or search again with these columns as numbers."
    )


def _choose_by_where(model: Any, onnx: Any) -> None:
    """Has missing numbers replaced, as they are in Keras.

    tf2onnx writes `where(known, x, mean)` as `known * x + (not known) * mean`, which is NaN where x
    is. `Where` says it as it is meant.
    """
    graph = model.graph
    made_by = {name: node for node in graph.node for name in node.output}

    def factors(name: str) -> list[Any]:
        """The condition and the value of one half, the condition perhaps behind a `Not`."""
        node = made_by.get(name)
        if node is None or node.op_type != "Mul":
            return []
        pairs = (node.input, reversed(node.input))
        for cast_name, value in map(tuple, pairs):
            cast = made_by.get(cast_name)
            if cast is not None and cast.op_type == "Cast":
                return [cast.input[0], value]
        return []

    for node in graph.node:
        halves = [factors(name) for name in node.input] if node.op_type == "Add" else []
        if len(halves) != 2 or not all(halves):
            continue
        (known, value), (other, instead) = halves
        negation = made_by.get(other)
        if negation is None or negation.op_type != "Not" or negation.input[0] != known:
            continue
        node.CopyFrom(
            onnx.helper.make_node("Where", [known, value, instead], list(node.output), node.name)
        )


def _write_tflite(trained: TrainedModel, path: Path) -> None:
    texts = [name for name, kind in _kinds(trained) if kind == "text"]
    if texts:
        raise ValueError(_cannot("TensorFlow Lite", texts))
    require("tensorflow", "cpu")
    interpreter: Any = require("ai_edge_litert.interpreter", "export")
    trained.model.export(str(path), format="litert", verbose=False)
    try:
        interpreter.Interpreter(str(path)).allocate_tensors()
    except (RuntimeError, ValueError) as error:
        path.unlink()
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"TensorFlow Lite cannot run this model: {reason} {_INSTEAD}") from error


def _kinds(trained: TrainedModel) -> list[tuple[str, str]]:
    """The kind of each column; of texts that are all of a sample, that."""
    if trained.preprocessing.kind == "text":
        return [(trained.columns[0] if trained.columns else "the samples", "text")]
    columns = getattr(trained.preprocessing, "columns", ())
    return [(column.name, column.kind) for column in columns]
