"""`SklearnTuner`: data, weights, groups, scorers, metrics and pipelines."""

import numpy as np
import pandas as pd
import pytest
from sklearn import decomposition, linear_model, metrics, model_selection, neighbors, pipeline

RNG = np.random.default_rng(0)
X = RNG.random((40, 4))
Y = (X[:, 0] > 0.5).astype(int)


def classifier(hp):
    kind = hp.Choice("kind", ["ridge", "knn"])
    if kind == "ridge":
        with hp.conditional_scope("kind", "ridge"):
            return linear_model.RidgeClassifier(alpha=hp.Float("alpha", 1e-3, 1, sampling="log"))
    with hp.conditional_scope("kind", "knn"):
        return neighbors.KNeighborsClassifier(n_neighbors=hp.Int("neighbors", 1, 9))


def ridge(hp):
    return linear_model.RidgeClassifier(alpha=hp.Float("alpha", 1e-3, 1, sampling="log"))


def steps(hp):
    pca = decomposition.PCA(n_components=hp.Choice("components", [2, 3]))
    return pipeline.Pipeline([("pca", pca), ("clf", ridge(hp))])


@pytest.mark.parametrize(
    ("build", "made", "given"),
    [
        (classifier, {}, {}),
        (classifier, {"cv": model_selection.GroupKFold(4)}, {"groups": np.arange(40) % 5}),
        (ridge, {}, {"sample_weight": RNG.random(40)}),
        (steps, {}, {"sample_weight": RNG.random(40)}),
        (
            classifier,
            {
                "scoring": metrics.make_scorer(metrics.balanced_accuracy_score),
                "cv": model_selection.StratifiedKFold(3),
                "metrics": [metrics.balanced_accuracy_score, metrics.recall_score],
            },
            {},
        ),
    ],
)
def test_models_are_measured_and_come_back(kt, places, build, made, given):
    oracle = kt.oracles.RandomSearchOracle(kt.Objective("score", "max"), max_trials=3, seed=1)
    tuner = kt.SklearnTuner(oracle, build, **made, **places)
    tuner.search(X, Y, **given)
    assert len(tuner.oracle.trials) == 3
    best = tuner.oracle.get_best_trials()[0]
    assert (best.status, best.best_step) == ("COMPLETED", 0)
    names = {"score", *(one.__name__ for one in made.get("metrics", []))}
    assert names <= set(best.metrics.metrics)
    assert tuner.get_best_models()[0].score(X, Y) > 0.6


def test_data_frames_are_data(kt, places):
    oracle = kt.oracles.RandomSearchOracle(kt.Objective("score", "max"), max_trials=2, seed=1)
    tuner = kt.SklearnTuner(oracle, ridge, **places)
    tuner.search(pd.DataFrame(X), pd.DataFrame(Y))
    assert [trial.status for trial in tuner.oracle.trials.values()] == ["COMPLETED"] * 2
