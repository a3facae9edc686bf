import keras
import numpy as np
import pytest
from _private_apis.hiding import hide
from keras import layers

import kt_hpo
from kt_hpo.training.compiled import kept_programs, reuse, trained_by_programs

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="programs of TensorFlow"
)
STREAM = np.random.default_rng(0)
X = STREAM.normal(size=(48, 4)).astype("float32")
Y = (X.sum(axis=1) > 0).astype("int32")


def model(
    rate=0.01, dropout=0.2, activation="relu", units=5, loss=None, schedule=False, seed=0, l2=None
):
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    hidden = layers.Dense(units, activation=activation, activity_regularizer=l2)
    made = keras.Sequential([hidden, layers.Dropout(dropout), layers.Dense(2)])
    if schedule:
        rate = keras.optimizers.schedules.ExponentialDecay(rate, 10, 0.5)
    loss = loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    made.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    return made


def fit(made, x=X, y=Y, **options):
    options = {"epochs": 3, "validation_data": (x, y), "batch_size": 16, "verbose": 0} | options
    with trained_by_programs(made, is_continued=True):
        return made.fit(x, y, **options).history


@pytest.fixture
def traced(monkeypatch):
    """Counts the programs that are made."""
    made, program = [], kt_hpo.training.compiled.training.EpochProgram

    def counted(*args):
        made.append(args)
        return program(*args)

    monkeypatch.setattr("kt_hpo.training.compiled.training.EpochProgram", counted)
    return made


def test_an_equal_model_trains_as_without_an_earlier_program(traced):
    alone = model(seed=1)
    expected = fit(alone)
    with kept_programs():
        first = model(seed=0)
        fit(first)
        before, count = first.get_weights(), len(traced)
        second = model(seed=1)
        history = fit(second)
    assert len(traced) == count
    assert history == {name: pytest.approx(values, rel=1e-5) for name, values in expected.items()}
    for found, wanted in zip(second.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)
    for found, wanted in zip(first.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_a_constant_learning_rate_is_the_models_own(traced):
    expected = fit(model(rate=0.1))
    with kept_programs():
        fit(model(rate=0.001))
        count = len(traced)
        history = fit(model(rate=0.1))
    assert len(traced) == count
    assert history["loss"] == pytest.approx(expected["loss"], rel=1e-5)


def test_losses_that_cannot_be_forgotten_keep_a_program_to_its_model(traced, monkeypatch):
    expected = fit(model(l2="l2"))
    with kept_programs():
        fit(model(l2="l2"))
        count = len(traced)
        assert fit(model(l2="l2")) == expected
        assert len(traced) == count
        hide(monkeypatch, keras.layers.Layer, "_clear_losses")
        assert fit(model(l2="l2")) == expected
    assert len(traced) == count + 2


class Shifted(keras.losses.Loss):
    """Keeps its number where no config shows it."""

    def __init__(self, shift):
        super().__init__()
        self._shift = shift

    def call(self, y_true, y_pred):
        hidden = keras.losses.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)
        return hidden + self._shift


@pytest.mark.parametrize(
    "other",
    [
        {"dropout": 0.6},
        {"activation": "tanh"},
        {"units": 6},
        {"schedule": True},
        {"loss": keras.losses.SparseCategoricalCrossentropy()},
        {"loss": Shifted(0.5)},
    ],
    ids=["dropout", "activation", "units", "schedule", "loss", "a user's loss"],
)
def test_another_model_gets_programs_of_its_own(other, traced):
    expected = fit(model(**other))
    with kept_programs():
        fit(model())
        fit(model(**{**other, "loss": Shifted(1.0)}) if "loss" in other else model(schedule=True))
        count = len(traced)
        assert fit(model(**other))["loss"] == pytest.approx(expected["loss"], rel=1e-5)
    is_schedule = other == {"schedule": True}
    assert len(traced) == count + (0 if is_schedule else 2)


def test_schedules_are_told_apart(traced):
    with kept_programs():
        fit(model(rate=0.1, schedule=True))
        count = len(traced)
        fit(model(rate=0.2, schedule=True))
        assert len(traced) == count + 2


def changed(change):
    """Samples other than X and Y, and options, of another training."""
    x, y, options = X.copy(), Y, {}
    if change == "values":
        x *= -1
    elif change == "fewer":
        x, y = x[:37], y[:37]
    elif change == "validation":
        options = {"validation_data": (X[:9], 1 - Y[:9])}
    elif change == "batch_size":
        options = {"batch_size": 12}
    elif change == "weights":
        options = {"sample_weight": np.ones(len(X), "float32")}
    elif change == "type":
        y = y.astype("int64")
    elif change == "none":
        options = {"validation_data": None}
    return x, y, options


@pytest.mark.parametrize("change", ["values", "fewer", "validation", "none"])
def test_other_samples_of_one_shape_have_the_same_programs(change, traced):
    x, y, options = changed(change)
    with kept_programs():
        first = fit(model(seed=1))
        fit(model())
        count = len(traced)
        found = fit(model(), x, y, **options)
        again = fit(model(seed=1))
    assert len(traced) == count
    expected = fit(model(), x, y, **options)
    assert found == {name: pytest.approx(one, rel=1e-5) for name, one in expected.items()}
    assert again == {name: pytest.approx(one, rel=1e-5) for name, one in first.items()}


