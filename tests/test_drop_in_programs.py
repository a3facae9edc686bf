"""Programs as Keras Tuner's documentation has them, run with both libraries."""

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from models import blobs
from sklearn.linear_model import Ridge

import kt_hpo

pytest.importorskip("tensorboard")  # Keras Tuner does not search without it.

X, Y = blobs(120)
BATCHES = {"x": X, "y": Y, "validation_data": (X[:40], Y[:40]), "epochs": 1, "verbose": 0}
DATA = BATCHES | {"batch_size": len(X)}


def build_model(hp):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(hp.Int("units", 2, 8, step=2))])
    if hp.Boolean("dropout"):
        model.add(layers.Dropout(0.25))
    model.add(layers.Dense(1, activation=hp.Choice("last", ["sigmoid", "hard_sigmoid"])))
    rate = hp.Float("lr", min_value=1e-4, max_value=1e-2, sampling="log")
    model.compile(
        keras.optimizers.Adam(rate), loss="binary_crossentropy", metrics=["accuracy"],
        run_eagerly=True,
    )  # fmt: skip
    return model


def seen(tuner, score=True):
    """What a user sees of a search, whatever the values drawn."""
    best = tuner.oracle.get_best_trials(1)[0]
    return {
        "trials": len(tuner.oracle.trials),
        "statuses": sorted(trial.status for trial in tuner.oracle.trials.values()),
        "names": sorted(hp.name for hp in tuner.oracle.get_space().space),
        "best": sorted(tuner.get_best_hyperparameters()[0].values),
        "metrics": sorted(best.metrics.metrics),
        "score": isinstance(best.score, float) if score else None,
        "step": best.best_step is not None,
    }


def a_build_function(kt, **places):
    tuner = kt.RandomSearch(build_model, objective="val_accuracy", max_trials=2, seed=1, **places)
    tuner.search(**DATA)
    return seen(tuner), [w.shape for w in tuner.get_best_models(1)[0].get_weights()[-1:]]


def executions_and_overwrite(kt, **places):
    for trials, executions in ((2, 1), (1, 2)):
        tuner = kt.RandomSearch(
            build_model, "val_loss", max_trials=trials, executions_per_trial=executions,
            overwrite=True, seed=1, **places,
        )  # fmt: skip
        tuner.search(**DATA)
    return seen(tuner)


def resumed(kt, **places):
    kt.RandomSearch(build_model, "val_loss", max_trials=1, seed=1, **places).search(**DATA)
    tuner = kt.RandomSearch(build_model, "val_loss", max_trials=1, seed=1, **places)
    before = len(tuner.oracle.trials)
    tuner.search(**DATA)
    return before, seen(tuner)


def a_hypermodel_with_fit(kt, **places):
    class Regressor(kt.HyperModel):
        def build(self, hp):
            return build_model(hp)

        def fit(self, hp, model, *args, **kwargs):
            batch_size = hp.Choice("batch_size", [60, 120])
            return model.fit(*args, batch_size=batch_size, shuffle=hp.Boolean("shuffle"), **kwargs)

    tuner = kt.RandomSearch(Regressor(), "val_accuracy", max_trials=1, seed=1, **places)
    tuner.search(**BATCHES)
    return seen(tuner)


def a_fit_that_returns_a_number(kt, **places):
    class Own(kt.HyperModel):
        def build(self, hp):
            return build_model(hp)

        def fit(self, hp, model, x, y, validation_data, **kwargs):
            model.fit(x, y, epochs=1, batch_size=len(x), verbose=0)
            predicted = model.predict(validation_data[0], verbose=0)
            return float(np.mean(np.abs(predicted.ravel() - validation_data[1])))

    tuner = kt.RandomSearch(Own(), max_trials=1, seed=1, **places)
    tuner.search(X, Y, validation_data=(X, Y))
    return seen(tuner)


def a_run_trial_that_returns_a_dict(kt, **places):
    class Own(kt.RandomSearch):
        def run_trial(self, trial, x, y, **kwargs):
            model = self.hypermodel.build(trial.hyperparameters)
            model.fit(x, y, batch_size=trial.hyperparameters.Int("batch_size", 60, 120, step=60),
                      verbose=0)  # fmt: skip
            return {"loss_at_the_end": model.evaluate(x, y, verbose=0)[0]}

    objective = kt.Objective("loss_at_the_end", "min")
    tuner = Own(build_model, objective, max_trials=1, seed=1, **places)
    tuner.search(X, Y)
    return seen(tuner)


def a_black_box(kt, **places):
    class Own(kt.GridSearch):
        def run_trial(self, trial, *args, **kwargs):
            hp = trial.hyperparameters
            return (hp.Int("x", -2, 2) - 1) ** 2 + hp.Choice("y", [0, 3])

    tuner = Own(max_trials=20, **places)
    tuner.search()
    return seen(tuner, score=False), tuner.get_best_hyperparameters()[0].values


