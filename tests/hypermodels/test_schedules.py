"""The learning rate that a model really trains with, step by step."""

import math
from itertools import chain
from typing import ClassVar

import keras
import keras_tuner
import numpy as np
import pytest

import kt_hpo
from hypermodels import MLPHyperModel
from hypermodels.schedules import FollowTraining, TrainingSchedule, make_schedule

STREAM = np.random.default_rng(0)
X = STREAM.normal(size=(70, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)
HELD = X[:10], Y[:10]
RATE = 0.01


class Rates(keras.callbacks.Callback):
    """Keeps the learning rate of every step of every training."""

    seen: ClassVar[list[list[float]]] = []

    def on_train_begin(self, logs=None):
        self.seen.append([])

    def on_train_batch_begin(self, batch, logs=None):
        self.seen[-1].append(float(self.model.optimizer.learning_rate))


class EpochRates(Rates):
    """Keeps that of the first step of every epoch."""

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 0:
            self.seen[-1].append(float(self.model.optimizer.learning_rate))


@pytest.fixture(autouse=True)
def seen():
    Rates.seen.clear()
    return Rates.seen


class Eager(MLPHyperModel):
    """Trains so few steps that they are over before a graph would be traced."""

    def build(self, hp):
        model = super().build(hp)
        model.run_eagerly = True
        return model


def hypermodel(kind=Eager, **given):
    # What the constructor says of the training is wrong: what is trained counts.
    arguments = {
        "layers": 1, "units": 2, "activation": "relu", "normalization": "none", "dropout": 0.0,
        "l2": 0.0, "optimizer": "sgd", "momentum": 0.0, "learning_rate": RATE, "warm_up": 0.0,
        "schedule": "cosine", "epochs": 9, "train_size": 12345, "batch_size": 16,
    }  # fmt: skip
    return kind((3,), **(arguments | given))


def cosine(steps, of=None, first=0):
    of = of or steps
    return [RATE * (1 + math.cos(math.pi * step / of)) / 2 for step in range(first, steps)]


def search(tuner, tmp_path, *args, **kwargs):
    tuner.search(*args, **{"validation_data": HELD, "callbacks": [Rates()], "verbose": 0} | kwargs)


def random_search(tmp_path, model=None, kind=kt_hpo.RandomSearch, **kwargs):
    return kind(model or hypermodel(), "val_loss", max_trials=1, directory=tmp_path, **kwargs)


def test_a_schedule_is_as_long_as_the_search_trains(tmp_path, seen):
    search(random_search(tmp_path), tmp_path, X, Y, epochs=4)
    assert seen == [pytest.approx(cosine(4 * 5), rel=1e-4)]


def test_under_keras_tuner_itself_too(tmp_path, seen):
    tuner = random_search(tmp_path, kind=keras_tuner.RandomSearch)
    search(tuner, tmp_path, X, Y, epochs=4)
    assert seen == [pytest.approx(cosine(4 * 5), rel=1e-4)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "steps"),
    [
        ({"x": X, "y": Y, "batch_size": 7}, 10),
        ({"x": X, "y": Y, "validation_split": 0.5, "validation_data": None}, 3),
        ({"x": X, "y": Y, "steps_per_epoch": 2, "batch_size": 7}, 2),
    ],
)
def test_the_data_tell_how_many_steps_there_are(data, steps, tmp_path, seen):
    search(random_search(tmp_path), tmp_path, epochs=3, **data)
    assert seen == [pytest.approx(cosine(3 * steps), rel=1e-4)]


def test_a_pipeline_tells_too(tmp_path, seen):
    tf = pytest.importorskip("tensorflow")
    pipeline = tf.data.Dataset.from_tensor_slices((X, Y)).batch(20)
    search(random_search(tmp_path), tmp_path, pipeline, epochs=2)
    assert seen == [pytest.approx(cosine(2 * 4), rel=1e-4)]


def test_data_of_unknown_size_are_counted_in_the_first_epoch(tmp_path, seen):
    tf = pytest.importorskip("tensorflow")
    pipeline = tf.data.Dataset.from_tensor_slices((X, Y)).batch(20).filter(lambda x, y: True)
    tuner = random_search(tmp_path, hypermodel(train_size=640))  # An estimate of 40 steps.
    search(tuner, tmp_path, pipeline, epochs=3, callbacks=[EpochRates()])
    # Keras may count the step that finds no data as one.
    assert seen == [pytest.approx([cosine(1)[0], *cosine(3)[1:]], rel=1e-4)]


@pytest.mark.slow
def test_batch_size_and_epochs_may_be_searched(tmp_path, seen):
    model = hypermodel(optimizer="adam", batch_size=[35, 70], epochs=[2, 3])
    tuner = kt_hpo.GridSearch(model, "val_loss", directory=tmp_path)
    search(tuner, tmp_path, X, Y)
    expected = [
        trial.params["epochs"] * math.ceil(70 / trial.params["batch_size"])
        for trial in tuner.study.trials
    ]
    assert len(set(expected)) == 4
    assert [len(rates) for rates in seen] == expected
    for rates in seen:
        assert rates == pytest.approx(cosine(len(rates)), rel=1e-4)


def test_each_fold_has_a_schedule_of_its_own(tmp_path, seen):
    tuner = random_search(tmp_path, cross_validation=2)
    search(tuner, tmp_path, X, Y, epochs=2, validation_data=None)
    assert seen == [pytest.approx(cosine(2 * 3), rel=1e-4)] * 2


