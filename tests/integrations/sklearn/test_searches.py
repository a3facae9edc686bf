"""scikit-learn's searches of a hypermodel."""

import pytest
from kt_hpo.sklearn import param_distributions, param_grid
from networks import NAMES, X, build, build_line
from sklearn.datasets import load_diabetes
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tiers import few

from kt_hpo import KerasHyperClassifier, KerasHyperRegressor


@pytest.mark.slow
def test_a_grid_search_finds_what_is_better():
    grid = [grid | {"rate": [1e-5, 0.1]} for grid in param_grid(build, levels=2)]
    classifier = KerasHyperClassifier(build, epochs=6, batch_size=75, random_state=0)
    search = GridSearchCV(classifier, grid, cv=2)
    search.fit(X, NAMES)
    scores = search.cv_results_["mean_test_score"]
    assert len(scores) == 4
    assert search.best_params_["rate"] == 0.1
    assert search.best_score_ == max(scores) > min(scores) + 0.2
    assert search.best_estimator_.score(X, NAMES) > 0.6


@pytest.mark.slow
def test_a_randomized_search_of_a_pipeline():
    x, y = load_diabetes(return_X_y=True)
    pipeline = make_pipeline(
        StandardScaler(), KerasHyperRegressor(build_line, batch_size=200, random_state=0)
    )
    distributions = param_distributions(build_line, prefix="kerashyperregressor__")
    search = RandomizedSearchCV(pipeline, distributions, n_iter=2, cv=2, random_state=0)
    search.fit(x, (y - y.mean()) / y.std())
    drawn = search.cv_results_["params"]
    assert all(4 <= params["kerashyperregressor__units"] <= 32 for params in drawn)
    assert search.predict(x).shape == y.shape
    assert search.best_params_ in drawn


@pytest.mark.parametrize(
    "kind", few([HalvingGridSearchCV, HalvingRandomSearchCV], HalvingGridSearchCV)
)
def test_a_halving_search_gives_epochs_to_the_better(kind):
    random = kind is HalvingRandomSearchCV
    grid = [grid | {"rate": [0.03]} for grid in param_grid(build, levels=2)]
    search = kind(
        KerasHyperClassifier(build, batch_size=75, random_state=0),
        param_distributions(build) if random else grid,
        resource="epochs",
        max_resources=2,
        min_resources=1,
        factor=2,
        cv=2,
        random_state=0,
        **({"n_candidates": 2} if random else {}),
    )
    search.fit(X, NAMES)
    assert search.n_resources_ == [1, 2]
    assert search.n_candidates_ == [2, 1]
    assert search.best_params_["epochs"] == 2
    assert len(search.best_estimator_.history_["loss"]) == 2
