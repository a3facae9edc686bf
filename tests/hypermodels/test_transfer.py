"""Models on a base that has learned something elsewhere."""

import functools
import pickle
from pathlib import Path

import keras
import keras_tuner
import numpy as np
import pytest
from sklearn.datasets import load_digits

import kt_hpo
from hypermodels import TransferHyperModel, blocks

X, Y = load_digits(return_X_y=True)
X = (X / 16).reshape(-1, 8, 8).astype("float32")
LOW, HIGH = Y < 5, Y >= 5
SMALL = {"dropout": 0.0, "dense_layers": 0, "augmentation": 0.0, "optimizer": "adam"}


def small_base(include_top=False, weights=None, input_shape=(8, 8, 3)):
    """Like the constructors of `keras.applications`, small."""
    inputs = keras.Input(input_shape)
    x = keras.layers.Conv2D(8, 3, padding="same", use_bias=False, name="first")(inputs)
    x = keras.layers.BatchNormalization(name="normalization")(x)
    x = keras.layers.Activation("relu")(x)
    x = keras.layers.Conv2D(16, 3, strides=2, activation="relu", name="second")(x)
    model = keras.Model(inputs, x, name="small")
    if weights is not None:
        model.load_weights(weights)
    return model


def hp():
    return keras_tuner.HyperParameters()


def trained(hypermodel, **kwargs):
    known = hp()
    keras.utils.set_random_seed(0)
    model = hypermodel.build(known)
    data = {"x": X[HIGH][:200], "y": Y[HIGH][:200] - 5, "verbose": 0}
    return model, hypermodel.fit(known, model, **data, **kwargs)


def base_of(model):
    return next(layer for layer in model.layers if isinstance(layer, keras.Model))


def weights_of(model):
    weights = base_of(model).weights
    return {"/".join(weight.path.split("/")[-2:]): np.array(weight) for weight in weights}


@pytest.fixture(scope="module")
def learned():
    """A base that knows the digits 0 to 4."""
    keras.utils.set_random_seed(3)
    base = small_base(input_shape=(8, 8, 1))
    x = keras.layers.GlobalAveragePooling2D()(base.output)
    model = keras.Model(base.input, blocks.output(x, 5))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(X[LOW], Y[LOW], epochs=20, batch_size=16, verbose=0).history
    assert history["accuracy"][-1] > 0.9
    return base


def test_frozen_then_fine_tuned(learned):
    before = {
        name: np.array(value) for name, value in zip("abcdefg", learned.get_weights(), strict=True)
    }
    hypermodel = TransferHyperModel((8, 8), 5, base=learned, epochs=3, unfrozen_layers=1, **SMALL)
    frozen, _ = trained(hypermodel, epochs=2)
    assert len(frozen.trainable_weights) == 2
    begun = weights_of(hypermodel.build(hp()))
    assert all(np.array_equal(value, begun[name]) for name, value in weights_of(frozen).items())
    tuned, history = trained(hypermodel, epochs=5)
    changed = {n for n, value in weights_of(tuned).items() if not np.array_equal(value, begun[n])}
    # The batch normalization keeps its statistics, too.
    assert {name.split("/")[0] for name in changed} == {"second"}
    assert history.epoch == [0, 1, 2, 3, 4] and len(history.history["loss"]) == 5
    after = dict(zip("abcdefg", learned.get_weights(), strict=True))
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_fine_tuning_has_a_rate_of_its_own_and_one_schedule(learned):
    class Rates(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 0:
                rates.append(float(self.model.optimizer.learning_rate))

    rates = []
    hypermodel = TransferHyperModel(
        (8, 8), 5, base=learned, learning_rate=0.01, fine_tuning=0.1, frozen_epochs=2,
        batch_size=50, schedule="cosine", warm_up=0.0, **SMALL,
    )  # fmt: skip
    trained(hypermodel, epochs=4, callbacks=[Rates()])
    cosine = [(1 + np.cos(np.pi * part)) / 2 for part in (0, 0.25, 0.5, 0.75)]
    assert rates == pytest.approx(np.multiply(cosine, [1e-2, 1e-2, 1e-3, 1e-3]), rel=1e-3)


def test_what_stops_the_first_training_stops_both(learned):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    hypermodel = TransferHyperModel((8, 8), 5, base=learned, frozen_epochs=2, **SMALL)
    _, history = trained(hypermodel, epochs=4, callbacks=[Stop()])
    assert history.epoch == [0]


@pytest.mark.parametrize("frozen", [0, 9])
def test_one_of_the_two_may_be_all(frozen, learned):
    hypermodel = TransferHyperModel((8, 8), 5, base=learned, frozen_epochs=frozen, **SMALL)
    model, history = trained(hypermodel, epochs=2)
    assert history.epoch == [0, 1]
    assert len(model.trainable_weights) == (5 if frozen == 0 else 2)


@pytest.mark.slow
def test_what_was_learned_helps(learned):
    def accuracy(base):
        hypermodel = TransferHyperModel(
            (8, 8), 5, base=base, learning_rate=5e-3, batch_size=16, fine_tuning=0.3, **SMALL
        )
        model, _ = trained(hypermodel, epochs=12)
        x, y = X[HIGH][200:], Y[HIGH][200:] - 5
        return model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"]

    keras.utils.set_random_seed(9)
    fresh = small_base(input_shape=(8, 8, 1))
    assert accuracy(learned) > max(0.5, accuracy(fresh))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["random", "hyperband"])
