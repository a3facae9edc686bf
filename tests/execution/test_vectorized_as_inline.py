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

PLAIN = FIT | {"shuffle": False, "epochs": 2}


class Table(layers.Layer):
    """Has no config that could be asked for."""

    def __init__(self, table):
        super().__init__()
        self.table = table

    def call(self, inputs):
        return inputs * self.table

    def get_config(self):
        raise NotImplementedError


class Slowing(optimizers.schedules.LearningRateSchedule):
    """Has none either, and a list."""

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
def test_a_part_without_a_config_trains_by_itself_and_is_named(tmp_path):
    def build(hp):
        table = Table(np.full(4, hp.Float("table", 0.5, 2), "float32"))
        model = keras.Sequential([keras.Input((4,)), table, layers.Dense(1)])
        model.compile("sgd", "mse")
        return model

    notes = both(tmp_path, build, max_trials=2).executor.notes
    assert len(notes) == 1
    assert "Table" in notes[0]


@pytest.mark.slow
def test_a_schedule_of_the_users_own_is_asked_for_each_step(tmp_path):
    def build(hp):
        model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
        model.compile(optimizers.SGD(Slowing(hp.Float("rate", 0.01, 0.3))), "mse")
        return model

    assert both(tmp_path, build, max_trials=3).executor.notes == []


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


@pytest.mark.parametrize("executor", [None, "auto"])
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

    tuner = kt_hpo.GridSearch(build, "val_loss", directory=tmp_path, executor="auto")
    tuner.search(X, Y, **PLAIN)
    states = {trial.params["units"]: trial.state.name for trial in tuner.study.trials}
    assert states == {n: "COMPLETE" if n % 2 else "FAIL" for n in range(1, 13)}


@pytest.mark.slow
def test_a_sequential_without_an_input_is_as_good_as_one_with_it(tmp_path):
    def build(hp):
        rate = hp.Float("rate", 1e-3, 1e-1)
        model = keras.Sequential([layers.Dense(5, "relu"), layers.BatchNormalization()])
        model.add(layers.Dense(1))
        model.compile(optimizers.Adam(rate), "mse")
        return model

    tuner = both(tmp_path, build, max_trials=3)
    assert tuner.executor.notes == []
    assert all(trial.user_attrs["parameters"] == 51 for trial in tuner.study.trials)
    assert tuner.get_best_models()[0].built


def frozen(model, number):
    model.layers[0].trainable = number > 0.5


def weighed(model, number):
    model.layers[0].set_weights([np.full((4, 3), number), np.zeros(3)])


def with_later_attribute(model, number):
    model.layers[1].negative_slope = number


def with_patched_call(model, number):
    model.layers[1].call = lambda inputs: inputs * number


def with_later_regularizer(model, number):
    model.layers[0].activity_regularizer = keras.regularizers.L2(number)


KERAS = {
    "frozen": {"change": frozen},
    "weights set": {"change": weighed},
    "an attribute set later": {"change": with_later_attribute},
    "a method of one instance": {"change": with_patched_call},
    "a regularizer set later": {"change": with_later_regularizer},
    "max norm": {"dense": lambda n: {"kernel_constraint": keras.constraints.MaxNorm(n)}},
    "activity": {"dense": lambda n: {"activity_regularizer": keras.regularizers.L1(n)}},
    "initial": {"dense": lambda n: {"kernel_initializer": keras.initializers.Constant(n)}},
    "seeded": {"dense": lambda n: {"kernel_initializer": keras.initializers.HeNormal(int(9 * n))}},
    "clipped": {"optimizer": lambda n: optimizers.SGD(0.3, clipnorm=n)},
    "clipped by value": {"optimizer": lambda n: optimizers.SGD(0.3, clipvalue=n)},
    "averaged": {"optimizer": lambda n: optimizers.SGD(0.3, use_ema=True, ema_momentum=n / 2)},
    "accumulated": {"optimizer": lambda n: optimizers.SGD(0.3 * n, gradient_accumulation_steps=2)},
    "huber": {"compiled": lambda n: {"loss": keras.losses.Huber(n)}},
    "weighted": {"compiled": lambda n: {"loss_weights": n}},
    "metric": {"compiled": lambda n: {"metrics": [keras.metrics.BinaryAccuracy(threshold=n)]}},
    "steps at once": {"compiled": lambda n: {"steps_per_execution": 1 + int(2 * n)}},
}


@pytest.mark.slow
@pytest.mark.long
def test_a_number_in_keras_own_parts_is_a_trials_own(tmp_path):
    def build(hp):
        case = KERAS[hp.Choice("case", list(KERAS))]
        number = hp.Choice("number", [0.2, 1.3])
        dense = case.get("dense", lambda number: {})(number)
        model = keras.Sequential([keras.Input((4,)), layers.Dense(3, **dense)])
        model.add(layers.LeakyReLU())
        model.add(layers.Dense(1))
        case.get("change", lambda model, number: None)(model, number)
        optimizer = case.get("optimizer", lambda number: optimizers.SGD(0.05))(number)
        compiled = case.get("compiled", lambda number: {})(number)
        model.compile(optimizer, **{"loss": "mse", **compiled})
        return model

    kwargs = {"kind": kt_hpo.GridSearch, "max_trials": None}
    ours = both(tmp_path, build, fit=PLAIN | {"epochs": 1}, **kwargs)
    assert len(ours.study.trials) == 2 * len(KERAS)
    assert any("function <lambda>" in note for note in ours.executor.notes)


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