def a_space_that_overrides(kt, **places):
    hp = kt.HyperParameters()
    hp.Fixed("lr", 1e-3)
    hp.Choice("last", ["sigmoid"])
    tuner = kt.RandomSearch(
        build_model, "val_loss", max_trials=2, hyperparameters=hp, tune_new_entries=False, seed=1,
        **places,
    )  # fmt: skip
    tuner.search(**DATA)
    return tuner.oracle.get_space().values["lr"], len(tuner.oracle.trials)


def conditional_scopes(kt, **places):
    def build(hp):
        kind = hp.Choice("model_type", ["wide", "deep"])
        model = keras.Sequential([keras.Input((4,))])
        with hp.conditional_scope("model_type", ["wide"]):
            if kind == "wide":
                model.add(layers.Dense(hp.Int("wide_units", 8, 16)))
        with hp.conditional_scope("model_type", ["deep"]):
            if kind == "deep":
                for i in range(hp.Int("layers", 1, 2)):
                    model.add(layers.Dense(hp.Int(f"units_{i}", 2, 4)))
        model.add(layers.Dense(1))
        model.compile("sgd", "mse", run_eagerly=True)
        return model

    tuner = kt.RandomSearch(build, "val_loss", max_trials=2, seed=3, **places)
    tuner.search(**DATA)
    found = seen(tuner)
    kinds = {t.hyperparameters.values["model_type"] for t in tuner.oracle.trials.values()}
    return found["trials"], found["statuses"], found["metrics"], kinds <= {"wide", "deep"}


def a_parent_name(kt, **places):
    hp = kt.HyperParameters()
    if hp.Choice("kind", ["a", "b"]) == "a":
        hp.Int("size", 1, 3, parent_name="kind", parent_values=["a"])
    active = [hp.is_active("size")]
    hp.values["kind"] = "b"
    return [*active, hp.is_active("size")], [one.name for one in hp.space]


def trials_that_fail(kt, **places):
    class Failing(kt.HyperModel):
        def build(self, hp):
            if hp.Int("size", 1, 3) == 2:
                raise kt.errors.FailedTrialError("two is too few")
            return build_model(hp)

    tuner = kt.GridSearch(
        Failing(), "val_loss", max_trials=3, max_retries_per_trial=1,
        max_consecutive_failed_trials=3, **places,
    )  # fmt: skip
    tuner.search(**DATA)
    return seen(tuner)["statuses"]


def callbacks_and_hyperband(kt, **places):
    tuner = kt.Hyperband(
        build_model, "val_accuracy", max_epochs=2, factor=2, hyperband_iterations=1, seed=1,
        **places,
    )  # fmt: skip
    stop = keras.callbacks.EarlyStopping("val_loss", patience=1)
    logs = places["directory"] / "logs"
    board = keras.callbacks.TensorBoard(str(logs))
    tuner.search(**{**DATA, "callbacks": [stop, board]})
    return seen(tuner)["metrics"], seen(tuner)["names"], any(logs.rglob("events*"))


def a_strategy(kt, **places):
    tuner = kt.RandomSearch(
        build_model, "val_loss", max_trials=1, seed=1,
        distribution_strategy=tf.distribute.OneDeviceStrategy("/cpu:0"), **places,
    )  # fmt: skip
    tuner.search(**DATA)
    return seen(tuner)


def scikit_learn(kt, **places):
    def build(hp):
        return Ridge(alpha=hp.Float("alpha", 1e-3, 1e1, sampling="log"))

    objective = kt.Objective("score", "max")
    tuner = kt.SklearnTuner(
        kt.oracles.BayesianOptimizationOracle(objective, max_trials=4, seed=1), build, **places
    )
    tuner.search(X, Y.astype("float32"))
    return seen(tuner)["trials"], seen(tuner)["metrics"], tuner.get_best_models()[0].coef_.shape


def ready_models(kt, **places):
    del places
    hp = kt.HyperParameters()
    hp.Fixed("num_residual_blocks", 2)
    model = kt.applications.HyperXception(input_shape=(71, 71, 3), classes=3).build(hp)
    return [one.name for one in hp.space], model.output_shape, kt.applications.HyperResNet


PROGRAMS = [
    a_build_function, executions_and_overwrite, resumed, a_hypermodel_with_fit,
    a_fit_that_returns_a_number, a_run_trial_that_returns_a_dict, a_black_box,
    a_space_that_overrides, conditional_scopes, a_parent_name, trials_that_fail,
    callbacks_and_hyperband, a_strategy, scikit_learn, ready_models,
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_program_shows_the_same(program, tmp_path):
    ours = program(kt_hpo, directory=tmp_path / "ours", project_name="demo")
    theirs = program(keras_tuner, directory=tmp_path / "theirs", project_name="demo")
    assert ours == theirs
