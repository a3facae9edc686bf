"""The model that a search has found, ready to predict: `load`."""

from __future__ import annotations

import importlib
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import optuna
import pandas as pd

from kt_hpo import result_files
from kt_hpo.arguments import did_you_mean
from kt_hpo.datasets import preprocessing
from kt_hpo.datasets.preprocessing import (
    NoPreprocessing,
    Preprocessing,
    TablePreprocessing,
    TextPreprocessing,
)
from kt_hpo.record.studies import find_study
from kt_hpo.startup import grow_memory, quiet_tensorflow


@dataclass(frozen=True, eq=False, repr=False)
class TrainedModel:
    """A model that a search has found, and what it has to know to predict.

    Attributes:
        model: The model; it takes raw rows, as `preprocessing.inputs(raw)` gives them.
        description: What is known of the data it was trained on; see `Dataset.description`.
        preprocessing: What turns raw rows into what the layers are trained on.
        study: The record of the search; None where it is not in the model's folder.
        path: The file of the model.
        from_logits: Whether the model's outputs are logits, as its loss says.
    """

    model: keras.Model
    description: Mapping[str, Any]
    preprocessing: Preprocessing
    study: optuna.Study | None
    path: Path
    from_logits: bool = False

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The classes in the order of the model's outputs; None for a regression."""
        names = self.description["class_names"]
        return None if names is None else tuple(names)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that a table needs; empty where there are none."""
        if isinstance(self.preprocessing, TablePreprocessing):
            return tuple(column.name for column in self.preprocessing.columns)
        column = getattr(self.preprocessing, "column", None)
        return () if column is None else (column,)

    def __repr__(self) -> str:
        names = self.class_names
        what = "values" if names is None else f"{len(names)} classes"
        return f"<TrainedModel {str(self.path)!r}: {what} from {self._takes()}>"

    def predict(self, raw: Any, batch_size: int = 256) -> pd.DataFrame:
        """Predicts classes with their probabilities, or values.

        Args:
            raw: New rows as they are, nothing scaled or encoded. A model of a table takes a
                `pandas.DataFrame` or columns by name; further columns, the target say, are not
                looked at. Others take an array `(samples, ...)`, or texts.
            batch_size: Rows at once.

        Returns:
            A row each, with the index of `raw` if that is a frame. Of a classification the class,
            under the name of the target (`class` where it has none), and a column
            `probability <class>` for each; of a regression the value (`value`), or `value 0`,
            `value 1`, ... where a row has several.

        Raises:
            ValueError: If columns are missing (suggests the nearest), or the rows are not of the
                shape or the kind that the model was trained on.

        Example:
            >>> import kt_hpo
            >>> x = np.random.default_rng(0).normal(size=(60, 2))
            >>> tuner = kt_hpo.tune("mlp", (x, x[:, 0] > 0), max_trials=1, verbose=0)
            >>> list(kt_hpo.load(tuner).predict([[1.0, 0.0]]).columns)
            ['class', 'probability False', 'probability True']
        """
        rows = self.inputs(raw)
        index = raw.index if isinstance(raw, pd.DataFrame) else None
        count = len(next(iter(rows.values()))) if isinstance(rows, dict) else len(rows)
        if count == 0:
            outputs = np.empty((0, *self.model.output_shape[1:]), "float32")
        else:
            with quiet_tensorflow():
                outputs = self.model.predict(rows, batch_size=batch_size, verbose=0)
        names = self.class_names
        target = self.description["target"]
        if names is None:
            return _values(outputs, target or "value", index)
        probabilities = _probabilities(outputs, self.from_logits)
        return _classes(probabilities, names, target or "class", index)

    def inputs(self, raw: Any) -> Any:
        """Gives raw rows as the arrays that the model takes.

        Args:
            raw: As for `predict`.

        Returns:
            An array, or arrays by the names of the model's inputs.

        Raises:
            ValueError: As for `predict`.
        """
        given = self.as_array(raw)
        if isinstance(raw, pd.DataFrame) and self.columns:
            names = raw.columns.map(str)
            double = [name for name in names[names.duplicated()] if name in self.columns]
            if double:
                raise ValueError(
                    f"There are several columns called {double[0]!r}: give each a name of its own."
                )
        try:
            return self.preprocessing.inputs(given)
        except ValueError as error:
            more = "" if self.columns else f" The model of {self.path} takes {self._takes()}."
            raise ValueError(f"{error}{more}") from None

    def unused_columns(self, frame: pd.DataFrame) -> list[str]:
        """Lists the columns of a table that the model does not look at.

        Args:
            frame: A table.

        Returns:
            Their names, without those that the search has left out as useless.
        """
        known = {*self.columns, *getattr(self.preprocessing, "left_out", ())}
        return [str(name) for name in frame.columns if str(name) not in known]

    def as_array(self, raw: Any) -> Any:
        """Gives raw rows as the preprocessing takes them.

        Args:
            raw: As for `predict`.

        Returns:
            The rows; of a frame its columns but the target, for a model of arrays.
        """
        if isinstance(self.preprocessing, TablePreprocessing | TextPreprocessing):
            return raw
        if isinstance(raw, pd.DataFrame):
            target = self.description["target"]
            numbers = raw.drop(columns=[n for n in raw if n == target])
            return numbers.to_numpy()
        return raw

    def _takes(self) -> str:
        """What it predicts from, in words."""
        shape = " x ".join(map(str, getattr(self.preprocessing, "shape", ())))
        names = [*map(repr, self.columns[:6]), *["..."] * (len(self.columns) > 6)]
        by_kind = {
            "table": f"a table with {', '.join(names)}",
            "text": "texts" + "".join(f", column {name!r}" for name in self.columns),
            "image": f"images of {shape} pixels",
        }
        return by_kind.get(self.preprocessing.kind, f"numbers, {shape} a row")


def load(
    run: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True
) -> TrainedModel:
    """Loads the model that a search has found.

    Args:
        run: The search's folder, its tuner, or the `best_model.keras` in the folder, which may
            have been moved.
        custom_objects: Layers, losses and functions of your own by name, as in
            `keras.models.load_model`, where they are not registered.
        safe_mode: As in `keras.models.load_model`: False lets a file run code, as lambdas do.

    Returns:
        The model, its class names, what is known of the data, and the record.

    Raises:
        FileNotFoundError: If there is no search, or it has left no model; says what to do.
        ValueError: If the file is damaged, or does not say what data it was trained on.

    Example:
        >>> import kt_hpo
        >>> x, place = np.random.default_rng(0).normal(size=(60, 2)), "runs/numbers"
        >>> tuner = kt_hpo.tune("mlp", (x, x[:, 0]), max_trials=1, verbose=0, directory=place)
        >>> load("runs/numbers")
        <TrainedModel 'runs/numbers/best_model.keras': values from numbers, 2 a row>
    """
    run = getattr(run, "project_dir", run)
    if not isinstance(run, str | os.PathLike):
        raise ValueError(f"run={run!r} is not allowed; give the folder of a search, or its tuner.")
    path = _model_file(Path(run))
    grow_memory()
    importlib.import_module("hypermodels")  # It registers the schedules of the ready models.
    description = _description(path)
    try:
        # To predict takes neither optimizer nor loss, whose classes may not be imported here.
        model = keras.models.load_model(path, custom_objects, compile=False, safe_mode=safe_mode)
    except (TypeError, ValueError, ImportError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{path} cannot be loaded: {reason[:600]} Import the module of your own layers first, "
            "or give them as custom_objects={'Name': Name}."
        ) from error
    # Splits of the user's own are taken as they are, by the search and here.
    as_it_is = {"kind": NoPreprocessing.kind, "shape": description["input_shape"]}
    learned = preprocessing.from_config(description["preprocessing"] or as_it_is)
    return TrainedModel(model, description, learned, _study(path.parent), path, _from_logits(path))


def _model_file(run: Path) -> Path:
    """The model's file of a run; errors say why there is none."""
    if run.suffix == ".keras":
        if run.is_file():
            return run
        near = [str(file) for file in run.parent.glob("*.keras")] if run.parent.is_dir() else []
        raise FileNotFoundError(f"There is no file {run}.{did_you_mean(str(run), near)}")
    path = run / result_files.MODEL
    if path.is_file():
        return path
    study, folder = find_study(run)
    path = folder / result_files.MODEL
    if path.is_file():
        return path
    if (folder / "search.toml").is_file():
        todo = f"`kt-hpo resume {folder}` goes on to its end, where the model is written."
    else:
        todo = (
            "A search from Python leaves one where it is run by `kt_hpo.tune`, or with "
            f"kt_hpo.result_files.write_results(tuner, splits, {str(folder)!r}) at its end."
        )
    raise FileNotFoundError(
        f"{folder} holds a search of {len(study.trials)} trials and no {result_files.MODEL}. {todo}"
    )


