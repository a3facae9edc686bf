"""A hypermodel as a trainable, stepped here, without an actor."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras_tuner.errors import FailedTrialError
from kt_hpo.ray import trainable
from models import blobs, eager
from ray_experiments import DATA, Fragile, X, Y, noisy

import kt_hpo

pytestmark = pytest.mark.xdist_group("ray")
CONFIG = {"units": 4, "rate": 0.01}


@pytest.fixture(autouse=True)
def no_folder_in_the_home(local_ray, monkeypatch, tmp_path):
    monkeypatch.setattr("ray.tune.trainable.trainable.DEFAULT_STORAGE_PATH", str(tmp_path))


def metrics_of(results, name="val_loss"):
    return [result[name] for result in results]


def steps(actor, count):
    return [actor.train() for _ in range(count)]


def test_epochs_one_by_one_are_those_of_one_fit():
    actor = trainable(eager, X, Y, epochs=3, shuffle=False, **DATA)(config=CONFIG)
    hp = kt_hpo.HyperParameters()
    hp.values = dict(CONFIG)
    model = eager(hp)
    model.set_weights(actor._model.get_weights())
    history = model.fit(X, Y, epochs=3, shuffle=False, verbose=0, **DATA).history
    results = steps(actor, 3)
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(metrics_of(results, name), history[name], rtol=1e-5)
        assert all(type(result[name]) is float for result in results)
    assert metrics_of(results, "done") == metrics_of(results, "trained") == [False, False, True]
    assert metrics_of(results, "parameters") == [model.count_params()] * 3


@pytest.mark.slow
def test_values_and_seed_decide_whichever_actor_trains():
    made = trainable(noisy, X, Y, epochs=2, **DATA)
    first, reused = made(config={"rate": 0.01}), made(config={"rate": 0.1})
    expected = metrics_of(steps(first, 2))
    assert metrics_of(steps(reused, 2)) != expected
    assert reused.reset({"rate": 0.01}) is True
    assert metrics_of(steps(reused, 2)) == expected
    other = trainable(noisy, X, Y, epochs=2, seed=1, **DATA)(config={"rate": 0.01})
    assert metrics_of(steps(other, 2)) != expected


@pytest.mark.slow
def test_a_paused_trial_goes_on_as_it_would_have(tmp_path):
    made = trainable(noisy, X, Y, epochs=4, **DATA)
    expected = metrics_of(steps(made(config={"rate": 0.01}), 4))
    paused, resumed = made(config={"rate": 0.01}), made(config={"rate": 0.1})
    before = metrics_of(steps(paused, 2))
    saved = paused.save(str(tmp_path / "checkpoint"))
    resumed.reset({"rate": 0.01})
    resumed.restore(saved)
    results = steps(resumed, 2)
    assert before + metrics_of(results) == pytest.approx(expected, rel=1e-6)
    assert metrics_of(results, "training_iteration") == [3, 4]
    assert metrics_of(results, "done") == [False, True]


def test_a_trial_that_exploits_another_keeps_its_own_learning_rate(tmp_path):
    made = trainable(noisy, X, Y, epochs=4, **DATA)
    donor, exploiting = made(config={"rate": 0.05}), made(config={"rate": 0.04})
    steps(donor, 2)
    exploiting.restore(donor.save(str(tmp_path / "checkpoint")))
    optimizer = exploiting._model.optimizer
    assert float(optimizer.learning_rate) == pytest.approx(0.04)
    assert int(optimizer.iterations) == int(donor._model.optimizer.iterations) > 0
    for ours, theirs in zip(optimizer.variables, donor._model.optimizer.variables, strict=True):
        if ours.name != "learning_rate":
            np.testing.assert_array_equal(ours, theirs)


def test_weights_of_another_architecture_are_refused(tmp_path):
    made = trainable(eager, X, Y, epochs=4, **DATA)
    saved = made(config={"units": 2}).save(str(tmp_path / "checkpoint"))
    with pytest.raises(ValueError, match=r"'units': 2.* do not fit .*'units': 3"):
        made(config={"units": 3}).restore(saved)


@pytest.mark.slow
def test_patience_counts_over_all_epochs(tmp_path):
    log = tmp_path / "log.csv"
    callbacks = [
        keras.callbacks.EarlyStopping("val_loss", mode="max", patience=2),
        lambda: keras.callbacks.CSVLogger(str(log)),
    ]
    made = trainable(eager, X, Y, epochs=9, callbacks=callbacks, **DATA)
    actor = made(config={"units": 8, "rate": 0.01})
    results = steps(actor, 3)
    assert metrics_of(results, "trained") == [False, False, True]
    assert len(log.read_text().splitlines()) == 1 + 3
    actor.reset({"units": 8, "rate": 0.02})  # The next trial has callbacks of its own.
    assert metrics_of(steps(actor, 3), "trained") == [False, False, True]


def test_a_loss_that_is_no_number_fails_the_trial():
    made = trainable(eager, X * np.nan, Y, epochs=2)
    with pytest.raises(FailedTrialError, match="loss became nan"):
        made(config=CONFIG).train()


def test_a_fit_of_ones_own_is_called_once_an_epoch():
    actor = trainable(Fragile(), X, Y, epochs=3, **DATA)(config={"units": 3})
    actor.train()
    with pytest.raises(ArithmeticError, match="not three"):
        actor.train()


class Returns(Fragile):
    def __init__(self, returned):
        super().__init__()
        self.returned = returned

    def fit(self, hp, model, *args, **kwargs):
        return self.returned


@pytest.mark.parametrize(
    ("returned", "expected"), [(0.5, {"default_objective": 0.5}), ({"loss": 1}, {"loss": 1.0})]
)
def test_a_fit_of_ones_own_may_return_less(returned, expected):
    reported = trainable(Returns(returned), X, Y)(config={}).step()
    assert expected.items() <= reported.items()
    with pytest.raises(TypeError, match="It must return"):
        trainable(Returns(None), X, Y)(config={}).step()


def test_data_may_be_made_where_they_are_used():
    made = trainable(eager, lambda: X, lambda: Y, validation_data=lambda: (X, Y))
    assert "val_loss" in made(config=CONFIG).train()
    with pytest.raises(ValueError, match=r"Give a function that makes it there: x=make_dataset"):
        trainable(eager, tf.data.Dataset.from_tensor_slices((X, Y)).batch(8))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "epochs=0 is not allowed"),
        ({"seed": -1}, "seed=-1 is not allowed"),
        ({"initial_epoch": 2}, "initial_epoch= is not allowed"),
    ],
)
def test_arguments_that_are_not_allowed(arguments, message):
    with pytest.raises(ValueError, match=message):
        trainable(eager, X, Y, **arguments)
    with pytest.raises(ValueError, match="hypermodel=3 is not allowed"):
        trainable(3, X, Y)


def test_what_is_no_model_is_said_so():
    def forgets_to_return(hp):
        hp.Int("units", 1, 2)

    with pytest.raises(TypeError, match="Is its `return model` missing"):
        trainable(forgets_to_return, *blobs())(config={})
