"""scikit-learn's own checks of both estimators."""

import keras
import pytest
from networks import network
from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator

from kt_hpo import KerasHyperClassifier, KerasHyperRegressor


def wide(hp):
    return network(
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
        loss="sparse_categorical_crossentropy",
        rate=0.1,
    )


def straight(hp):
    hidden = keras.layers.Dense(hp.Fixed("units", 16), activation="relu")
    return network(hidden, keras.layers.Dense(1), loss="mse", rate=0.1)


def expected_failures(estimator):
    return {
        "check_sample_weight_equivalence_on_dense_data": (
            "a sample of weight 2 is in one batch, two samples may be in two"
        ),
        "check_do_not_raise_errors_in_init_or_set_params": (
            "what no hypermodel can be, or no value of it, is refused at once"
        ),
        "check_regressor_multioutput": "the hypermodel checked here is one of a single target",
    }


def checks():
    """scikit-learn's own checks of both estimators."""
    for estimator in (
        KerasHyperClassifier(wide, epochs=4, batch_size=50, random_state=0),
        KerasHyperRegressor(straight, epochs=6, batch_size=50, random_state=0),
    ):
        expected = expected_failures(estimator)
        yield from estimator_checks_generator(
            estimator, expected_failed_checks=expected, mark="xfail"
        )


def named(value):
    """Without addresses, so that every process of the tests finds the same names."""
    return getattr(value, "func", type(value)).__name__


# These look at what was learned.
LEARNING = {
    "check_class_weight_classifiers",
    "check_classifiers_classes",
    "check_classifiers_train",
    "check_regressors_train",
}

# These compare predictions to 1e-7: closer than float32, where the rounding of a row's sums may
# depend on its place in the batch.
PRECISE = {"check_methods_sample_order_invariance", "check_methods_subset_invariance"}


@pytest.fixture
def precision(check):
    ordinary = keras.config.floatx()
    precise = "float64" if named(check) in PRECISE else ordinary
    keras.config.set_floatx(precise)
    keras.config.set_dtype_policy(precise)
    yield
    keras.config.set_floatx(ordinary)
    keras.config.set_dtype_policy(ordinary)


@pytest.mark.slow
@pytest.mark.usefixtures("precision")
@pytest.mark.parametrize(("estimator", "check"), checks(), ids=named)
def test_it_is_an_estimator(estimator, check):
    check(estimator if named(check) in LEARNING else clone(estimator).set_params(epochs=1))
