import numpy as np

from benchmarks import ready
from benchmarks.real_data import TABLES, Parts, score, seasonal_naive


def row(task, seed, *scores):
    found = {
        name: {"score": s, "seconds": 1.0} for name, s in zip(ready.OF_TABLES, scores, strict=True)
    }
    return {"task": task, "seed": seed, "limit": 30, **found}


def test_ranks_are_of_the_splits_that_all_tables_have():
    rows = [
        row("iris", 0, 0.9, 0.8, 0.7, 0.7),
        row("iris", 1, 0.1, 0.2, 0.3, 0.4),
        row("churn", 0, 0.5, 0.6, 0.7, 0.8),
    ]
    assert ready.table_ranks(rows).tolist() == [[[1, 2, 3.5, 3.5]], [[4, 3, 2, 1]]]


def test_more_is_better_whatever_is_measured():
    y = np.array(["no", "yes", "no", "yes"])
    sure = np.array([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.1, 0.9]])
    assert score("accuracy", y, sure, ["no", "yes"]) == 0.75
    assert score("auc", y, sure, ["no", "yes"]) == 1
    assert score("r2", np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0])) == 1


def test_a_split_is_the_same_every_time_and_parts_the_rows():
    first, again, other = (TABLES["iris"].parts(seed) for seed in (0, 0, 1))
    assert first.x.equals(again.x) and not first.x.equals(other.x)
    assert len(first.x) + len(first.test_x) == 150 and "target" not in first.x


def test_a_season_ago_is_what_was_there_a_week_before():
    hours = np.arange(400.0)
    # A window of a week, and the half-hour a day after it.
    parts = Parts(None, None, hours[None, :336, None], hours[[336 + 47]])
    assert seasonal_naive(parts) == parts.test_y - 336


def test_a_peer_knows_what_an_iris_is():
    assert ready.linear("iris", 0, 10.0)["score"] > 0.85


def test_the_section_tells_scores_and_ranks():
    others = {"limit": 60, "seed": 0, "task": "demand"}
    others |= {name: {"score": 0.97, "seconds": 2.0} for name in ready.TASKS["demand"]}
    told = ready.section({"rows": [row("iris", 0, 0.9, 0.8, 0.7, 0.6), others]})
    assert "**0.900 (0.900 to 0.900)**" in told and "| gradient boosting | 2.00" in told
    assert "| demand | 1 | seasonal naive | 0.970" in told
