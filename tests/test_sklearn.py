import math
import pickle

import keras
import keras_tuner
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    ParameterGrid,
    ParameterSampler,
    RandomizedSearchCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator
from strategies import spaces

from hypermodels import MLPHyperModel
from kt_hpo import KerasHyperClassifier, KerasHyperRegressor
from kt_hpo.hyperparameters import HyperParameters
from kt_hpo.sklearn import param_distributions, param_grid
from kt_hpo.sklearn.configurations import configuration
from kt_hpo.sklearn.grids import scopes

X, Y = load_iris(return_X_y=True)
NAMES = load_iris().target_names[Y]
BINARY = Y < 2


def network(*layers, loss, rate=0.03):
    model = keras.Sequential(layers)
    # Eager training of so few samples takes less time than tracing it.
    model.compile(keras.optimizers.Adam(rate), loss=loss, run_eagerly=True)
    return model


def build(hp):
    units = hp.Int("units", 1, 32)
    return network(
        keras.layers.Dense(units, activation="relu"),
        keras.layers.Dense(3, activation="softmax"),
        loss="sparse_categorical_crossentropy",
        rate=hp.Float("rate", 1e-5, 1e-1, sampling="log", default=0.03),
    )


def build_line(hp):
    return network(
        keras.layers.Dense(hp.Int("units", 4, 32, default=32), activation="relu"),
        keras.layers.Dense(1),
        loss="mse",
        rate=hp.Float("rate", 1e-4, 1e-1, sampling="log", default=0.03),
    )


def scoped(hp):
    hp.Choice("kind", ["linear", "deep", "wide"])
    with hp.conditional_scope("kind", ["deep"]):
        hp.Int("units", 2, 4)
        hp.Boolean("norm")
    with hp.conditional_scope("kind", ["wide"]):
        hp.Float("units", 0.5, 1.0, step=0.25)
    hp.Float("a/b", 0, 1)


class Head(keras_tuner.HyperModel):
    def __init__(self, units, activation, loss):
        super().__init__()
        self.units, self.activation, self.loss = units, activation, loss

    def build(self, hp):
        return network(keras.layers.Dense(self.units, self.activation), loss=self.loss)


def fitted(kind=KerasHyperClassifier, hypermodel=build, x=X, y=Y, **kwargs):
    return kind(hypermodel, **{"epochs": 10, "random_state": 0} | kwargs).fit(x, y)


# Parameters


def test_hyperparameters_are_parameters():
    classifier = KerasHyperClassifier(scoped, kind="deep", epochs=3)
    params = classifier.get_params()
    assert params["kind"] == "deep" and params["epochs"] == 3
    assert {"units", "norm", "a/b"} < set(params)
    assert params["units"] is None
    classifier.set_params(**{"a/b": 0.5, "units": 3, "epochs": 4})
    assert classifier.get_params()["a/b"] == 0.5
    assert classifier.epochs == 4
    assert clone(classifier).get_params() == classifier.get_params()


def test_a_clone_does_not_explore_again():
    builds = []

    def counted(hp):
        builds.append(hp)
        scoped(hp)

    classifier = KerasHyperClassifier(counted, kind="deep")
    explored = len(builds)
    copies = [clone(classifier) for _ in range(3)]
    assert {copy.set_params(kind="wide").get_params()["kind"] for copy in copies} == {"wide"}
    assert classifier.get_params()["kind"] == "deep"
    assert len(builds) == explored


