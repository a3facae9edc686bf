"""Tuners that train: models, callbacks, executions, and weights that are handed on."""

import keras
import numpy as np
import pytest

pytestmark = pytest.mark.slow

X = np.random.default_rng(0).random((32, 2)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, (32, 1))
DATA = {"x": X, "y": Y, "validation_data": (X, Y), "batch_size": 32, "verbose": 0}


def network(hp, units=4, metrics=("accuracy",)):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)])
    model.add(keras.layers.Dense(3, activation="softmax"))
    rate = hp.Choice("learning_rate", [0.01, 0.001])
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.SGD(rate), loss, metrics=list(metrics), run_eagerly=True)
    return model


def build(hp):
    for i in range(hp.Int("layers", 1, 3)):
        hp.Int(f"units_{i}", 5, 9, default=6)
    return network(hp)


def test_a_trained_search_gives_models_as_they_were_measured(kt, places):
    tuner = kt.RandomSearch(build, objective="val_loss", max_trials=2, seed=1, **places)
    tuner.search(**DATA, epochs=2)
    tuner.results_summary()
    models = tuner.get_best_models(2)
    for model, trial in zip(models, tuner.oracle.get_best_trials(2), strict=True):
        loss = model.evaluate(X, Y, verbose=0, return_dict=True)["loss"]
        assert loss == pytest.approx(trial.score, rel=1e-5)
    best = tuner.get_best_hyperparameters()[0]
    assert best.values == tuner.oracle.get_best_trials()[0].hyperparameters.values
    assert tuner.hypermodel.build(best).count_params() == models[0].count_params()


def test_arguments_of_the_tuner_replace_what_the_model_was_compiled_with(kt, places):
    seen = []

    class Fitting(kt.HyperModel):
        def build(self, hp):
            return network(hp, metrics=[])

        def fit(self, hp, model, *args, **kwargs):
            seen.append((type(model.optimizer).__name__, model.loss))
            return model.fit(*args, **kwargs)

    tuner = kt.RandomSearch(
        Fitting(), objective="val_mse", max_trials=1, metrics=["mse"], loss="mse",
        optimizer="rmsprop", **places,
    )  # fmt: skip
    tuner.search(X, Y.astype("float32"), validation_data=(X, Y), verbose=0)
    assert seen == [("RMSprop", "mse")]
    assert tuner.get_best_models()[0].loss == "mse"


def test_an_optimizer_object_serves_every_trial(kt, places):
    tuner = kt.RandomSearch(
        build, objective="val_loss", max_trials=2, optimizer=keras.optimizers.Adam(0.01), **places
    )
    tuner.search(**DATA)
    assert [trial.status for trial in tuner.oracle.trials.values()] == ["COMPLETED"] * 2


