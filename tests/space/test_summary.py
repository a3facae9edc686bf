"""A search space as a table."""

import re

import keras_tuner
import pytest
from hypothesis import given
from strategies import spaces

import kt_hpo
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.space.summary import as_html, as_text


@pytest.fixture
def hp():
    hp = HyperParameters()
    hp.Int("layers", 1, 4)
    with hp.conditional_scope("layers", [2, 3, 4]):
        hp.Float("dropout", 0, 0.5, step=0.1)
    hp.Choice("<kind>", ["a", "b"])
    hp.Fixed("epochs", 20)
    return hp


def test_the_text_has_a_line_each_with_keras_tuners_words(hp):
    written = [" ".join(line.split()) for line in as_text(hp).splitlines()]
    assert written == [
        "layers (Int) from 1 to 4 default 1",
        "dropout (Float) from 0.0 to 0.5 in steps of 0.1 default 0 layers = 2 to 4",
        "<kind> (Choice) 'a', 'b' default a",
        "epochs (Fixed) 20 default 20",
    ]


def test_html_shows_the_values_and_quiets_what_is_not_asked_for(hp):
    html = as_html(hp)
    assert "&lt;kind&gt;" in html and "<kind>" not in html
    assert "asked for" in html and "if layers = 2 to 4" in html
    rows = html.split("<tr ")[1:]
    assert "opacity" in next(row for row in rows if "dropout" in row)
    hp.values["layers"] = 3
    hp.values["dropout"] = 0.2
    row = next(row for row in hp._repr_html_().split("<tr ") if "dropout" in row)
    assert "<b>0.2</b>" in row and "opacity" not in row


@given(spaces())
def test_every_space_has_both(space):
    assert len(as_text(space).splitlines()) == len(space.space)
    assert as_html(space).count("<tr ") == len(space.space)


def test_a_space_of_plain_keras_tuner_and_an_empty_one():
    plain = keras_tuner.HyperParameters()
    assert as_text(plain) == "" and "without" in as_html(plain)
    plain.Float("rate", 1e-4, 1e-1, sampling="log")
    written = " ".join(as_text(plain).split())
    assert written == "rate (Float) from 0.0001 to 0.1, log default 0.0001"
    assert "asked for" not in as_html(plain), "No hyperparameter is under a condition."


def test_a_tuner_shows_its_space_before_and_its_best_trials_after(tmp_path, capsys):
    class Parabola(kt_hpo.RandomSearch):
        def run_trial(self, trial):
            return trial.hyperparameters.Float("<x>", -1, 1) ** 2

    tuner = Parabola(directory=tmp_path, project_name="p", max_trials=3, seed=0)
    assert "no trial yet" in tuner._repr_html_()
    tuner.search(verbose=0)
    html = tuner._repr_html_()
    assert "Parabola p" in html and "3 complete" in html
    # A column a trial, so that no hyperparameter is hidden however many there are.
    heads = re.findall("<th>(.*?)</th>", html)
    assert heads[0] == "trial" and sorted(heads[1:4]) == ["0", "1", "2"]
    assert "&lt;x&gt;" in heads and "<x>" not in html
    tuner.search_space_summary()
    first, second, line = capsys.readouterr().out.splitlines()
    assert (first, second) == ("Search space summary", "Default search space size: 1")
    assert line.startswith("<x> (Float)  from -1.0 to 1.0")
