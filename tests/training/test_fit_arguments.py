"""Arguments of `search` that its trials could not be run with are found before any training."""

import keras
import keras_tuner
import numpy as np
import pytest

import kt_hpo

X = np.zeros((8, 2), "float32")
Y = np.arange(8) % 2


def build(hp):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(hp.Int("units", 2, 3))])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def search(tmp_path, *args, tuner=None, **kwargs):
    tuner = tuner or kt_hpo.RandomSearch(build, "loss", max_trials=1, directory=tmp_path)
    with pytest.raises(ValueError) as raised:
        tuner.search(*args, **{"verbose": 0} | kwargs)
    assert not tuner.study.trials
    return str(raised.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epoch": 3}, "Did you mean 'epochs'"),
        ({"validation_dat": (X, Y)}, "Did you mean 'validation_data'"),
        ({"max_trials": 3}, "a tuner's own belongs to its constructor"),
        ({"epochs": 0}, "epochs=0 is not allowed; give a whole number from 1 on"),
        ({"epochs": "3"}, "epochs='3'"),
        ({"epochs": True}, "epochs=True"),
        ({"epochs": 2, "initial_epoch": 2}, "initial_epoch=2 is not below epochs=2"),
        ({"batch_size": 0}, "batch_size=0 is not allowed"),
        ({"batch_size": 2.5}, "batch_size=2.5"),
        ({"steps_per_epoch": -1}, "steps_per_epoch=-1"),
        ({"validation_split": 2}, "validation_split=2 is not allowed"),
        ({"validation_split": -0.1}, "validation_split=-0.1"),
        ({"validation_data": X}, "validation_data is a ndarray; give a pair"),
        ({"validation_data": (X,)}, "validation_data has 1 parts"),
        ({"validation_data": (X, ["a"] * 8)}, "the validation y holds texts, such as 'a'"),
        ({"shuffle": "all"}, "shuffle='all'"),
        ({"class_weight": [1, 2]}, "class_weight=[1, 2]"),
        ({"class_weight": {"a": 1}}, "class_weight={'a': 1}"),
        ({"callbacks": 3}, "callbacks=3"),
        ({"callbacks": keras.callbacks.TerminateOnNaN()}, "is no list; write callbacks=["),
        ({"y": Y}, "y twice"),
    ],
)
def test_it_is_said_what_is_wrong(given, message, tmp_path):
    assert message in search(tmp_path, X, Y, **given)


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["no", "yes"])[Y],
        np.array(["no", "yes"], object)[Y],
        np.array([b"no", b"yes"])[Y],
        ["no", "yes"] * 4,
    ],
)
def test_labels_are_numbers(labels, tmp_path):
    message = search(tmp_path, X, labels)
    assert "y holds texts" in message
    assert "numpy.unique(y, return_inverse=True)" in message


def test_there_is_something_to_train_with(tmp_path):
    assert "search() got no x" in search(tmp_path, None, Y)
    assert "search() got no x" in search(tmp_path, epochs=3)


def test_folds_validate(tmp_path):
    tuner = kt_hpo.RandomSearch(build, "loss", cross_validation=2, directory=tmp_path)
    message = search(tmp_path, X, Y, tuner=tuner, validation_data=(X, Y))
    assert "validation_data= cannot be used with cross_validation=" in message


def test_a_fit_of_one_s_own_has_its_own_arguments(tmp_path):
    class Strict(keras_tuner.HyperModel):
        def build(self, hp):
            return build(hp)

        def fit(self, hp, model, x, y, callbacks=None, verbose=0, rounds=1):
            return {"loss": float(rounds)}

    tuner = kt_hpo.RandomSearch(Strict(), "loss", max_trials=1, directory=tmp_path)
    assert "Did you mean 'rounds'" in search(tmp_path, X, Y, tuner=tuner, round=2)
    tuner.search(X, Y, rounds=2, verbose=0)
    assert tuner.study.best_value == 2


def test_a_run_trial_of_one_s_own_too(tmp_path):
    class Box(kt_hpo.RandomSearch):
        def run_trial(self, trial, noise=0.0):
            return trial.hyperparameters.Float("x", 0, 1) + noise

    tuner = Box(max_trials=1, seed=0, directory=tmp_path)
    assert "Did you mean 'noise'" in search(tmp_path, tuner=tuner, nose=1.0)
    tuner.search(noise=1.0, verbose=0)
    assert tuner.study.best_value >= 1


def test_what_keras_takes_is_taken(tmp_path):
    tuner = kt_hpo.RandomSearch(build, "val_loss", max_trials=1, directory=tmp_path)
    tuner.search(
        X, Y, np.int64(4), np.int32(1), validation_split=np.float32(0.5), shuffle=np.bool_(False),
        class_weight={np.int64(0): 1, 1: np.float64(2)}, callbacks=(), verbose=0,
    )  # fmt: skip
    assert tuner.study.trials[0].state.name == "COMPLETE"
