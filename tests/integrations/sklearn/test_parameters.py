"""The parameters of an estimator: its own, and the hyperparameters of its hypermodel."""

import pytest
from networks import Head, build, scoped
from sklearn.base import clone

from kt_hpo import KerasHyperClassifier


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
