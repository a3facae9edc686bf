"""The page a report is, as a file: what it says, of ordinary and degenerate searches."""

import html
import json
import pickle
import re
import time
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial
from reports.searches import DEGENERATE, searched, study_of, trial

import kt_hpo
from kt_hpo.plots.influences import influences
from kt_hpo.plots.search import Search
from kt_hpo.reports import charts
from kt_hpo.reports.effects import effects
from kt_hpo.reports.page import _as_now, render
from kt_hpo.reports.words import broken

HOSTILE = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>'\"&"


def hostile_study():
    kinds = {HOSTILE: FloatDistribution(0, 1), "kind": CategoricalDistribution([HOSTILE, "b"])}
    trials = [
        create_trial(
            value=float(i),
            params={HOSTILE: i / 20, "kind": HOSTILE},
            distributions=kinds,
            intermediate_values={0: 1.0, 1: float(i)},
            user_attrs={"metrics": {HOSTILE: 1.0}, "parameters": 10 + i},
        )
        for i in range(20)
    ]
    failed = create_trial(
        state=TrialState.FAIL,
        params={HOSTILE: 0.5, "kind": "b"},
        distributions=kinds,
        user_attrs={"traceback": f"Traceback\n{HOSTILE}"},
    )
    study = study_of([*trials, failed], [HOSTILE])
    for name in ("made_by", "test", "command"):
        study.set_user_attr(name, {HOSTILE: HOSTILE})
    study.set_user_attr("environments", [{HOSTILE: HOSTILE, "packages": {HOSTILE: HOSTILE}}])
    study.set_user_attr("objective", HOSTILE)
    study.set_user_attr("constraints", [HOSTILE])
    return study


def data_of(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.S)[1])


def words_of(page):
    text = re.sub(r"<style.*?</style>|<script.*?</script>", "", page, flags=re.S)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))


def test_the_answer_comes_first_and_all_else_follows(tmp_path):
    study = searched()
    page = kt_hpo.report(study, tmp_path / "page.html").read_text()
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings == [
        "Best val_accuracy", "with these values", "What mattered", "What to search next",
        "How it went", "Trials", "Errors", "Build the best model again", "What was searched",
        "Environment",
    ]  # fmt: skip
    words = words_of(page)
    assert f"{study.best_value:.4g}" in words and f"Trial {study.best_trial.number}." in words
    assert "60 trials: 48 complete, 6 failed, 6 pruned" in words
    assert "rate decided how good a trial was" in words
    assert "ValueError: error 0" in words
    data = data_of(page)
    assert len(data["rows"]) == 60 and data["columns"][:3] == ["trial", "state", "val_accuracy"]


def test_nothing_is_loaded_from_elsewhere():
    page = render(searched(20))
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)\s*=(?!\"#)|url\((?!#)|@import|https?://", page)


def test_a_figure_refers_to_its_own_parts_only():
    for page in (render(searched(20)), render(DEGENERATE["two objectives"]())):
        ids = re.findall(r'\bid="([^"]*)"', page)
        assert len(ids) == len(set(ids))
        assert set(re.findall(r'(?:href="|url\()#([^")]*)', page)) <= set(ids)


def drawn_of(chart):
    """The trials that a chart's dots and lines stand for."""
    root = ElementTree.fromstring(chart.svg)
    for group in root.iter("g"):
        numbers = [int(one) for one in group.get("data-trials", "").split()]
        drawn = [one for one in group if one.tag in ("use", "path")]
        assert len(numbers) in (0, len(drawn))
        yield from numbers


def test_every_dot_and_every_line_is_a_trials():
    search = Search.of(searched(60))
    history, curves, timeline = charts.overview(search)
    assert {*drawn_of(history)} == {*drawn_of(timeline)} == {*range(60)}
    found = influences(search)
    parallel, *_ = charts.whole_space(search, found)
    assert {*drawn_of(parallel)} == {trial.number for trial in search.finished()}
    assert {*drawn_of(curves)} == {trial.number for trial in search.trials if search.curve(trial)}
    *slices, sizes = charts.slices(search, ["rate", "units", "optimizer"])
    assert [chart.title for chart in slices] == ["rate", "units", "optimizer"]
    for chart in slices:
        assert {*drawn_of(chart)} == {*range(60)}
    assert {*drawn_of(sizes)} == {trial.number for trial in search.finished()}


