"""Trainings of a user's own: loops, callbacks that measure, methods that a tuner overrides."""

from typing import ClassVar

import keras
import keras_tuner
import numpy as np
import pytest
from models import blobs, build, eager
from searches import UntilPromoted

import kt_hpo

X, Y = blobs(40)
FIT = {"validation_data": (X, Y), "batch_size": 40, "epochs": 2, "verbose": 0}
ERRORS = keras_tuner.errors


def search(
    folder, hypermodel, objective="val_loss", fit=FIT, kind=kt_hpo.RandomSearch, **arguments
):
    arguments = {"max_trials": 1, "seed": 0} | arguments
    tuner = kind(hypermodel, objective, directory=folder, **arguments)
    tuner.search(X, Y, **fit)
    return tuner


class OwnLoop(keras_tuner.HyperModel):
    """keras.io's guide on custom training loops: the model is never compiled."""

    def __init__(self, hooks=("on_epoch_end",)):
        super().__init__()
        self.hooks = hooks

    def build(self, hp):
        inputs = keras.Input((4,))
        return keras.Model(inputs, keras.layers.Dense(hp.Int("units", 1, 4))(inputs))

    def fit(self, hp, model, x, y, validation_data, callbacks=None, **kwargs):
        rate = hp.Float("rate", 0.1, 0.2)
        for callback in callbacks:
            callback.set_model(model)
        for epoch in range(3):
            for weight in model.trainable_weights:
                weight.assign(weight * (1 - rate))
            loss = float(np.mean(keras.ops.convert_to_numpy(model(x)) ** 2))
            for callback in callbacks:
                for hook in self.hooks:
                    getattr(callback, hook)(epoch, logs={"my_metric": loss})
        return loss


@pytest.mark.parametrize("hooks", [("on_epoch_end",), ("on_epoch_begin", "on_epoch_end")])
def test_a_loop_around_a_model_that_is_not_compiled(hooks, tmp_path, capfd):
    objective = kt_hpo.Objective("my_metric", "min")
    fit = FIT | {"verbose": 1}
    tuner = search(tmp_path, OwnLoop(hooks), objective, fit=fit, max_trials=2, pruner="median")
    trials = tuner.study.trials
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 2
    for trial in trials:
        assert list(trial.intermediate_values) == [0, 1, 2]
        assert trial.value == pytest.approx(trial.intermediate_values[2])
    model = tuner.get_best_models()[0]
    assert not model.compiled
    best = float(np.mean(keras.ops.convert_to_numpy(model(X)) ** 2))
    assert best == pytest.approx(tuner.study.best_value, rel=1e-4)
    assert "1/1" not in capfd.readouterr().out, "Keras' progress bar"


@pytest.mark.parametrize("option", ["reduce_lr_on_plateau", "scale_learning_rate"])
def test_an_option_for_compiled_models_says_so(option, tmp_path):
    with pytest.raises(ERRORS.FatalError, match=f"{option}.*Compile it, or leave"):
        search(tmp_path, OwnLoop(), kt_hpo.Objective("my_metric", "min"), **{option: 1})


def test_a_tuner_may_compile_what_the_hypermodel_does_not(tmp_path):
    """As Keras Tuner says of `optimizer`, `loss` and `metrics`."""

    def bare(hp):
        return keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Int("units", 1, 1))])

    optimizer = keras.optimizers.SGD(0.125)
    tuner = search(tmp_path, bare, "val_mae", optimizer=optimizer, loss="mse", metrics=["mae"])
    model = tuner.get_best_models()[0]
    assert float(model.optimizer.learning_rate) == 0.125
    assert model.optimizer is not optimizer, "each trial has one of its own"
    assert tuner.study.best_value == pytest.approx(model.evaluate(X, Y, verbose=0)[1], rel=1e-4)


@pytest.mark.parametrize("returned", [None, 3, "model", [1]])
def test_a_build_that_returns_no_model_is_said_before_any_training(returned, tmp_path):
    def build(hp):
        hp.Int("units", 1, 9)
        return returned

    class WithFit(keras_tuner.HyperModel):
        def build(self, hp):
            return build(hp)

        def fit(self, hp, model, *args, **kwargs):
            raise AssertionError("it is not called")

    for name, hypermodel in (("function", build), ("class", WithFit())):
        with pytest.raises(TypeError, match="it must return a keras") as caught:
            search(tmp_path, hypermodel, project_name=name, max_trials=5)
        assert isinstance(caught.value, ERRORS.FatalError), "as in Keras Tuner"


