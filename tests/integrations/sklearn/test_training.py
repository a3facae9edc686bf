"""What an estimator learns, and what it refuses to learn."""

import pickle

import keras
import numpy as np
import pytest
from networks import BINARY, NAMES, Head, X, Y, build, build_line, fitted, network
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits

from hypermodels import MLPHyperModel
from kt_hpo import KerasHyperClassifier, KerasHyperRegressor


@pytest.mark.slow
def test_it_learns_names():
    classifier = fitted(y=NAMES, units=16)
    assert list(classifier.classes_) == ["setosa", "versicolor", "virginica"]
    assert classifier.score(X, NAMES) > 0.9
    assert classifier.n_features_in_ == 4
    assert classifier.predict_proba(X).sum(axis=1) == pytest.approx(1)
    assert len(classifier.history_["loss"]) == 10
    assert classifier.hyperparameters_ == {"units": 16, "rate": 0.03}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("units", "activation", "loss"),
    [
        (1, "sigmoid", "binary_crossentropy"),
        (1, None, keras.losses.BinaryCrossentropy(from_logits=True)),
        (2, "softmax", "categorical_crossentropy"),
        (2, "softmax", keras.losses.SparseCategoricalCrossentropy()),
        (2, None, keras.losses.SparseCategoricalCrossentropy(from_logits=True)),
        (2, "sigmoid", "binary_crossentropy"),
        (5, "softmax", keras.losses.sparse_categorical_crossentropy),
        (5, None, keras.losses.CategoricalCrossentropy(from_logits=True, name="mine")),
    ],
)
def test_every_head_of_a_classifier(units, activation, loss):
    hypermodel = Head(units, activation, loss)
    classifier = fitted(hypermodel=hypermodel, x=X[BINARY], y=NAMES[BINARY])
    probabilities = classifier.predict_proba(X[BINARY])
    assert probabilities.shape == (100, 2)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert (probabilities >= 0).all()
    assert classifier.score(X[BINARY], NAMES[BINARY]) > 0.9


@pytest.mark.parametrize(
    ("hypermodel", "message"),
    [
        (Head(1, "sigmoid", "binary_crossentropy"), "3 classes, but .* 1 wide"),
        (Head(2, "softmax", "categorical_crossentropy"), r"Dense\(3, activation=\"softmax\"\)"),
        (lambda hp: keras.Sequential([keras.layers.Dense(3)]), "no loss; compile it"),
        (lambda hp: None, "Is its `return model` missing"),
        (
            lambda hp: network(keras.layers.Reshape((2, 2)), loss="mse"),
            "one output of shape",
        ),
    ],
)
def test_a_model_that_does_not_match_is_refused(hypermodel, message):
    with pytest.raises(ValueError, match=message):
        fitted(hypermodel=hypermodel)


@pytest.mark.slow
@pytest.mark.parametrize("targets", [None, 1, 2])
def test_a_regressor_gives_the_shape_it_was_taught(targets):
    x, y = load_diabetes(return_X_y=True)
    y = (y - y.mean()) / y.std()
    y = y if targets is None else np.stack([y] * targets, axis=1)
    hypermodel = Head(targets or 1, None, "mse")
    regressor = fitted(KerasHyperRegressor, hypermodel, x * 20, y, batch_size=100)
    assert regressor.predict(x * 20).shape == y.shape
    assert regressor.score(x * 20, y) > 0.4
    with pytest.raises(ValueError, match="3 targets"):
        regressor.fit(x, np.ones((len(x), 3)))


def test_the_same_seed_gives_the_same_model_and_leaves_numpy_alone():
    np.random.seed(3)
    expected = np.random.random()
    np.random.seed(3)
    first = fitted(epochs=2).predict_proba(X)
    assert np.random.random() == expected
    assert (fitted(epochs=2).predict_proba(X) == first).all()
    assert (fitted(epochs=2, random_state=1).predict_proba(X) != first).any()


@pytest.mark.slow
def test_weights_of_samples_and_classes_count():
    weighted = fitted(fit_kwargs={"class_weight": {0: 0.0, 1: 1.0, 2: 1.0}})
    assert 0 not in weighted.predict(X)
    weight = (NAMES != "setosa").astype(float)
    classifier = KerasHyperClassifier(build, epochs=10, batch_size=50, random_state=0)
    weighted = classifier.fit(X, NAMES, weight)
    assert "setosa" not in weighted.predict(X)
    with pytest.raises(ValueError, match="class_weight is for classifiers"):
        fitted(KerasHyperRegressor, build_line, fit_kwargs={"class_weight": "balanced"})


def test_arguments_of_the_training():
    class Counter(keras.callbacks.Callback):
        epochs = 0

        def on_epoch_end(self, epoch, logs=None):
            Counter.epochs += 1

    classifier = KerasHyperClassifier(
        build, epochs=9, callbacks=[Counter], fit_kwargs={"batch_size": 50}, random_state=0
    )
    classifier.fit(X, NAMES, epochs=2, validation_data=(X[:9], NAMES[:9]))
    assert Counter.epochs == 2
    assert set(classifier.history_) == {"loss", "val_loss"}


def test_a_hyperparameter_named_epochs_is_the_parameter():
    hypermodel = MLPHyperModel((4,), 3, epochs=(1, 4), batch_size=[16, 64], layers=(1, 2))
    classifier = fitted(hypermodel=hypermodel, epochs=2, batch_size=64)
    assert classifier.hyperparameters_["epochs"] == len(classifier.history_["loss"]) == 2
    assert classifier.hyperparameters_["batch_size"] == 64
    classifier.set_params(epochs=None).fit(X, Y)
    assert len(classifier.history_["loss"]) == 4  # The default: of a range of epochs the most.
    with pytest.raises(ValueError, match="epochs=5 is not allowed"):
        classifier.set_params(epochs=5)


def test_a_pickled_estimator_predicts_the_same():
    classifier = fitted(y=NAMES, epochs=3)
    back = pickle.loads(pickle.dumps(classifier))
    assert (back.predict_proba(X) == classifier.predict_proba(X)).all()
    assert back.get_params() == classifier.get_params()
    assert not hasattr(clone(back), "model_")


def test_digits_as_pictures():
    def convolve(hp):
        return network(
            keras.layers.Conv2D(hp.Int("filters", 2, 8), 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )

    x, y = load_digits(return_X_y=True)
    pictures = x.reshape(-1, 8, 8, 1)[:300] / 16
    classifier = fitted(hypermodel=convolve, x=pictures, y=y[:300], epochs=5, filters=8)
    assert classifier.score(pictures, y[:300]) > 0.5