@pytest.mark.parametrize("name", DEGENERATE)
def test_what_is_drawn_of_a_degenerate_search_is_its_trials(name):
    search = Search.of(DEGENERATE[name]())
    space = charts.whole_space(search, influences(search))
    for chart in [*charts.overview(search), *space, *charts.slices(search, ["x"])]:
        assert {*drawn_of(chart)} <= {trial.number for trial in search.trials}
        assert {*drawn_of(chart)}, chart.title


def test_a_training_that_paused_after_an_epoch_is_one_curve():
    def part(epochs, past):
        values = {"tuner/trial_id": f"{past:04d}"} if past is not None else {}
        curve = {epoch: 1 / (1 + epoch) for epoch in epochs}
        return trial(min(curve.values()), intermediate_values=curve, user_attrs={"values": values})

    parts = [part([0], None), part([0], None), part([1], 1), part([2, 3], 2)]
    _, curves, *_ = charts.overview(Search.of(study_of(parts)))
    assert (curves.title, {*drawn_of(curves)}) == ("Learning curves", {0, 1, 2, 3})


def test_those_who_cannot_see_a_figure_are_told_what_it_shows():
    [history, *_] = charts.overview(Search.of(searched(20)))
    root = ElementTree.fromstring(history.svg)
    assert (root.get("role"), root.get("aria-label")) == ("img", "Optimization history")
    assert root.find("desc").text.startswith("val_accuracy, higher is better by trial. best so far")
    assert "20 trials" not in history.svg and "complete" in "".join(root.itertext())


def test_of_many_trials_the_best_and_some_of_the_others_are_drawn():
    search = Search.of(searched(3000, epochs=2))
    history, curves, _ = charts.overview(search)
    assert history.aside.endswith(f"; {len(search.thinned(1000).trials):,} of 3,000 trials")
    assert len({*drawn_of(history)}) == pytest.approx(1000, abs=20)
    ranked = sorted(search.finished(), key=search.value, reverse=True)
    assert {trial.number for trial in ranked[:500]} <= {*drawn_of(history)}
    assert len({*drawn_of(curves)}) == pytest.approx(150, abs=20)


def test_names_are_never_markup():
    page = render(hostile_study())
    assert "<img" not in page
    assert page.count("<script") == 2
    assert HOSTILE in json.dumps(data_of(page)["columns"]).encode().decode("unicode_escape")


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_searches_have_a_page(name):
    page = render(DEGENERATE[name]())
    words = words_of(page)
    data_of(page)
    expected = {
        "empty": "No trial has been begun yet",
        "failed": "All trials failed (3)",
        "failed with tracebacks": "ValueError: no",
        "running": "1 trial still running",
        "one": "how much of its score is chance is not known",
        "constant": "All trials reached the same value",
        "infinite": "No trial has been completed with a finite score",
        "constraints broken": "No completed trial keeps the constraints",
        "two objectives": "No other is better in everything",
    }
    assert expected.get(name, "trial") in words


def test_the_page_of_a_folder_lies_in_it(tmp_path):
    class Parabola(kt_hpo.RandomSearch):
        def run_trial(self, trial):
            return trial.hyperparameters.Float("x", -1, 1) ** 2

    tuner = Parabola(directory=tmp_path, project_name="p", max_trials=12, seed=0)
    tuner.search(verbose=0)
    path = kt_hpo.report(tmp_path / "p")
    assert path == tmp_path / "p" / "report.html"
    assert kt_hpo.report(tuner) == path
    words = words_of(path.read_text())
    assert 'hp.Float("x", -1.0, 1.0)' in words
    assert "Parabola" in words and "keras-tuner" in words
    assert str(tmp_path) not in words


def test_a_notebook_shows_a_link_and_the_page(tmp_path, monkeypatch):
    path = kt_hpo.report(searched(12), tmp_path / "a<b.html")
    assert isinstance(path, Path) and path == tmp_path / "a<b.html"
    assert pickle.loads(pickle.dumps(path)) == path and path.with_suffix(".pdf").suffix == ".pdf"
    shown = path._repr_html_()
    assert path.as_uri() in html.unescape(shown) and "a<b" not in shown
    [page] = re.findall(r'srcdoc="([^"]*)"', shown)
    assert html.unescape(page) == path.read_text()
    assert 'sandbox="allow-scripts"' in shown
    monkeypatch.setattr("kt_hpo.reports.page.MAX_FRAMED", 10)
    assert "iframe" not in path._repr_html_()
    assert path.parent._repr_html_() == f"<code>{tmp_path}</code>"