def test_callbacks_are_copied_for_every_execution(kt, places):
    begun = []

    class Logging(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            begun.append(self)  # Kept, so that no other gets its place in memory.

    given = Logging()
    tuner = kt.RandomSearch(
        build, objective="val_loss", max_trials=2, executions_per_trial=2, **places
    )
    tuner.search(**DATA, callbacks=[given])
    assert len({id(one) for one in begun}) == len(begun) == 4
    assert all(one is not given for one in begun)


def test_hyperparameters_of_fit_join_the_space(kt, places):
    class Fitting(kt.HyperModel):
        def build(self, hp):
            return network(hp)

        def fit(self, hp, model, *args, **kwargs):
            return model.fit(*args, shuffle=hp.Boolean("shuffle"), **kwargs)

    tuner = kt.RandomSearch(Fitting(), objective="val_accuracy", max_trials=1, **places)
    tuner.search(**DATA)
    assert "shuffle" in tuner.oracle.hyperparameters
    assert "shuffle" in tuner.get_best_hyperparameters()[0].values


def test_a_subclassed_model_is_loaded_as_it_was_measured(kt, places):
    def subclassed(hp):
        class Shifted(keras.Model):
            def __init__(self):
                super().__init__()
                self.dense = keras.layers.Dense(3, activation="softmax")
                self.shift = hp.Float("shift", 0, 10)

            def build(self, shape):
                self.dense.build(shape)
                self.built = True

            def call(self, x):
                return self.dense(x + self.shift)

        model = Shifted()
        model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
        return model

    tuner = kt.RandomSearch(subclassed, objective="val_loss", max_trials=2, **places)
    tuner.search(**DATA)
    best = tuner.get_best_models()[0]
    expected = tuner.oracle.get_best_trials()[0].score
    assert best.evaluate(X, Y, verbose=0) == pytest.approx(expected, rel=1e-4)


def test_an_oracle_of_ones_own_hears_of_a_trial_when_it_is_trained_and_of_no_epoch(kt, places):
    heard, epochs = [], []

    class Stopping(kt.Oracle):
        def populate_space(self, trial_id):
            values = {one.name: one.random_sample() for one in self.hyperparameters.space}
            return {"values": values, "status": "RUNNING"}

        def update_trial(self, trial_id, metrics, step=0):
            heard.append(trial_id)
            trial = super().update_trial(trial_id, metrics, step)
            trial.status = "STOPPED"  # Too late for anything to stop.
            return trial

    class Counting(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            epochs.append(epoch)

    tuner = kt.Tuner(Stopping("val_loss", max_trials=2), build, **places)
    tuner.search(**DATA, epochs=2, callbacks=[Counting()])
    assert heard == sorted(tuner.oracle.trials) and len(heard) == 2
    assert epochs == [0, 1] * 2
    assert [trial.status for trial in tuner.oracle.trials.values()] == ["COMPLETED"] * 2


def test_what_a_subclass_overrides_is_called(kt, places):
    called = []

    class Own(kt.RandomSearch):
        def _build_and_fit_model(self, trial, *args, **kwargs):
            called.append("fit")
            return super()._build_and_fit_model(trial, *args, **kwargs)

        def on_trial_begin(self, trial):
            called.append("begin")
            super().on_trial_begin(trial)

        def on_trial_end(self, trial):
            called.append("end")
            super().on_trial_end(trial)

        def on_search_begin(self):
            called.append("first")

        def on_search_end(self):
            called.append("last")

    tuner = Own(build, objective="val_loss", max_trials=1, executions_per_trial=2, **places)
    tuner.search(**DATA)
    assert called == ["first", "begin", "fit", "fit", "end", "last"]


def test_a_trial_is_run_by_hand(kt, places):
    tuner = kt.RandomSearch(build, objective="val_loss", max_trials=2, **places)
    trial = tuner.oracle.create_trial("tuner0")
    [result] = tuner.run_trial(trial, X, Y, validation_data=(X, Y), verbose=0)
    metrics = getattr(result, "metrics", None) or getattr(result, "history", None)
    assert {"loss", "val_loss", "accuracy", "val_accuracy"} <= set(metrics)


def test_hyperband_builds_on_the_weights_of_the_round_before(kt, places):
    tuner = kt.Hyperband(
        build, objective="val_loss", max_epochs=2, factor=2, hyperband_iterations=1, **places
    )
    later = []

    class Watching(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            later.append([np.array(one) for one in self.model.get_weights()])

    found = {}
    original = tuner.on_trial_begin

    def begin(trial):
        original(trial)
        if "tuner/trial_id" in trial.hyperparameters and not found:
            model = tuner._try_build(trial.hyperparameters)
            found["weights"] = [np.array(one) for one in model.get_weights()]
            found["after"] = len(later)

    tuner.on_trial_begin = begin
    tuner.search(**DATA, callbacks=[Watching()])
    for built, trained in zip(found["weights"], later[found["after"]], strict=True):
        np.testing.assert_allclose(built, trained)
    untrained = tuner.hypermodel.build(tuner.get_best_hyperparameters()[0]).get_weights()
    assert any(not np.allclose(a, b) for a, b in zip(untrained, found["weights"], strict=False)
               if a.shape == b.shape)  # fmt: skip
