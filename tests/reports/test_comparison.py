"""The page that compares searches."""

import re
from itertools import combinations

import pytest
from reports.searches import DEGENERATE, searched, study_of, trial
from reports.test_report import HOSTILE, hostile_study, words_of

import kt_hpo
from kt_hpo.reports.page import render_comparison


def test_searches_are_compared_on_one_page(tmp_path):
    studies = [searched(60, seed=0), searched(40, seed=1)]
    path = kt_hpo.report(studies, tmp_path / "both.html")
    page = path.read_text()
    words = words_of(page)
    assert page.count("<svg") == 2 and "<script" not in page
    assert "demo 1" in words and "demo 2" in words
    for study in studies:
        assert f"{study.best_value:.4g} ±" in words
    assert "Best so far by trial" in words and "Best so far by time" in words
    assert {"rate", "units", "optimizer", "dropout"} <= set(words.split())
    assert not re.search(r"(src|href)\s*=(?!\"#)|url\((?!#)|@import|https?://", page)
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(ids) == len(set(ids))


def verdict_of(*values):
    studies = [study_of([trial(value)]) for value in values]
    return words_of(render_comparison(studies))


def test_the_verdict_says_which_is_ahead_and_what_is_known_of_chance():
    assert "demo 2 found the best, 1, 1 ahead of demo 1; how much of that" in verdict_of(2.0, 1.0)
    assert "found the same best, 1." in verdict_of(1.0, 1.0)
    assert "may explain" in words_of(
        render_comparison([searched(60, seed=0), searched(60, seed=1)])
    )


def executed(scores):
    mean = sum(scores) / len(scores)
    error = (sum((s - mean) ** 2 for s in scores) / (len(scores) - 1) / len(scores)) ** 0.5
    attributes = {
        "executions": [{"metrics": {"val_loss": score}} for score in scores],
        "standard_error": {"val_loss": error},
    }
    return study_of([trial(mean, user_attrs=attributes)], ["val_loss"])


def test_a_difference_beyond_the_uncertainties_is_called_so():
    page = render_comparison([executed([1.0, 1.01]), executed([2.0, 2.02])])
    assert "more than their uncertainties together" in words_of(page)


@pytest.mark.parametrize(("one", "other"), list(combinations(["empty", "one", "failed"], 2)))
def test_searches_that_found_nothing_have_a_page(one, other):
    page = render_comparison([DEGENERATE[one](), DEGENERATE[other]()])
    assert "There are not two searches" in words_of(page)


def test_names_are_never_markup():
    page = render_comparison([hostile_study(), hostile_study()])
    assert "<img" not in page and "<script" not in page and HOSTILE not in page


def test_different_objectives_are_refused(tmp_path):
    studies = [study_of([trial(1.0)]), study_of([trial(1.0)], direction="maximize")]
    with pytest.raises(ValueError, match="different objectives"):
        kt_hpo.report(studies, tmp_path / "both.html")
    assert not list(tmp_path.iterdir())


def test_one_search_in_a_list_is_a_report(tmp_path):
    assert "What mattered" in kt_hpo.report([searched(12)], tmp_path / "one.html").read_text()