def test_something_else_is_refused(tmp_path):
    with pytest.raises(TypeError, match="tuner"):
        kt_hpo.report(3)
    with pytest.raises(FileNotFoundError, match="no search"):
        kt_hpo.report(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_report_changes_nothing_in_the_study():
    study = searched(30)
    before = [trial.user_attrs for trial in study.get_trials()], dict(study.user_attrs)
    render(study)
    assert ([trial.user_attrs for trial in study.get_trials()], study.user_attrs) == before
    assert optuna.get_all_study_names(study._storage) == ["demo"]


def level_study():
    """Three of twelve trials have the same score; the range is tried in its lower half only."""
    kinds = {
        "layers=[2|3|4]/units": FloatDistribution(0, 1),
        "kind": CategoricalDistribution(["a", "b", "c"]),
    }
    return study_of(
        [
            create_trial(
                value=min(i, 9) / 10,
                params={"layers=[2|3|4]/units": i / 24, "kind": "ab"[i % 2]},
                distributions=kinds,
                user_attrs={"parameters": 100 + i},
            )
            for i in range(12)
        ],
        ["val_my_score"],
        direction="maximize",
    )


def section(page, name):
    found = re.search(rf'<section id="{name}">(.*?)</section>', page, re.S)
    return words_of(found[1]) if found else ""


def test_trials_level_with_the_best_are_listed_with_what_differs():
    page = render(level_study())
    said = section(page, "level")
    assert "2 other trials have the same val_my_score" in said
    assert re.findall(r"\b(9|10|11) 0\.9 10[9]|11[01]", said) and "109" in said and "111" in said
    assert "units" in said and "layers" not in said
    assert not section(render(searched(30)), "level")


def test_what_was_not_tried_is_told():
    said = section(render(level_study()), "untried")
    assert "kind c" in said
    assert "units between 0.4583 and 1, 54% of the range" in said
    assert not section(render(searched(60)), "untried")


def test_importances_say_which_values_are_better():
    random = np.random.default_rng(0)
    kinds = {n: FloatDistribution(0, 1) for n in ("up", "down", "middle", "idle")}
    kinds["kind"] = CategoricalDistribution(["bad", "good"])
    trials = []
    for number in range(300):
        values = {name: float(random.uniform()) for name in kinds if name != "kind"}
        values["kind"] = ["bad", "good"][number % 2]
        score = values["up"] - values["down"] - 4 * (values["middle"] - 0.6) ** 2
        score += 0.7 * (values["kind"] == "good")
        trials.append(create_trial(value=score, params=values, distributions=kinds))
    search = Search.of(study_of(trials, direction="maximize"))
    said = effects(search, influences(search))
    assert said["up"].startswith("more is better (correlation +0.")
    assert said["down"].startswith("less is better (correlation -0.")
    assert 0.5 < float(said["middle"].removeprefix("best near ")) < 0.7
    assert said["kind"] == "best median: good"
    assert "idle" not in said


def test_long_names_break_at_underscores():
    page = render(level_study())
    assert broken(0.5) == "0.5"
    assert broken("a_long.name/of<b") == "a_<wbr>long.<wbr>name/<wbr>of&lt;b"
    assert "layers=[" not in page.split('id="code"')[0]


@pytest.mark.slow
def test_ten_thousand_trials_take_seconds_and_few_megabytes():
    study = searched(10_000, epochs=10)
    started = time.process_time()
    page = render(study)
    assert time.process_time() - started < 15
    assert len(page) < 5e6
    assert len(data_of(page)["rows"]) == 10_000


def test_what_is_left_out_of_the_table_are_the_worst(monkeypatch):
    monkeypatch.setattr("kt_hpo.reports.trials.MAX_CELLS", 0)
    study = searched(150)
    page = render(study)
    scores = [row[2] for row in data_of(page)["rows"]]
    every = sorted((t.value for t in study.trials if t.value is not None), reverse=True)
    assert len(scores) == 100
    assert min(scores) == pytest.approx(every[99], rel=1e-5)
    assert "50 trials with the worst scores are left out" in words_of(page)


def test_a_page_shows_a_study_as_it_was_when_it_was_begun():
    study = optuna.create_study()
    study.add_trial(optuna.create_trial(value=1.0))
    running = study.ask()
    then = _as_now(study)
    study.set_user_attr("finished", True)
    running.report(0.5, 0)
    study.tell(running, 0.5)
    study.ask()
    assert [trial.state.name for trial in then.trials] == ["COMPLETE", "RUNNING"]
    assert (then.trials[1].intermediate_values, then.user_attrs) == ({}, {})
    assert (then.best_value, then.study_name) == (1.0, study.study_name)