def test_another_hypermodel_has_other_parameters():
    classifier = KerasHyperClassifier(build)
    classifier.set_params(hypermodel=scoped, kind="deep")
    assert "rate" not in classifier.get_params()
    with pytest.raises(ValueError, match="'kind' is no parameter"):
        classifier.set_params(hypermodel=build)
    assert classifier.hypermodel is scoped
    classifier.set_params(hypermodel=build, kind=None)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"unitz": 3}, r"'unitz' is no parameter .* kind, units, norm, a/b"),
        ({"units": 1000}, r"units=1000 is not allowed; it must be one of .*high=4.* or .*high=1.0"),
        ({"kind": "deap"}, r"kind='deap' is not allowed; .*'linear', 'deep', 'wide'"),
        ({"a/b": float("nan")}, "a/b=nan is not allowed"),
        ({"a/b": float("inf")}, "a/b=inf is not allowed"),
        ({"units": float("-inf")}, "units=-inf is not allowed"),
        ({"units": [2]}, r"units=\[2\] is not allowed"),
    ],
)
def test_what_is_not_in_the_space_is_refused_at_once(params, message):
    with pytest.raises(ValueError, match=message):
        KerasHyperClassifier(scoped, **params)
    classifier = KerasHyperClassifier(scoped, kind="wide")
    before = classifier.get_params()
    with pytest.raises(ValueError, match=message):
        classifier.set_params(**{"a/b": 0.25, "epochs": 9} | params)
    assert classifier.get_params() == before


@pytest.mark.parametrize("hypermodel", [None, 3, Head, "build"])
def test_what_is_no_hypermodel_is_refused_at_once(hypermodel):
    with pytest.raises(ValueError, match="give a keras_tuner"):
        KerasHyperClassifier(hypermodel)


def test_names_of_the_estimators_own_are_refused():
    with pytest.raises(ValueError, match=r"'verbose' .*another name"):
        KerasHyperClassifier(lambda hp: hp.Int("verbose", 0, 2)).get_params()


def test_inactive_values_are_ignored_and_missing_ones_are_defaults():
    space = HyperParameters()
    scoped(space)
    assert configuration(space, {"norm": True}).values == {"kind": "linear", "a/b": 0.0}
    values = configuration(space, {"kind": "deep", "norm": np.True_, "units": None}).values
    assert values == {"kind": "deep", "units": 2, "norm": True, "a/b": 0.0}
    assert type(values["norm"]) is bool
    assert configuration(space, {"kind": np.str_("wide"), "units": 0.75})["units"] == 0.75
    with pytest.raises(ValueError, match=r"units=4 .*high=1.0"):
        configuration(space, {"kind": "wide", "units": 4})


def test_values_get_the_type_of_their_hyperparameter():
    hp = HyperParameters()
    hp.Int("units", 1, 9)
    hp.Float("rate", 1e-4, 0.1)
    values = configuration(hp, {"units": np.float64(4), "rate": np.nextafter(0.1, 1)}).values
    assert values == {"units": 4, "rate": 0.1}
    assert [type(value) for value in values.values()] == [int, float]
    with pytest.raises(ValueError, match=r"units=4\.5"):
        configuration(hp, {"units": 4.5})


def test_a_last_step_just_below_its_range_stays_what_it_is():
    hp = HyperParameters()
    hp.Float("rate", 0, np.nextafter(0.3, 1), step=0.1)
    assert configuration(hp, {"rate": 0.3}).values == {"rate": 0.3}


# Training


def test_it_learns_names():
    classifier = fitted(y=NAMES, units=16)
    assert list(classifier.classes_) == ["setosa", "versicolor", "virginica"]
    assert classifier.score(X, NAMES) > 0.9
    assert classifier.n_features_in_ == 4
    assert classifier.predict_proba(X).sum(axis=1) == pytest.approx(1)
    assert len(classifier.history_["loss"]) == 10
    assert classifier.hyperparameters_ == {"units": 16, "rate": 0.03}


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


@pytest.mark.parametrize("targets", [None, 1, 2])
def test_a_regressor_gives_the_shape_it_was_taught(targets):
    x, y = load_diabetes(return_X_y=True)
    y = (y - y.mean()) / y.std()
    y = y if targets is None else np.stack([y] * targets, axis=1)
    hypermodel = Head(targets or 1, None, "mse")
    regressor = fitted(KerasHyperRegressor, hypermodel, x * 20, y)
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


