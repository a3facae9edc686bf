from typing import ClassVar

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
from models import blobs, eager

import hypermodels
import kt_hpo
from kt_hpo.training.class_weights import weights

X, Y = blobs(120)


class Seen(keras.callbacks.Callback):
    """What a training was asked for."""

    params_seen: ClassVar = []

    def on_train_begin(self, logs=None):
        Seen.params_seen.append((self.params["epochs"], self.params["steps"]))


@pytest.fixture(autouse=True)
def _nothing_seen():
    Seen.params_seen = []


def searched(tmp_path, hypermodel, *data, objective="val_loss", trials=3, **fit):
    tuner = kt_hpo.RandomSearch(
        hypermodel, objective, max_trials=trials, seed=0, directory=tmp_path
    )
    tuner.search(*data, verbose=0, callbacks=[Seen], **fit)
    return tuner


def pipeline(x, y):
    return tf.data.Dataset.from_tensor_slices((x, y))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["arrays", "pipeline"])
def test_batch_size_and_epochs_are_searched(kind, tmp_path):
    training = kt_hpo.Training(eager, batch_size=(30, 64), epochs=(1, 3))
    if kind == "arrays":
        tuner = searched(tmp_path, training, X[:90], Y[:90], validation_data=(X[90:], Y[90:]))
    else:
        held = pipeline(X[90:], Y[90:])
        tuner = searched(tmp_path, training, pipeline(X[:90], Y[:90]), validation_data=held)
    asked = [(t.params["epochs"], -(-90 // t.params["batch_size"])) for t in tuner.study.trials]
    assert Seen.params_seen == asked
    assert len(set(asked)) > 1
    assert {"units", "rate", "batch_size", "epochs"} == set(tuner.study.trials[0].params)


def test_what_search_is_told_goes_before(tmp_path):
    training = kt_hpo.Training(eager, batch_size=[8, 16], epochs=(3, 9))
    searched(tmp_path, training, X, Y, validation_split=0.25, trials=1, epochs=1, batch_size=45)
    assert Seen.params_seen == [(1, 2)]


def test_any_hypermodel_is_wrapped(tmp_path):
    inner = hypermodels.MLPHyperModel((4,), 2, layers=1, epochs=5, batch_size=[16, 32])
    training = kt_hpo.Training(inner, epochs=2, batch_size=40)
    hp = keras_tuner.HyperParameters()
    training.build(hp)
    assert (hp.get("epochs"), hp.get("batch_size")) == (2, 40)
    tuner = searched(tmp_path, training, X, Y, validation_split=0.25, trials=1)
    assert Seen.params_seen == [(2, 3)]
    assert not tuner.fits_its_own_way


@pytest.mark.slow
def test_hyperband_gives_the_epochs(tmp_path):
    tuner = kt_hpo.Hyperband(
        kt_hpo.Training(eager, batch_size=[45, 90]), "val_loss", max_epochs=2, factor=2, seed=0,
        directory=tmp_path,
    )  # fmt: skip
    tuner.search(X, Y, validation_split=0.25, verbose=0, callbacks=[Seen])
    assert {epochs for epochs, _ in Seen.params_seen} == {1, 2}


def test_the_optimizer_gets_what_is_chosen():
    training = kt_hpo.Training(
        eager, learning_rate=[0.5], weight_decay=0.25, clipnorm=2.0, gradient_accumulation_steps=4
    )
    optimizer = training.build(keras_tuner.HyperParameters()).optimizer
    assert float(optimizer.learning_rate) == 0.5
    assert (optimizer.weight_decay, optimizer.clipnorm) == (0.25, 2.0)
    assert optimizer.gradient_accumulation_steps == 4

    def scheduled(hp):
        model = eager(hp)
        model.compile(keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 10)), "mse")
        return model

    with pytest.raises(ValueError, match="schedule"):
        kt_hpo.Training(scheduled, learning_rate=0.1).build(keras_tuner.HyperParameters())


def test_precision_and_compilation_are_hyperparameters():
    training = kt_hpo.Training(
        eager, precision=["mixed_bfloat16"], steps_per_execution=[3], jit_compile=[True, False]
    )
    model = training.build(keras_tuner.HyperParameters())
    assert model.layers[0].compute_dtype == "bfloat16"
    assert (model.steps_per_execution, model.jit_compile) == (3, True)
    assert keras.config.dtype_policy().name == "float32"


def test_class_weights_lie_between_none_and_balanced():
    y = np.repeat([0, 1], [90, 30])
    assert weights("none", X, y) is None
    assert weights("balanced", X, y) == pytest.approx({0: 2 / 3, 1: 2})
    between = weights(0.5, X, y)
    assert between[1] / between[0] == pytest.approx(3**0.5)
    assert (90 * between[0] + 30 * between[1]) / 120 == pytest.approx(1)
    for targets in (y.astype("float32"), np.eye(2)[y], y[:, None]):
        assert weights("balanced", X, targets) == pytest.approx({0: 2 / 3, 1: 2})
        for data in (pipeline(X, targets), pipeline(X, targets).batch(7)):
            assert weights("balanced", data) == pytest.approx({0: 2 / 3, 1: 2})


@pytest.mark.slow
def test_class_weights_reach_the_loss(tmp_path):
    """Where only one class weighs, the model says nothing but it."""
    training = kt_hpo.Training(eager, class_weight={0: 0.0, 1: 1.0}, learning_rate=0.3)
    loss = kt_hpo.Objective("loss", "min")
    fit = {"trials": 1, "epochs": 12, "batch_size": 120}
    tuner = searched(tmp_path, training, X, Y, objective=loss, **fit)
    for model in (tuner.get_best_models()[0], tuner.fit_best(X, Y, epochs=12)):
        assert (model.predict(X, batch_size=120, verbose=0) > 0.5).mean() > 0.95


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({"batch_size": (0, 8)}, "batch_size"),
        ({"epochs": 1.5}, "epochs"),
        ({"precision": ["float8"]}, "float8"),
        ({"jit_compile": "yes"}, "jit_compile"),
        ({"class_weight": "balance"}, "class_weight"),
        ({"class_weight": (0.0, 2.0)}, "class_weight"),
        ({"learning_rate": -1.0}, "learning_rate"),
    ],
)
def test_wrong_ranges_are_early_errors(ranges, message):
    with pytest.raises(ValueError, match=message):
        kt_hpo.Training(eager, **ranges)


def test_data_that_have_batches_already_are_an_error(tmp_path):
    training = kt_hpo.Training(eager, batch_size=[8, 16])
    data = pipeline(X, Y).batch(8)
    with pytest.raises(keras_tuner.errors.FatalError, match=r"\.batch\(\.\.\.\) off"):
        searched(tmp_path, training, data, validation_data=data)
    with pytest.raises(keras_tuner.errors.FatalError, match="whole numbers"):
        weighted = kt_hpo.Training(eager, class_weight="balanced")
        target = np.linspace(0, 1, 120)
        searched(tmp_path / "b", weighted, X, target, validation_split=0.2)
