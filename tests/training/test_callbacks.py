"""The callbacks of a training: the search's and the user's."""

import sys

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
from models import eager
from searches import FIT, WithFit, X, Y, searched

from kt_hpo.training import checkpoints
from kt_hpo.training.callbacks import BestEpoch
from kt_hpo.training.reproducibility import seed_of


@pytest.mark.slow
def test_early_stopping_watches_the_objective(tmp_path):
    class Flat(WithFit):
        def fit(self, hp, model, *args, **kwargs):
            model.trainable = False
            model.compile(loss="binary_crossentropy", metrics=["accuracy"], run_eagerly=True)
            return model.fit(*args, **kwargs)

    fit = FIT | {"batch_size": 200, "epochs": 6}
    for patience, epochs in ((2, 3), (None, 6)):
        tuner = searched(
            tmp_path, hypermodel=Flat(None), max_trials=1, fit=fit, early_stopping=patience,
            overwrite=True,
        )  # fmt: skip
        assert len(tuner.study.trials[0].user_attrs["history"][0]["epoch"]) == epochs


def test_callbacks_are_copied_or_made_for_each_trial(tmp_path):
    class Uncopyable(keras.callbacks.Callback):
        made = 0

        def __init__(self):
            super().__init__()
            Uncopyable.made += 1
            self.file = sys.stdout.buffer

    fit = FIT | {"batch_size": 200}
    searched(tmp_path, hypermodel=eager, fit=fit | {"callbacks": [Uncopyable]})
    assert Uncopyable.made == 2
    with pytest.raises(keras_tuner.errors.FatalError, match="lambda: Uncopyable"):
        searched(
            tmp_path, hypermodel=eager, fit=fit | {"callbacks": [Uncopyable()]}, overwrite=True
        )


@pytest.mark.slow
def test_a_training_step_is_traced_once_and_trains_as_fit_does(tmp_path):
    class Counting(keras.layers.Dense):
        calls = 0

        def call(self, inputs, training=None):
            Counting.calls += bool(training)
            return super().call(inputs)

    def counted(hp):
        units = Counting(hp.Int("units", 3, 4), activation="relu")
        model = keras.Sequential([keras.Input((4,)), units, keras.layers.Dense(1)])
        model.compile(keras.optimizers.Adam(0.01), "mse")
        return model

    tuner = searched(tmp_path, hypermodel=counted, objective="val_loss", max_trials=1)
    in_a_search, Counting.calls = Counting.calls, 0
    [trial] = tuner.oracle.trials.values()
    keras.utils.set_random_seed(seed_of(0, trial))
    plain = counted(trial.hyperparameters).fit(X, Y, **FIT)
    assert in_a_search == Counting.calls - 1
    [history] = tuner.study.trials[0].user_attrs["history"]
    assert history["val_loss"] == pytest.approx(plain.history["val_loss"], rel=1e-5)


def test_what_a_train_step_of_ones_own_trains_is_left_to_it(tmp_path):
    class Half(keras.Sequential):
        """Trains its last layer only."""

        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = keras.ops.mean((self(x)[:, 0] - keras.ops.cast(y, "float32")) ** 2)
            variables = self.layers[-1].trainable_variables
            gradients = tape.gradient(loss, variables)
            self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
            return {"loss": loss}

    def half(hp):
        units = keras.layers.Dense(hp.Int("units", 3, 4))
        model = Half([keras.Input((4,)), units, keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(momentum=0.9), "mse")
        return model

    class Seen(keras.callbacks.Callback):
        momentums = None

        def on_train_end(self, logs=None):
            Seen.momentums = self.model.optimizer.momentums

    fit = FIT | {"callbacks": [Seen]}
    searched(tmp_path, hypermodel=half, fit=fit, objective="val_loss", max_trials=1)
    assert len(Seen.momentums) == 2


class Remembers(keras.layers.Layer):
    """Saves what is no variable: how often it was saved."""

    saved = 0

    def call(self, inputs):
        return inputs

    def save_own_variables(self, store):
        Remembers.saved += 1
        store["saved"] = np.array(Remembers.saved)


def getting_worse(*layers):
    """A model that is best after its first epoch."""
    model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.5), "mse")
    keras.utils.set_random_seed(0)
    return model


def test_the_best_epoch_is_written_once_as_it_was(tmp_path, monkeypatch):
    path, saved = tmp_path / "best.weights.h5", []
    save = checkpoints.save
    monkeypatch.setattr(checkpoints, "save", lambda *args: (saved.append(args), save(*args)))
    model, seen = getting_worse(), []
    best = BestEpoch(keras_tuner.Objective("loss", "max"), path)
    look = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append([v.numpy() for v in model.weights])
    )
    model.fit(X, Y, epochs=4, verbose=0, callbacks=[best, look])
    assert not saved and not path.exists()
    best.write()
    best.write()
    assert len(saved) == 1
    for variable, last in zip(model.weights, seen[-1], strict=True):
        np.testing.assert_array_equal(variable, last)
    other = getting_worse()
    checkpoints.restore(other, path)
    for variable, first in zip(other.weights, seen[0], strict=True):
        np.testing.assert_array_equal(variable, first)
    assert int(other.optimizer.iterations) == int(model.optimizer.iterations) // 4


@pytest.mark.parametrize("why", ["large", "saves other things"])
def test_what_memory_cannot_hold_is_written_at_once(why, tmp_path, monkeypatch):
    if why == "large":
        monkeypatch.setattr(checkpoints, "_MOST_NUMBERS", 10)
    best = BestEpoch(keras_tuner.Objective("loss", "min"), tmp_path / "best.weights.h5")
    model = getting_worse(*([] if why == "large" else [Remembers()]))
    model.fit(X, Y, epochs=1, verbose=0, callbacks=[best])
    assert (tmp_path / "best.weights.h5").exists()