def test_weights_of_samples_and_classes_count():
    weighted = fitted(fit_kwargs={"class_weight": {0: 0.0, 1: 1.0, 2: 1.0}})
    assert 0 not in weighted.predict(X)
    weight = (NAMES != "setosa").astype(float)
    weighted = KerasHyperClassifier(build, epochs=10, random_state=0).fit(X, NAMES, weight)
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
    assert len(classifier.history_["loss"]) == 1
    with pytest.raises(ValueError, match="epochs=5 is not allowed"):
        classifier.set_params(epochs=5)


def test_a_pickled_estimator_predicts_the_same():
    classifier = fitted(y=NAMES, epochs=3)
    back = pickle.loads(pickle.dumps(classifier))
    assert (back.predict_proba(X) == classifier.predict_proba(X)).all()
    assert back.get_params() == classifier.get_params()
    assert not hasattr(clone(back), "model_")


# Searches


def test_a_grid_search_finds_what_is_better():
    grid = [grid | {"rate": [1e-5, 0.03]} for grid in param_grid(build, levels=2)]
    search = GridSearchCV(KerasHyperClassifier(build, epochs=8, random_state=0), grid, cv=2)
    search.fit(X, NAMES)
    scores = search.cv_results_["mean_test_score"]
    assert len(scores) == 4
    assert search.best_params_["rate"] == 0.03
    assert search.best_score_ == max(scores) > min(scores) + 0.2
    assert search.best_estimator_.score(X, NAMES) > 0.6


def test_a_randomized_search_of_a_pipeline():
    x, y = load_diabetes(return_X_y=True)
    pipeline = make_pipeline(
        StandardScaler(), KerasHyperRegressor(build_line, epochs=2, random_state=0)
    )
    distributions = param_distributions(build_line, prefix="kerashyperregressor__")
    search = RandomizedSearchCV(pipeline, distributions, n_iter=2, cv=2, random_state=0)
    search.fit(x, (y - y.mean()) / y.std())
    drawn = search.cv_results_["params"]
    assert all(4 <= params["kerashyperregressor__units"] <= 32 for params in drawn)
    assert search.predict(x).shape == y.shape
    assert search.best_params_ in drawn


@pytest.mark.parametrize("kind", [HalvingGridSearchCV, HalvingRandomSearchCV])
def test_a_halving_search_gives_epochs_to_the_better(kind):
    random = kind is HalvingRandomSearchCV
    search = kind(
        KerasHyperClassifier(build, random_state=0),
        param_distributions(build) if random else param_grid(build, levels=2),
        resource="epochs",
        max_resources=4,
        min_resources=2,
        factor=2,
        cv=2,
        random_state=0,
        **({"n_candidates": 4} if random else {}),
    )
    search.fit(X, NAMES)
    assert search.n_resources_ == [2, 4]
    assert search.n_candidates_ == [4, 2]
    assert search.best_params_["epochs"] == 4
    assert len(search.best_estimator_.history_["loss"]) == 4


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


# Grids and distributions


def test_each_scope_has_a_grid_of_its_own():
    assert param_grid(scoped, levels=2, prefix="m__") == [
        {"m__kind": ["linear"], "m__a/b": [0.25, 0.75]},
        {
            "m__kind": ["deep"],
            "m__units": [2, 4],
            "m__norm": [True, False],
            "m__a/b": [0.25, 0.75],
        },
        {"m__kind": ["wide"], "m__units": [0.5, 1.0], "m__a/b": [0.25, 0.75]},
    ]


def test_a_range_has_so_many_levels():
    def ranges(hp):
        hp.Float("rate", 1e-4, 1e-1, sampling="log")
        hp.Int("few", 1, 3)
        hp.Int("many", 1, 1000)

    [grid] = param_grid(ranges)
    assert {name: len(values) for name, values in grid.items()} == {
        "rate": 10,
        "few": 3,
        "many": 10,
    }
    steps = np.diff(np.log(grid["rate"]))
    assert steps == pytest.approx(steps[0])
    for levels in (0, 2.5, -1):
        with pytest.raises(ValueError, match="whole number from 1 on"):
            param_grid(ranges, levels)


