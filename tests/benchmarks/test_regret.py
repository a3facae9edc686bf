import numpy as np
import pytest

from benchmarks.quality.summary import summary
from benchmarks.regret import anytime, bootstrap, normalized_regret, ranks


def test_regret_is_the_share_of_the_way_from_the_best_to_the_worst():
    regret = normalized_regret(np.array([0.2, 0.3, 0.6]), best=0.2, worst=0.6)
    assert regret == pytest.approx([0.0, 0.25, 1.0])


def test_a_search_holds_what_it_has_found_so_far():
    held = anytime([(3, 0.5), (10, 0.2)], np.array([1, 3, 9.9, 10, 50]), before=1.0)
    assert held.tolist() == [1.0, 0.5, 0.5, 0.2, 0.2]
    assert anytime([], np.array([1, 2]), before=0.7).tolist() == [0.7, 0.7]


def test_those_who_are_level_share_their_ranks():
    scores = np.array([[0.3, 0.1], [0.1, 0.1], [0.2, 0.1]])
    assert ranks(scores).tolist() == [[3, 2], [1, 2], [2, 2]]


def test_the_bootstrap_covers_the_mean_as_often_as_it_says():
    stream = np.random.default_rng(0)
    covered = 0
    for world in range(200):
        low, high = bootstrap(stream.normal(size=(2, 30)), resamples=200, seed=world)
        covered += low <= 0 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_the_bootstrap_draws_seeds_and_keeps_problems():
    numbers = np.repeat([[0.0], [10.0]], 20, axis=1)
    assert bootstrap(numbers) == (5.0, 5.0)


def test_a_summary_ranks_libraries_over_the_seeds_they_share():
    known = {
        "early": {"p": {"0": [(1, 0.1)], "1": [(1, 0.1)], "2": [(1, 0.9)]}},
        "late": {"p": {"0": [(1, 0.5), (90, 0.0)], "1": [(1, 0.5), (90, 0.0)]}},
        "elsewhere": {"q": {"0": [(1, 0.0)]}},
    }
    found = summary(known, {"p": 100}, resamples=50)
    assert found.libraries == ["early", "late"] and found.seeds == 2
    assert found.rank[:, 0].tolist() == [1, 2] and found.rank[:, -1].tolist() == [2, 1]
    assert found.regret[:, -1] == pytest.approx([0.1, 0.0])
    # One is ahead up to 0.9 of the budget, the other from there on, 6 of 50 points.
    assert found.rank_over_budget == pytest.approx([1.12, 1.88])
    assert found.best_first().tolist() == [0, 1]
    np.testing.assert_allclose(found.rank_interval, [[1.12, 1.12], [1.88, 1.88]])
    assert found.regret_at(0.25) == pytest.approx([0.1, 0.5])


def test_there_is_no_summary_of_nothing():
    assert summary({"a": {}}, {"p": 10}) is None
