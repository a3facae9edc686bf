"""What trains inline trains together, or by itself: nothing of ours fails it."""

import keras
import numpy as np
import pytest
from keras import layers, optimizers
from keras_tuner.errors import FatalError
from vectorized_searches import (
    FIT,
    X,
    Y,
    assert_same,
    eagerly,
    made,
    searched,
    without_dropout,
)

import kt_hpo

PLAIN = FIT | {"shuffle": False, "epochs": 2, "batch_size": 100}


class Slowing(optimizers.schedules.LearningRateSchedule):
    """Has no config that could be asked for, and a list."""

    def __init__(self, rate):
        self.rates = [rate]

    def __call__(self, step):
        return self.rates[0] / (1.0 + keras.ops.cast(step, "float32"))


def both(tmp_path, hypermodel, fit=PLAIN, **kwargs):
    """The trials together, compared with each by itself, without a graph."""
    ours = searched(tmp_path / "ours", hypermodel=hypermodel, fit=fit, **kwargs)
    kwargs |= {"hypermodel": eagerly(hypermodel), "executor": None}
    theirs = searched(tmp_path / "theirs", fit=fit, **kwargs)
    assert_same(ours, theirs, relative=1e-4)
    assert {trial.state.name for trial in ours.study.trials} == {"COMPLETE"}
    return ours


@pytest.mark.slow
def test_what_our_inspection_raises_is_not_the_trials(tmp_path, monkeypatch):
    from kt_hpo.training.vectorized import blueprint

    def broken(model):
        raise KeyError("signature")

    monkeypatch.setattr(blueprint, "signature", broken)
    notes = both(tmp_path, without_dropout, max_trials=1).executor.notes
    assert len(notes) == 1
    assert "KeyError" in notes[0]


def fatal_at(number, error):
    def build(hp):
        value = hp.Int("units", 1, 12)
        if value == number:
            raise error("nothing can go on")
        model = keras.Sequential([keras.Input((4,)), layers.Dense(value), layers.Dense(1)])
        model.compile("sgd", "mse")
        return model

    return build


@pytest.mark.slow
@pytest.mark.parametrize("executor", [None, kt_hpo.Vectorized()], ids=repr)
def test_what_was_asked_for_before_a_fatal_error_is_recorded_first(executor, tmp_path):
    hypermodel = fatal_at(4, FatalError)
    if executor is None:
        hypermodel = eagerly(hypermodel)
    tuner = kt_hpo.GridSearch(hypermodel, "val_loss", directory=tmp_path, executor=executor)
    with pytest.raises(FatalError, match="nothing can go on"):
        tuner.search(X, Y, **PLAIN)
    ended = [t.params["units"] for t in tuner.study.trials if t.state.name == "COMPLETE"]
    assert ended == [1, 2, 3]


def test_builds_that_fail_here_and_there_do_not_stop_the_search(tmp_path):
    def build(hp):
        value = hp.Int("units", 1, 12)
        if value % 2 == 0:
            raise RuntimeError("no even number")
        return fatal_at(0, FatalError)(hp)

    executor = kt_hpo.Vectorized()
    tuner = kt_hpo.GridSearch(build, "val_loss", directory=tmp_path, executor=executor)
    tuner.search(X, Y, **PLAIN)
    states = {trial.params["units"]: trial.state.name for trial in tuner.study.trials}
    assert states == {n: "COMPLETE" if n % 2 else "FAIL" for n in range(1, 13)}


@pytest.mark.slow
def test_a_sequential_without_an_input_and_a_schedule_of_the_users_train_with_others(tmp_path):
    def build(hp):
        rate = hp.Float("rate", 1e-3, 1e-1)
        model = keras.Sequential([layers.Dense(5, "relu"), layers.BatchNormalization()])
        model.add(layers.Dense(1))
        model.compile(optimizers.Adam(Slowing(rate)), "mse")
        return model

    tuner = both(tmp_path, build, max_trials=3)
    assert tuner.executor.notes == []
    assert all(trial.user_attrs["parameters"] == 51 for trial in tuner.study.trials)
    assert tuner.get_best_models()[0].built


class Captured(kt_hpo.HyperModel):
    """Callbacks, weights and data with numbers of the trial."""

    def build(self, hp):
        hp.Choice("number", [0.2, 0.9])
        hp.Choice("what", ["rate", "patience", "data", "weight"])
        model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
        model.compile(optimizers.SGD(0.05), "mse")
        return model

    def fit(self, hp, model, x, y, **kwargs):
        number, what = hp.get("number"), hp.get("what")
        callbacks = kwargs.pop("callbacks")
        if what == "rate":
            scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * number)
            callbacks = [*callbacks, scheduler]
        if what == "patience":
            stopping = keras.callbacks.EarlyStopping("val_loss", mode="max")
            stopping.patience = 1 if number < 0.5 else 3
            callbacks = [*callbacks, stopping]
        if what == "data":
            x = x * number
        if what == "weight":
            kwargs["sample_weight"] = np.linspace(0, number, len(x))
        return model.fit(x, y, callbacks=callbacks, **kwargs)


@pytest.mark.slow
def test_a_number_in_the_arguments_of_fit_is_a_trials_own(tmp_path):
    kwargs = {"kind": kt_hpo.GridSearch, "max_trials": None}
    ours = both(tmp_path, Captured(), fit=PLAIN | {"epochs": 3}, **kwargs)
    assert len(ours.study.trials) == 8
    assert ours.executor.notes == []


def test_a_callback_with_a_method_of_its_own_may_need_its_model(tmp_path):
    stopping = keras.callbacks.EarlyStopping("val_loss")
    stopping.on_epoch_end = lambda epoch, logs: None
    executor = kt_hpo.Vectorized(k=4)
    tuner = made(tmp_path, hypermodel=without_dropout, executor=executor, max_trials=1)
    tuner.search(X, Y, **PLAIN | {"callbacks": [stopping]})
    assert "on_epoch_end" in executor.notes[0]