def test_distributions_are_scipys_where_it_has_them():
    def ranges(hp):
        hp.Int("units", 1, 8)
        hp.Float("dropout", 0, 0.5)
        hp.Float("rate", 1e-4, 1e-1, sampling="log")
        hp.Int("width", 8, 4096, sampling="log")
        hp.Float("step", 0, 1, step=0.5)
        hp.Int("one", 3, 3)

    [found] = param_distributions(ranges)
    assert [found[name].dist.name for name in ("units", "dropout", "rate")] == [
        "randint",
        "uniform",
        "loguniform",
    ]
    assert (found["step"], found["one"]) == ([0.0, 0.5, 1.0], [3])
    widths = found["width"].rvs(1000, random_state=0)
    assert np.median(widths) == pytest.approx(np.sqrt(8 * 4096), rel=0.2)


def test_a_continuous_parent_is_divided_too():
    def ranges(hp):
        hp.Float("dropout", 0, 0.5)
        with hp.conditional_scope("dropout", [0.0, 0.9]):
            hp.Boolean("norm")

    without, rest = param_distributions(ranges)
    assert without == {"dropout": [0.0], "norm": [True, False]}
    assert list(rest) == ["dropout"]


def is_valid(space, point):
    """Whether a point is a configuration, but for errors of rounding, with all that is active."""
    values = configuration(space, point).values
    return set(values) == set(point) and all(
        value == point[name] or math.isclose(value, point[name], rel_tol=1e-9)
        for name, value in values.items()
    )


@settings(deadline=None)
@given(spaces(), st.integers(1, 2))
def test_every_point_of_a_grid_is_a_configuration(space, levels):
    declare = Declared(space)
    seen = []
    for grid in param_grid(declare, levels):
        # The corners of each grid: all of them would be too many.
        for pick in (0, -1):
            point = {name: values[pick] for name, values in grid.items()}
            assert is_valid(space, point)
        seen.append({name: set(map(repr, values)) for name, values in grid.items()})
    for index, one in enumerate(seen):
        for other in seen[:index]:
            shared = one.keys() & other.keys()
            assert any(not one[name] & other[name] for name in shared)


@pytest.mark.filterwarnings("ignore:The total space of parameters")
@settings(deadline=None)
@given(spaces(), st.integers(0, 99))
def test_every_drawn_point_is_a_configuration(space, seed):
    distributions = param_distributions(Declared(space))
    for point in ParameterSampler(distributions, 5, random_state=seed):
        assert is_valid(space, point)


def test_a_grid_has_every_combination_once():
    space = HyperParameters()
    scoped(space)
    points = list(ParameterGrid(param_grid(scoped, levels=3)))
    completed = [tuple(configuration(space, point).values.items()) for point in points]
    assert len(set(completed)) == len(points) == 3 * (1 + 3 * 2 + 3)
    assert len(scopes(space, lambda hp: list(hp.values))) == 3


class Declared(keras_tuner.HyperModel):
    """A hypermodel that has a given space, and no model."""

    def __init__(self, space):
        super().__init__()
        self.space = space

    def declare_hyperparameters(self, hp):
        hp.merge(self.space.space)

    def build(self, hp):
        return None


# scikit-learn's own checks


def wide(hp):
    return network(
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
        loss="sparse_categorical_crossentropy",
    )


def straight(hp):
    hidden = keras.layers.Dense(hp.Fixed("units", 16), activation="relu")
    return network(hidden, keras.layers.Dense(1), loss="mse")


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
        KerasHyperClassifier(wide, epochs=12, batch_size=32, random_state=0),
        KerasHyperRegressor(straight, epochs=25, batch_size=32, random_state=0),
    ):
        expected = expected_failures(estimator)
        yield from estimator_checks_generator(
            estimator, expected_failed_checks=expected, mark="xfail"
        )


def named(value):
    """Without addresses, so that every process of the tests finds the same names."""
    return getattr(value, "func", type(value)).__name__


@pytest.mark.slow
@pytest.mark.parametrize(("estimator", "check"), checks(), ids=named)
def test_it_is_an_estimator(estimator, check):
    check(estimator)
