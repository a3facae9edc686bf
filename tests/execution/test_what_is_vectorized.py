"""Which trials can train together, and what is said of those that cannot."""

import keras
import pytest
import tensorflow as tf
from keras import layers
from vectorized_searches import X, Y, eagerly, made, one_size, searched, without_dropout

import kt_hpo

FIT = {"validation_split": 0.25, "epochs": 1, "verbose": 0}


class BatchSize(kt_hpo.HyperModel):
    """As Keras Tuner's guide tunes the batch size."""

    def build(self, hp):
        return without_dropout(hp)

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(*args, batch_size=hp.Choice("batch_size", [16, 64]), **kwargs)


@pytest.mark.slow
def test_a_fit_that_only_adds_arguments_is_vectorized(tmp_path):
    tuner = searched(tmp_path, hypermodel=BatchSize(), max_trials=4, fit=FIT)
    assert tuner.executor.notes == []
    assert {trial.params["batch_size"] for trial in tuner.study.trials} == {16, 64}


class OwnStep(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1, activation="sigmoid")

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        return super().train_step(data)


def own_step(hp):
    model = OwnStep()
    rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), loss="binary_crossentropy", metrics=["accuracy"])
    return model


class OwnFit(BatchSize):
    def fit(self, hp, model, *args, **kwargs):
        return max(model.fit(*args, **kwargs).history["val_accuracy"])


class Noting(keras.callbacks.Callback):
    """A callback of which nobody knows what it wants."""


class Hooked(kt_hpo.RandomSearch):
    def on_epoch_end(self, trial, model, epoch, logs=None):
        assert model.layers


PIPELINE = tf.data.Dataset.from_tensor_slices((X, Y)).batch(50)
OBSTACLES = {
    "train_step of its own": {"hypermodel": eagerly(own_step), "max_trials": 2},
    "does more than model.fit": {"hypermodel": eagerly(OwnFit()), "objective": None},
    "Noting may need its model": {
        "hypermodel": without_dropout, "fit": FIT | {"callbacks": [Noting()]},
    },
    "on_epoch_end of its own": {"kind": Hooked, "max_trials": 2},
    "not in memory": {
        "data": (PIPELINE,), "fit": {"validation_data": PIPELINE, "epochs": 1, "verbose": 0},
    },
    "parameters is measured on a model": {"objective": ["val_loss", "parameters"]},
    "fit is called with steps_per_epoch": {"fit": FIT | {"steps_per_epoch": 2}},
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("reason", OBSTACLES)
def test_what_cannot_be_vectorized_trains_by_itself_and_says_why_once(reason, tmp_path, capsys):
    kwargs = {"hypermodel": eagerly(without_dropout), "max_trials": 1} | OBSTACLES[reason]
    fit = {**kwargs.pop("fit", FIT), "verbose": 2}
    tuner = searched(tmp_path, fit=fit, **kwargs)
    assert [trial.state.name for trial in tuner.study.trials] == ["COMPLETE"] * kwargs["max_trials"]
    assert capsys.readouterr().out.count(reason) == 1


@pytest.mark.parametrize(
    ("limits", "reason"),
    [({"fewest": 3}, "few of them have one architecture"), ({"largest": 17}, "models are large")],
)
def test_what_does_not_pay_together_trains_by_itself(tmp_path, limits, reason):
    def small(hp):
        model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(1, use_bias=0)])
        assert model.count_params() == 18
        model.compile(keras.optimizers.SGD(hp.Float("rate", 1e-3, 1e-1)), "mse")
        return model

    executor = kt_hpo.Vectorized(4, **limits)
    tuner = searched(tmp_path, hypermodel=small, executor=executor, fit=FIT, max_trials=2)
    assert [trial.state.name for trial in tuner.study.trials] == ["COMPLETE"] * 2
    assert len(executor.notes) == 1 and reason in executor.notes[0]


@pytest.mark.slow
def test_auto_says_what_it_chose(tmp_path, capsys):
    searched(tmp_path / "a", executor="auto", fit=FIT | {"verbose": 1}, max_trials=2)
    said = capsys.readouterr().out
    assert "train at once, in one graph" in said
    assert "one after the other where few of them have one architecture" in said
    kwargs = {"kind": Hooked, "hypermodel": eagerly(without_dropout), "max_trials": 1}
    searched(tmp_path / "b", executor="auto", fit=FIT | {"verbose": 1}, **kwargs)
    assert "one after the other, because the tuner has an on_epoch_end" in capsys.readouterr().out
    with pytest.raises(ValueError, match="executor='quick'"):
        made(tmp_path / "c", executor="quick")


def of_any_width(hp):
    hidden = layers.Dense(hp.Int("units", 1, 500), activation="relu")
    model = keras.Sequential([keras.Input((X.shape[1],)), hidden, layers.Dense(1)])
    model.compile(keras.optimizers.SGD(hp.Float("rate", 1e-3, 1e-1)), "mse")
    return model


@pytest.mark.parametrize(
    ("hypermodel", "options", "together"),
    [
        (one_size, {}, True),
        pytest.param(of_any_width, {}, False, marks=pytest.mark.slow),
        pytest.param(one_size, {"compiled": False}, False, marks=pytest.mark.slow),
        pytest.param(one_size, {"kind": kt_hpo.EvolutionarySearch}, False, marks=pytest.mark.slow),
        pytest.param(eagerly(one_size), {"kind": Hooked}, False, marks=pytest.mark.slow),
    ],
)
def test_by_default_trials_train_together_where_the_first_ones_are_alike(
    hypermodel, options, together, tmp_path, capsys
):
    tuner = searched(
        tmp_path,
        hypermodel=hypermodel,
        executor=None,
        fit=FIT | {"verbose": 1},
        max_trials=10,
        **options,
    )
    said = capsys.readouterr().out
    assert ("train at once, in one graph" in said) is together
    assert [trial.state.name for trial in tuner.study.trials] == ["COMPLETE"] * 10
    at_once = tuner.study.trials[9].datetime_start < tuner.study.trials[8].datetime_complete
    assert at_once is together
