"""What a search found, as files: the best model, its hyperparameters, all trials, one picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from kt_hpo.datasets import Dataset, Splits
from kt_hpo.plots import overview
from kt_hpo.record import tables

if TYPE_CHECKING:
    from kt_hpo.tuner import Tuner

MODEL = "best_model.keras"
HYPERPARAMETERS = "best_hyperparameters.json"
TRIALS = "trials.csv"
SUMMARY = "summary.png"
FILES = (MODEL, HYPERPARAMETERS, TRIALS, SUMMARY)


def write_results(
    tuner: Tuner, data: Splits, directory: str | Path, **fit_kwargs: Any
) -> dict[str, float]:
    """Trains the best model on training and validation data, tests it, and writes what was found.

    Args:
        tuner: A tuner whose search is over.
        data: The data it searched with.
        directory: Folder for `best_model.keras`, `best_hyperparameters.json`, `trials.csv` and
            `summary.png`.
        **fit_kwargs: As in `Tuner.fit_best`.

    Returns:
        The metrics of the retrained best model on the test data, by name. They are kept in the
        record too, as `study.user_attrs["test"]`.

    Raises:
        ValueError: If no trial has been completed.
    """
    directory = Path(directory)
    train, validation, test = data
    model = tuner.fit_best(*train.concatenate(validation).arrays, **fit_kwargs)
    metrics = model.evaluate(*test.arrays, verbose=0, return_dict=True)
    model.save(directory / MODEL)
    best = tuner.get_best_hyperparameters()[0]
    (directory / HYPERPARAMETERS).write_text(json.dumps(best.values, indent=2) + "\n")
    tables.to_dataframe(tuner.study).to_csv(directory / TRIALS, index=False)
    figure = overview(
        tuner.study, y_true=test.y, y_pred=predict(model, test), class_names=test.class_names
    )
    figure.savefig(directory / SUMMARY, dpi=120)
    tuner.study.set_user_attr("test", {name: float(value) for name, value in metrics.items()})
    return metrics


def predict(model: keras.Model, data: Dataset) -> np.ndarray:
    """Predicts the classes, or the values, of a data set.

    Args:
        model: A trained classifier (one sigmoid unit, or a unit a class) or regressor.
        data: The data.

    Returns:
        Array of shape `(len(data),)`.
    """
    outputs: Any = model.predict(data.x, verbose=0)
    if data.task == "regression":
        return outputs.reshape(len(data))
    if outputs.shape[-1] == 1:
        return (outputs.reshape(len(data)) > 0.5).astype(int)
    return outputs.argmax(axis=-1)