class Adds(keras.callbacks.Callback):
    """Puts a metric, and what is no number, into the logs."""

    def __init__(self, name="val_f1"):
        super().__init__()
        self.name = name

    def on_epoch_end(self, epoch, logs=None):
        logs[self.name] = np.float32(0.5 - 0.125 * epoch)
        logs["confusion"] = np.eye(2)
        logs["note"] = "fine"


class AddsByTuner(kt_hpo.RandomSearch):
    def on_epoch_end(self, trial, model, epoch, logs=None):
        Adds().on_epoch_end(epoch, logs)


class AddsByModel(keras.Sequential):
    def train_step(self, data):
        return super().train_step(data) | {"extra": 0.25}


def own_step(hp):
    layers = [keras.layers.Dense(hp.Int("units", 1, 4)), keras.layers.Dense(1)]
    model = AddsByModel([keras.Input((4,)), *layers])
    model.compile("sgd", "mse", run_eagerly=True)
    return model


LAMBDA = keras.callbacks.LambdaCallback(
    on_epoch_end=lambda epoch, logs: Adds().on_epoch_end(epoch, logs)
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "callbacks, hypermodel, executor",
    [
        ([Adds()], eager, None), ([Adds], eager, None), ([LAMBDA], eager, None),
        ([lambda: Adds("val_f1")], eager, None), ([Adds()], build, "auto"),
    ],
    ids=["object", "class", "LambdaCallback", "function", "auto"],
)  # fmt: skip
def test_a_metric_that_a_callback_adds_is_an_objective(callbacks, hypermodel, executor, tmp_path):
    """The first epoch is the best of two, and so are its weights."""
    tuner = search(
        tmp_path, hypermodel, kt_hpo.Objective("val_f1", "max"), fit=FIT | {"callbacks": callbacks},
        executor=executor, early_stopping=1, constraint="val_f1 > 0.25",
    )  # fmt: skip
    [trial] = tuner.study.trials
    assert trial.intermediate_values == {0: 0.5, 1: 0.375}
    assert (trial.value, trial.user_attrs["best_epoch"]) == (0.5, 0)
    [history] = trial.user_attrs["history"]
    assert history["val_f1"] == [0.5, 0.375] and "confusion" not in history
    loss = tuner.get_best_models()[0].evaluate(X, Y, verbose=0)[0]
    assert loss == pytest.approx(history["val_loss"][0], rel=1e-3)


def test_it_needs_no_validation_data_where_the_callback_has_its_own(tmp_path):
    fit = {"callbacks": [Adds()], "batch_size": 40, "epochs": 1, "verbose": 0}
    tuner = search(tmp_path, eager, kt_hpo.Objective("val_f1", "max"), fit=fit)
    assert tuner.study.best_value == 0.5
    with pytest.raises(ValueError, match="val_loss, measured on validation data"):
        search(tmp_path, eager, "val_loss", fit=fit, project_name="other")


def test_a_tuner_or_a_model_may_add_it_too(tmp_path):
    tuner = search(tmp_path, eager, kt_hpo.Objective("val_f1", "max"), kind=AddsByTuner)
    assert tuner.study.best_value == 0.5
    tuner = search(tmp_path, own_step, kt_hpo.Objective("extra", "max"), project_name="model")
    assert tuner.study.best_value == 0.25


@pytest.mark.parametrize("kind", [keras.callbacks.TerminateOnNaN, Adds])
def test_a_metric_that_nobody_adds_is_an_early_error(kind, tmp_path):
    """Keras' own callbacks add none: before any training; else after the first epoch."""
    epochs = []

    class Counts(kt_hpo.RandomSearch):
        def on_trial_begin(self, trial):
            epochs.append(trial.trial_id)

    fit = FIT | {"callbacks": [kind()], "epochs": 5}
    with pytest.raises(ValueError, match=r"(?s)'val_f2' is not among.*a callback"):
        search(
            tmp_path, eager, kt_hpo.Objective("val_f2", "max"), fit=fit, kind=Counts, max_trials=3
        )
    assert len(epochs) == (1 if kind is Adds else 0)


class Asks(keras_tuner.HyperModel):
    """Shows what `fit` and a callback are told."""

    seen: ClassVar = []

    def build(self, hp):
        return eager(hp)

    def fit(self, hp, model, *args, **kwargs):
        self.seen.append(kwargs.get("verbose", "not given"))
        return model.fit(*args, **kwargs)