def _description(path: Path) -> dict[str, Any]:
    """What the model's file knows of the data."""
    try:
        description = result_files.read_description(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise ValueError(f"{path} is no model of Keras, or damaged: {error}.") from error
    return description


def _study(folder: Path) -> optuna.Study | None:
    try:
        return find_study(folder)[0]
    except (FileNotFoundError, ValueError):
        return None


def _from_logits(path: Path) -> bool:
    """Whether the loss that a model was compiled with takes logits."""
    with zipfile.ZipFile(path) as file:
        compiled = json.loads(file.read("config.json")).get("compile_config") or {}
    loss = compiled.get("loss")
    return isinstance(loss, dict) and bool((loss.get("config") or {}).get("from_logits"))


def _probabilities(outputs: np.ndarray, from_logits: bool) -> np.ndarray:
    """The probability of each class, shape `(samples, classes)`."""
    is_single = outputs.shape[-1] == 1
    if from_logits or outputs.min(initial=0) < 0 or outputs.max(initial=0) > 1:
        squash = keras.ops.sigmoid if is_single else keras.ops.softmax
        outputs = keras.ops.convert_to_numpy(squash(outputs))
    if is_single:
        outputs = outputs.reshape(-1, 1)
        return np.concatenate([1 - outputs, outputs], axis=1)
    return outputs


def _classes(
    probabilities: np.ndarray, names: tuple[str, ...], target: str, index: Any
) -> pd.DataFrame:
    chosen = np.array(names, dtype=object)[probabilities.argmax(axis=1)]
    columns = [f"probability {name}" for name in names]
    frame = pd.DataFrame(probabilities, columns=columns, index=index)
    frame.insert(0, target, chosen, allow_duplicates=True)
    return frame


def _values(outputs: np.ndarray, target: str, index: Any) -> pd.DataFrame:
    values = outputs.reshape(len(outputs), -1)
    if values.shape[1] == 1:
        return pd.DataFrame({target: values[:, 0]}, index=index)
    names = [f"{target} {place}" for place in range(values.shape[1])]
    return pd.DataFrame(values, columns=names, index=index)