def test_samples_that_change_in_place_are_other_ones(traced):
    x = X.copy()
    with kept_programs():
        fit(model(), x)
        x *= -1
        found = fit(model(), x)
    assert found["val_loss"] == pytest.approx(fit(model(), x)["val_loss"], rel=1e-5)


@pytest.mark.parametrize("change", ["batch_size", "weights", "type"])
def test_other_batches_get_programs_of_their_own(change, traced):
    x, y, options = changed(change)
    with kept_programs():
        fit(model())
        count = len(traced)
        found = fit(model(), x, y, **options)
    assert len(traced) == count + 2
    assert found["loss"] == pytest.approx(fit(model(), x, y, **options)["loss"], rel=1e-5)


def test_a_program_holds_the_samples_it_had_last():
    with kept_programs():
        fit(model())
        fit(model(), X[:37], Y[:37])
        (kept,) = reuse.latest_programs()._kept
    assert [len(array) for array in kept.train.data] == [37, 37]


def test_the_folds_of_a_trial_have_one_program(tmp_path, traced):
    def build(hp):
        return model(units=hp.Int("units", 2, 60))

    def searched(folder, **options):
        tuner = kt_hpo.RandomSearch(
            build, "val_loss", 2, cross_validation=4, seed=0, directory=folder, **options
        )
        tuner.search(X, Y, epochs=2, verbose=0)
        return [trial.value for trial in tuner.study.trials]

    values = searched(tmp_path / "kept")
    assert len(traced) == 4  # To train and to evaluate, in each of two trials.
    assert values == pytest.approx(searched(tmp_path / "fit", compiled=False), rel=1e-5)


def test_a_model_compiled_anew_gets_programs_of_its_own(traced):
    with kept_programs():
        made = model()
        fit(made)
        made.layers[0].trainable = False
        made.compile("sgd", made.loss)
        count, before = len(traced), made.layers[0].get_weights()[0]
        fit(made)
        assert len(traced) == count + 2
    np.testing.assert_array_equal(made.layers[0].get_weights()[0], before)


def test_few_and_small_programs_are_kept(monkeypatch):
    with kept_programs():
        monkeypatch.setattr(reuse, "_MOST", 2)
        for units in (3, 4, 5):
            fit(model(units=units))
        kept = reuse.latest_programs()._kept
        assert len(kept) == 2
        monkeypatch.setattr(reuse, "_MOST_NUMBERS", 10)
        fit(model(units=6))
        assert not kept
    assert reuse.latest_programs() is None


class Follow(keras.callbacks.Callback):
    """Has Keras trace its own step anew, as a callback that changes a schedule does."""

    def on_train_begin(self, logs=None):
        self.model.make_train_function(force=True)


def test_a_step_that_keras_has_made_is_not_a_part_of_the_model(traced):
    with kept_programs():
        fit(model(), callbacks=[Follow()])
        count = len(traced)
        fit(model(), callbacks=[Follow()])
    assert len(traced) == count


def test_programs_share_their_samples():
    with kept_programs():
        for units in (3, 4):
            fit(model(units=units))
        one, other = reuse.latest_programs()._kept
        assert all(map(lambda a, b: a is b, one.train.data, other.train.data))
        assert all(map(lambda a, b: a is b, one.evaluate.data, other.evaluate.data))


def test_the_end_of_a_training_leaves_those_that_go_on():
    with kept_programs():
        for units in (3, 4):
            fit(model(units=units))
        with trained_by_programs(made := model(units=5)):
            made.fit(X, Y, verbose=0)
        assert len(reuse.latest_programs()._kept) == 3


def test_of_what_nobody_continues_the_latest_is_kept():
    with kept_programs():
        for units in (3, 4):
            with trained_by_programs(made := model(units=units)):
                made.fit(X, Y, verbose=0)
        assert len(reuse.latest_programs()._kept) == 1


@pytest.mark.slow
def test_a_promoted_trial_has_the_program_of_its_earlier_round(tmp_path, traced):
    def build(hp):
        return model(hp.Float("rate", 1e-3, 1e-1), units=hp.Int("units", 2, 60))

    def searched(folder, **options):
        tuner = kt_hpo.Hyperband(
            build, "val_accuracy", max_epochs=4, factor=4, seed=0, directory=folder, **options
        )
        tuner.search(X, Y, validation_data=(X, Y), verbose=0)
        return [trial.values for trial in tuner.study.trials], tuner.study

    values, study = searched(tmp_path / "kept")
    promoted = [t for t in study.trials if t.user_attrs["values"].get("tuner/trial_id")]
    assert promoted and len(traced) <= 2 * (len(values) - len(promoted))
    expected, _ = searched(tmp_path / "fit", compiled=False)
    assert values == expected
