"""What a search found, as files: the best model, its hyperparameters, all trials, one picture."""

from __future__ import annotations

import json
import math
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from kt_hpo.confidence import metric_intervals
from kt_hpo.datasets import Dataset, Splits
from kt_hpo.plots import overview
from kt_hpo.record import tables
from kt_hpo.startup import quiet_tensorflow
from kt_hpo.training.best import fit_best
from kt_hpo.training.interruption import Interruption, StopWhenAsked, TimeIsUpError

if TYPE_CHECKING:
    from kt_hpo.tuner import Tuner

MODEL = "best_model.keras"
HYPERPARAMETERS = "best_hyperparameters.json"
DATA = "data.json"
TRIALS = "trials.csv"
SUMMARY = "summary.png"
FILES = (MODEL, HYPERPARAMETERS, DATA, TRIALS, SUMMARY)
# In the model's file too, which is a zip file: a file that is moved keeps it. Keras ignores it.
DATA_IN_MODEL = "kt_hpo/data.json"


def write_results(
    tuner: Tuner,
    data: Splits,
    directory: str | Path,
    *,
    ensemble: int = 1,
    until: float = math.inf,
    **fit_kwargs: Any,
) -> dict[str, float]:
    """Trains the best model on training and validation data, tests it, and writes what was found.

    Args:
        tuner: A tuner whose search is over.
        data: The data it searched with.
        directory: Folder for `best_model.keras`, `best_hyperparameters.json`, `data.json`,
            `trials.csv` and `summary.png`. The model takes raw rows (see `save_model`).
        ensemble: How many trainings the model is the mean of, as in `Tuner.fit_best`.
        until: The `time.monotonic()` at which no training is to go on; the model is as its trial
            left it where that does not suffice for one.
        **fit_kwargs: As in `Tuner.fit_best`.

    Returns:
        The metrics of the retrained best model on the test data, by name. They are kept in the
        record too, as `study.user_attrs["test"]`, with their 95 % intervals, `"test_intervals"`,
        and the number of samples, `"test_samples"`.

    Raises:
        ValueError: If no trial has been completed.
    """
    directory = Path(directory)
    train, validation, test = data
    both = train.concatenate(validation).arrays
    model, is_retrained = _final_model(tuner, both, fit_kwargs, ensemble, until)
    with quiet_tensorflow():
        metrics = model.evaluate(*test.arrays, verbose=0, return_dict=True)
    save_model(model, train, directory / MODEL)
    (directory / DATA).write_text(json.dumps(train.description, indent=2) + "\n")
    best = tuner.get_best_hyperparameters()[0]
    (directory / HYPERPARAMETERS).write_text(json.dumps(best.values, indent=2) + "\n")
    tables.to_dataframe(tuner.study).to_csv(directory / TRIALS, index=False)
    figure = overview(
        tuner.study, y_true=test.y, y_pred=predict(model, test), class_names=test.class_names
    )
    figure.savefig(directory / SUMMARY, dpi=120)
    intervals = metric_intervals(model, test, metrics, tuner.oracle.seed or 0)
    tuner.study.set_user_attr("test_intervals", intervals)
    tuner.study.set_user_attr("test_samples", len(test))
    tuner.study.set_user_attr("retrained", is_retrained)
    tuner.study.set_user_attr("test", {name: float(value) for name, value in metrics.items()})
    return metrics


def _final_model(
    tuner: Tuner, data: tuple[Any, ...], fit_kwargs: dict[str, Any], ensemble: int, until: float
) -> tuple[keras.Model, bool]:
    """Trains the best model on all of the data, if there is time; and tells whether that was so."""
    left = until - time.monotonic()
    if left > 0:
        stop = [] if math.isinf(left) else [StopWhenAsked(Interruption(left))]
        with suppress(TimeIsUpError):
            fit_kwargs = {**fit_kwargs, "callbacks": stop}
            return fit_best(tuner, data, fit_kwargs, ensemble, until), True
    try:
        return tuner.get_best_models(1)[0], False
    except FileNotFoundError:  # A trial of another kind leaves no weights.
        return fit_best(tuner, data, fit_kwargs), True


def save_model(model: keras.Model, data: Dataset, path: str | Path) -> None:
    """Saves a model that takes raw rows, and in its file what it has to know of the data.

    `keras.models.load_model` needs nothing of this package: the preprocessing is layers of Keras.
    What the model takes as input is `data.preprocessing.inputs(raw)`: by name, a column each, for
    a table (`NaN` and `""` for no value), pixels for images, else arrays.

    Args:
        model: A trained model of `data.x`.
        data: The data it was trained on.
        path: The file, `.keras`.

    Example:
        >>> import pathlib, tempfile
        >>> from kt_hpo import datasets
        >>> train = datasets.from_arrays(np.arange(40.0).reshape(20, 2), [0, 1] * 10).train
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.keras"
        >>> save_model(model, train, path)
        >>> keras.models.load_model(path).predict(train.x[:1], verbose=0).shape
        (1, 1)
        >>> read_description(path)["class_names"]
        ['0', '1']
    """
    attached = model if data.preprocessing is None else data.preprocessing.attach(model)
    attached.save(path)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(DATA_IN_MODEL, json.dumps(data.description))


def read_description(path: str | Path) -> dict[str, Any]:
    """Reads what a saved model knows of its data; see `Dataset.description`.

    Args:
        path: A file that `save_model` has written.

    Returns:
        The description; `kt_hpo.datasets.preprocessing.from_config` makes its `preprocessing`.

    Raises:
        ValueError: If the file has none.
    """
    with zipfile.ZipFile(path) as file:
        if DATA_IN_MODEL not in file.namelist():
            raise ValueError(
                f"{path} does not say what data it was trained on: kt_hpo has not written it."
            )
        return json.loads(file.read(DATA_IN_MODEL))


def predict(model: keras.Model, data: Dataset) -> np.ndarray:
    """Predicts the classes, or the values, of a data set.

    Args:
        model: A trained classifier (one sigmoid unit, or a unit a class) or regressor.
        data: The data.

    Returns:
        Array of shape `(len(data),)`.
    """
    with quiet_tensorflow():
        outputs: Any = model.predict(data.x, verbose=0)
    if data.task == "regression":
        return outputs.reshape(len(data))
    if outputs.shape[-1] == 1:
        return (outputs.reshape(len(data)) > 0.5).astype(int)
    return outputs.argmax(axis=-1)