def test_a_search_keeps_the_model_it_measured(engine, learned, tmp_path):
    hypermodel = TransferHyperModel(
        (8, 8), 5, base=learned, frozen_epochs=(1, 2), epochs=4, learning_rate=5e-3, **SMALL
    )
    if engine == "random":
        tuner = kt_hpo.RandomSearch(
            hypermodel, "val_accuracy", max_trials=2, seed=0, directory=tmp_path
        )
    else:
        tuner = kt_hpo.Hyperband(
            hypermodel, "val_accuracy", max_epochs=4, factor=2, seed=0, directory=tmp_path
        )
    held = X[HIGH][700:], Y[HIGH][700:] - 5
    tuner.search(X[HIGH][:700], Y[HIGH][:700] - 5, validation_data=held, verbose=0)
    best = tuner.get_best_models(1)[0].evaluate(*held, verbose=0, return_dict=True)
    assert best["accuracy"] == pytest.approx(tuner.study.best_value, abs=1e-5)
    failed = [t.user_attrs["traceback"] for t in tuner.study.trials if t.state.name == "FAIL"]
    assert not failed


def test_many_at_once_train_one_by_one(learned, tmp_path):
    hypermodel = TransferHyperModel((8, 8), 5, base=learned, epochs=2, frozen_epochs=1, **SMALL)
    tuner = kt_hpo.RandomSearch(
        hypermodel, "val_loss", max_trials=2, seed=0, directory=tmp_path,
        executor=kt_hpo.Vectorized(),
    )  # fmt: skip
    data = X[HIGH][:64], Y[HIGH][:64] - 5
    tuner.search(*data, validation_data=data, verbose=0)
    assert tuner.executor.notes
    assert all(len(trial.intermediate_values) == 2 for trial in tuner.study.trials)


@pytest.mark.slow
def test_a_network_of_keras_is_taken_with_its_preprocessing(tmp_path):
    base = functools.partial(keras.applications.MobileNetV2, alpha=0.35)
    hypermodel = TransferHyperModel((8, 8), 10, base=base, weights=None, **SMALL)
    model = pickle.loads(pickle.dumps(hypermodel)).build(hp())
    inner = base_of(model)
    assert inner.input_shape == (None, 32, 32, 3)
    images = np.stack([np.zeros((8, 8)), np.ones((8, 8))]).astype("float32")
    features = keras.Model(model.input, model.get_layer("features").output)
    black_and_white = np.stack([np.full((32, 32, 3), -1.0), np.full((32, 32, 3), 1.0)])
    expected = inner.predict(black_and_white, verbose=0).mean(axis=(1, 2))
    assert features.predict(images, verbose=0) == pytest.approx(expected, abs=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(loaded.predict(images, verbose=0), model.predict(images, verbose=0))


def test_weights_come_from_a_file(learned, tmp_path):
    given = small_base()
    given.save_weights(tmp_path / "my.weights.h5")
    model = TransferHyperModel(
        (32, 32, 3), 5, base=small_base, weights=tmp_path / "my.weights.h5", **SMALL
    ).build(hp())
    for ours, theirs in zip(base_of(model).get_weights(), given.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


def not_to_be_had(include_top, weights, input_shape):
    raise OSError("URL fetch failure")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"base": not_to_be_had}, "weights='imagenet'.*URL fetch failure.*Without a network"),
        ({"weights": "nowhere.h5"}, "weights='nowhere.h5' is no file"),
        ({"weights": 3}, "weights='3' is no file"),
        ({"weights": np.arange(3)}, r"weights='\[0 1 2\]' is no file"),
        ({"weights": Path("imagenet")}, "weights='imagenet' is no file"),
        ({"base": "MobileNetV2"}, "base='MobileNetV2' is not allowed"),
        ({"base": keras.applications.Xception, "weights": None}, "image_size= makes"),
        ({"base": keras.Sequential([keras.Input((3,))], name="m")}, "base='m' takes"),
        ({"base": small_base(), "weights": "x.h5"}, "weights='x.h5', but the base is a model"),
        ({"base": small_base(input_shape=(8, 8, 2))}, "takes 2 channels"),
        ({"base": small_base, "weights": None, "pixels": (1.0, 1.0)}, "pixels"),
        ({"base": small_base, "weights": None, "image_size": (8, 8, 8, 8)}, "is no image"),
        ({"base": small_base, "weights": None, "fine_tuning": 0.0}, "fine_tuning=0.0"),
        ({"base": small_base, "weights": None, "frozen_epochs": -1}, "frozen_epochs=-1"),
    ],
)
def test_wrong_arguments_are_early_errors(given, message):
    with pytest.raises(ValueError, match=message):
        TransferHyperModel((8, 8, 3), 5, **given)
