"""Mistakes that are found before any training."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import blobs, build, eager

import kt_hpo

X, Y = blobs()
SPLIT = {"validation_split": 0.25}


def ten_classes(hp):
    layers = [keras.Input((4,)), keras.layers.Dense(10, activation="softmax")]
    model = keras.Sequential(layers)
    optimizer = keras.optimizers.SGD(hp.Float("rate", 1e-3, 1e-1))
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def no_hyperparameter(hp):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    return model


HOLE = X.copy()
HOLE[3, 1] = np.nan

MISTAKES = {
    "NaN in x": (build, "val_loss", (HOLE, Y), SPLIT, "x holds NaN in 1 of 800 places"),
    "NaN in y": (
        build, "val_loss", (X, np.full(200, np.nan)), SPLIT, "y holds NaN in 200 of 200 places",
    ),
    "NaN in validation": (
        build, "val_loss", (X, Y), {"validation_data": (HOLE, Y)}, "the validation x holds NaN",
    ),
    "empty": (build, "val_loss", (X[:0], Y[:0]), SPLIT, "x is empty"),
    "empty validation": (
        build, "val_loss", (X, Y), {"validation_data": (X[:0], Y[:0])}, "the validation x is empty",
    ),
    "lengths": (build, "val_loss", (X, Y[:7]), SPLIT, "200 and 7 samples"),
    "labels": (ten_classes, "val_loss", (X, Y + 9), SPLIT, "from 9 to 10.*between 0 and 9"),
    "binary labels": (build, "val_loss", (X, Y * 2), SPLIT, "from 0 to 2.*between 0 and 1"),
    "no such metric": (
        build, kt_hpo.Objective("val_f1", "max"), (X, Y), SPLIT,
        "'val_f1' is not among.*val_accuracy, val_loss",
    ),
    "no validation": (build, "val_accuracy", (X, Y), {}, "validation_split=0.2"),
    "nothing to search": (no_hyperparameter, "val_loss", (X, Y), SPLIT, "no hyperparameter"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_before_any_training(mistake, tmp_path):
    hypermodel, objective, data, fit, message = MISTAKES[mistake]
    tuner = kt_hpo.RandomSearch(hypermodel, objective, max_trials=2, directory=tmp_path)
    with pytest.raises(ValueError, match=f"(?s){message}"):
        tuner.search(*data, **fit, verbose=0)
    assert not tuner.study.trials


def test_pipelines_are_checked_too(tmp_path):
    empty = tf.data.Dataset.from_tensor_slices((X, Y)).take(0).batch(100)
    full = tf.data.Dataset.from_tensor_slices((X, Y)).batch(100)
    tuner = kt_hpo.RandomSearch(eager, "val_loss", max_trials=1, seed=0, directory=tmp_path)
    with pytest.raises(ValueError, match="x is empty"):
        tuner.search(empty, validation_data=full, verbose=0)
    with pytest.raises(ValueError, match="the validation data is empty"):
        tuner.search(full, validation_data=empty, verbose=0)
    tuner.search(full, validation_data=full, verbose=0)
    assert tuner.study.best_trial.state.name == "COMPLETE"


def test_an_objective_only_training_can_show_is_found_after_one_epoch(tmp_path):
    """Where the default values give no model, none can be tried beforehand."""

    def picky(hp):
        if hp.Choice("kind", ["broken", "fine", "good"]) == "broken":
            raise RuntimeError("the default is broken")
        return eager(hp)

    objective = kt_hpo.Objective("val_f1", "max")
    tuner = kt_hpo.RandomSearch(picky, objective, max_trials=2, seed=1, directory=tmp_path)
    epochs = []

    class Count(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            epochs.append(epoch)

    with pytest.raises(kt_hpo.errors.FatalError, match="'val_f1' is not among"):
        tuner.search(X, Y, epochs=9, callbacks=[Count], verbose=0, **SPLIT)
    assert epochs == [0]