@pytest.mark.slow
@pytest.mark.parametrize("library", [kt_hpo, pytest.param(keras_tuner, marks=pytest.mark.slow)])
def test_hyperband_goes_on_at_the_place_of_the_schedule(library, tmp_path, seen):
    tuner = library.Hyperband(
        hypermodel(optimizer="adam", batch_size=35, units=(2, 9)), "val_loss", max_epochs=3,
        factor=3, directory=tmp_path, seed=0,
    )  # fmt: skip
    search(tuner, tmp_path, X, Y)
    trainings = [trial.hyperparameters.values for trial in tuner.oracle.trials.values()]
    assert len(seen) == len(trainings)
    rounds = set()
    for rates, values in zip(seen, trainings, strict=True):
        first, last = values["tuner/initial_epoch"], values["tuner/epochs"]
        assert rates == pytest.approx(cosine(last * 2, first=first * 2), rel=1e-4)
        rounds.add((first, last))
    assert any(first for first, _ in rounds)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["random", "hyperband"])
def test_vectorized_trials_follow_the_same_schedule(engine, tmp_path):
    ranges = {"learning_rate": (0.003, 0.03), "warm_up": (0.0, 0.5), "units": 4, "layers": 1}
    ranges["schedule"] = ["cosine", "exponential"]

    def values(executor):
        model = hypermodel(MLPHyperModel if executor else Eager, **ranges)
        given = {"executor": executor, "seed": 3, "directory": tmp_path / str(executor)}
        if engine == "random":
            tuner = kt_hpo.RandomSearch(model, "val_loss", max_trials=3, **given)
        else:
            tuner = kt_hpo.Hyperband(model, "val_loss", max_epochs=3, factor=3, **given)
        tuner.search(X, Y, validation_data=HELD, epochs=4, shuffle=False, verbose=0)
        # Where several are asked for at once, the next bracket begins before a promotion.
        rungs = [trial for trial in tuner.study.trials if trial.number < 3 or _goes_on(trial)]
        return tuner, [trial.value for trial in rungs]

    _, inline = values(None)
    vectorized, together = values(kt_hpo.Vectorized())
    assert vectorized.executor.notes == []
    followed = {trial.params["schedule"] for trial in vectorized.study.trials}
    assert followed == {"cosine", "exponential"}
    assert together == pytest.approx(inline, rel=1e-4)


def _goes_on(trial):
    return "tuner/trial_id" in trial.user_attrs.get("values", {})


def test_training_around_it_and_a_scaled_rate(tmp_path, seen):
    model = kt_hpo.Training(hypermodel(), batch_size=10)
    search(random_search(tmp_path, model, scale_learning_rate=5), tmp_path, X, Y, epochs=2)
    assert seen == [pytest.approx([2 * rate for rate in cosine(2 * 7)], rel=1e-4)]


@pytest.mark.slow
def test_fit_best_ends_its_schedule_too(tmp_path, seen):
    tuner = random_search(tmp_path)
    search(tuner, tmp_path, X, Y, epochs=3)
    seen.clear()
    tuner.fit_best(X, Y, epochs=5, callbacks=[Rates()])
    assert seen == [pytest.approx(cosine(5 * 5), rel=1e-4)]


def test_a_second_fit_of_a_model_begins_its_schedule_anew(seen):
    model, hp = hypermodel(), keras_tuner.HyperParameters()
    built = model.build(hp)
    for epochs in (1, 2):
        model.fit(hp, built, X, Y, epochs=epochs, callbacks=[Rates()], verbose=0)
    assert seen == [pytest.approx(cosine(5), rel=1e-4), pytest.approx(cosine(10), rel=1e-4)]


def test_the_rate_that_trains_is_the_one_that_is_shown():
    """A graph traced for one length would go on with it."""
    model, hp = hypermodel(MLPHyperModel), keras_tuner.HyperParameters()
    keras.utils.set_random_seed(1)
    spread = model.build(hp)
    keras.utils.set_random_seed(1)
    plain = model.build(hp)
    for epochs in (1, 3):
        model.fit(hp, spread, X, Y, epochs=epochs, shuffle=False, verbose=0)
        plain.compile(keras.optimizers.SGD(make_schedule("cosine", RATE, 5 * epochs, 0.0)), "mse")
        plain.fit(X, Y, batch_size=16, epochs=epochs, shuffle=False, verbose=0)
    for one, other in zip(spread.get_weights(), plain.get_weights(), strict=True):
        assert one == pytest.approx(other, rel=1e-4, abs=1e-6)


def test_epochs_one_by_one_can_be_one_training(seen):
    model, hp = hypermodel(), keras_tuner.HyperParameters()
    built = model.build(hp)
    built.optimizer._learning_rate.fix(epochs=3)
    for epoch in range(3):
        given = {"initial_epoch": epoch, "epochs": epoch + 1, "callbacks": [Rates()]}
        model.fit(hp, built, X, Y, verbose=0, **given)
    assert list(chain(*seen)) == pytest.approx(cosine(3 * 5), rel=1e-4)


def test_other_models_are_left_alone():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 77)), "mse")
    model.fit(X, Y, callbacks=[FollowTraining()], verbose=0)
    assert model.optimizer._learning_rate.decay_steps == 77


def test_a_schedule_can_be_saved_and_made_again():
    schedule = TrainingSchedule("exponential", 0.1, 0.25, 10, 2)
    schedule.spread(6, 4, first_epoch=1, steps_before=0)
    config = keras.saving.serialize_keras_object(schedule)
    again = keras.saving.deserialize_keras_object(config)
    rates = [float(schedule(step)) for step in range(18)]
    assert [float(again(step)) for step in range(18)] == rates
    assert rates[0] == pytest.approx(0.1)
    assert rates[-1] == pytest.approx(0.1 * 0.01 ** (17 / 18), rel=1e-3)