class Told(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        Asks.seen.append(self.params["verbose"])


@pytest.mark.slow
@pytest.mark.parametrize("given", [{}, {"verbose": 0}, {"verbose": 1}, {"verbose": "auto"}])
@pytest.mark.parametrize("own_fit", [True, False])
def test_fit_and_callbacks_see_verbose_as_given(given, own_fit, tmp_path, capfd):
    Asks.seen = []
    fit = {"validation_data": (X, Y), "epochs": 1, "callbacks": [Told()], **given}
    search(tmp_path, Asks() if own_fit else eager, fit=fit)
    expected = [given.get("verbose", "not given")] if own_fit else []
    assert Asks.seen == [*expected, given.get("verbose", "auto")]
    assert "1/2" not in capfd.readouterr().out, "Keras' progress bar"


def test_what_fit_asks_for_itself_is_shown(tmp_path, capfd):
    class Loud(Asks):
        def fit(self, hp, model, *args, **kwargs):
            return model.fit(*args, verbose=2, **kwargs)

    search(tmp_path, Loud(), fit={"validation_data": (X, Y), "epochs": 1})
    assert "2/2 - " in capfd.readouterr().out
    search(tmp_path, eager, fit=FIT | {"verbose": 2}, project_name="all epochs")
    assert "Epoch 2/2" in capfd.readouterr().out


class Overrides(UntilPromoted):
    """As AutoKeras: data and model are prepared in methods that Keras Tuner calls."""

    calls: ClassVar = []

    def _try_build(self, hp):
        model = super()._try_build(hp)
        self.calls.append(("build", float(np.sum(np.abs(model.get_weights()[0])))))
        return model

    def _build_and_fit_model(self, trial, *args, **kwargs):
        assert len(args) == 2 and kwargs["callbacks"]
        kwargs["batch_size"] = 20
        returned = super()._build_and_fit_model(trial, *args, **kwargs)
        self.calls.append(("fit", trial.trial_id))
        return returned


@pytest.mark.slow
def test_methods_that_autokeras_overrides_are_called(tmp_path):
    """Also where a trial goes on from another: `_try_build` gives its weights."""
    Overrides.calls = []
    tuner = Overrides(eager, "val_loss", max_epochs=2, factor=2, seed=0, directory=tmp_path)
    tuner.search(X, Y, validation_data=(X, Y), verbose=0)
    trials = tuner.study.trials
    assert [name for name, _ in Overrides.calls] == ["build", "fit"] * len(trials)
    for place, trial in enumerate(trials):
        past = trial.user_attrs["values"].get("tuner/trial_id")
        if past is not None:
            assert trial.intermediate_values.keys() == {1}
            begun = Overrides.calls[2 * place][1]
            fresh = [v for name, v in Overrides.calls[: 2 * place] if name == "build"]
            assert begun not in fresh
    assert any("tuner/trial_id" in trial.user_attrs["values"] for trial in trials)
    assert all(trial.user_attrs["parameters"] for trial in trials)


def test_a_tuner_may_train_a_model_that_it_builds_itself(tmp_path):
    class Own(kt_hpo.RandomSearch):
        def _build_and_fit_model(self, trial, x, y, **kwargs):
            model = eager(trial.hyperparameters)
            return model.fit(x, y, **kwargs)

    class NoModel(kt_hpo.RandomSearch):
        def _build_and_fit_model(self, trial, *args, **kwargs):
            return trial.hyperparameters.Float("own", 0, 1)

    tuner = search(tmp_path, eager, kind=Own, executor="auto")
    [trial] = tuner.study.trials
    assert trial.user_attrs["parameters"] == tuner.get_best_models()[0].count_params()
    tuner = search(tmp_path, eager, kind=NoModel, project_name="none")
    assert tuner.study.best_value == tuner.study.best_params["own"]


@pytest.mark.slow
def test_fit_best_and_confirm_train_as_the_trials_did(tmp_path):
    class Counts(kt_hpo.RandomSearch):
        fits = 0

        def _build_and_fit_model(self, trial, *args, **kwargs):
            type(self).fits += 1
            return super()._build_and_fit_model(trial, *args, **kwargs)

    tuner = search(tmp_path, eager, kind=Counts)
    tuner.fit_best(X, Y, epochs=1, batch_size=40, verbose=0)
    tuner.confirm(top=1, executions=2)
    assert Counts.fits == 4
