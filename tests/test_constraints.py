"""What a trial must keep: read, held against trials, and sought."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from models import blobs, build
from searches import FIT, searched

import kt_hpo
from kt_hpo.constraints import make_constraints
from kt_hpo.record import tables

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.from_regex(r"[a-z_][a-z_0-9]{0,8}", fullmatch=True)
SIGNS = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip


@given(NAMES, st.sampled_from(sorted(SIGNS)), NUMBERS, NUMBERS, st.sampled_from(["", " ", "  "]))
def test_a_bound_is_kept_exactly_where_it_holds(name, sign, bound, value, blank):
    [constraint] = make_constraints(f"{blank}{name}{blank}{sign}{blank}{bound!r}{blank}")
    for measured in (
        value,
        bound,
        math.nextafter(bound, math.inf),
        math.nextafter(bound, -math.inf),
    ):
        kept = constraint.violation({name: measured}) <= 0
        assert kept == SIGNS[sign](measured, bound)
    assert constraint.violation({name: math.nan}) == math.inf
    assert make_constraints(constraint.name)[0].name == constraint.name


@given(st.text(max_size=12))
def test_any_other_text_is_refused_with_an_example(text):
    try:
        [constraint] = make_constraints(text)
    except ValueError as error:
        assert "parameters < 1e5" in str(error)
    else:
        name, sign, bound = constraint.name.rsplit(" ", 2)
        assert name and sign in SIGNS and math.isfinite(float(bound))


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        ("parameters", "not understood"),
        ("parameters = 5", "not understood"),
        ("parameters < many", "not understood"),
        ("1e5 > parameters", "not understood"),
        ("0 < x < 1", "not understood"),
        ("x < nan", "not understood"),
        (5, "5 is not allowed"),
        (["x < 1", "x < 1.0"], "Two constraints are called 'x < 1'"),
        ([lambda metrics: 0, lambda metrics: 1], "with def"),
    ],
)
def test_a_wrong_constraint_is_an_early_error(constraint, message, tmp_path):
    with pytest.raises((ValueError, TypeError), match=message):
        kt_hpo.RandomSearch(build, "val_loss", constraint=constraint, directory=tmp_path)


def test_a_constraint_on_what_nobody_measures_is_found_before_any_training(tmp_path):
    tuner = kt_hpo.RandomSearch(build, "val_loss", constraint="paramters < 9", directory=tmp_path)
    with pytest.raises(ValueError, match=r"(?s)'paramters'.*val_accuracy.*parameters"):
        tuner.search(*blobs(), **FIT)
    assert not tuner.study.trials
    tuner = kt_hpo.RandomSearch(
        build, "loss", constraint="val_accuracy > 0.5", directory=tmp_path, project_name="two"
    )
    with pytest.raises(ValueError, match=r"asks for val_accuracy.*validation_split=0.2"):
        tuner.search(*blobs(), epochs=1, verbose=0)


class Line(kt_hpo.RandomSearch):
    """The larger x the better, and the dearer."""

    def run_trial(self, trial, **kwargs):
        x = trial.hyperparameters["x"]
        return {"gain": x, "price": 10 * x}


class InformedLine(kt_hpo.OptunaSearch):
    run_trial = Line.run_trial


def line(directory, kind=Line, constraint="price <= 4", **kwargs):
    space = kt_hpo.HyperParameters()
    space.Float("x", 0, 1)
    tuner = kind(
        objective=kt_hpo.Objective("gain", "max"),
        constraint=constraint,
        hyperparameters=space,
        directory=directory,
        **{"max_trials": 20, "seed": 1, **kwargs},
    )
    tuner.search(verbose=0)
    return tuner


def test_the_best_trials_are_those_that_keep_the_constraints(tmp_path):
    def not_free(metrics):
        return 1 - metrics["price"]

    constraint = ["price <= 4", not_free]
    tuner = line(tmp_path, constraint=constraint)
    gains = sorted((t.value for t in tuner.study.trials if 0.1 <= t.value <= 0.4), reverse=True)
    assert 0 < len(gains) < 20
    assert [trial.score for trial in tuner.oracle.get_best_trials(20)] == gains
    assert [trial.score for trial in tuner.pareto_front()] == gains[:1]
    assert tuner.study.best_value == gains[0]
    for trial in tuner.study.trials:
        assert trial.constraints == pytest.approx(
            {"price <= 4": 10 * trial.value - 4, "not_free": 1 - 10 * trial.value}
        )
    reopened = line(tmp_path, constraint=constraint)
    assert [trial.score for trial in reopened.oracle.get_best_trials(20)] == gains
    with pytest.raises(kt_hpo.RecordError, match="keeps not_free, price <= 4, not price <= 5"):
        line(tmp_path, constraint="price <= 5")


def test_tables_show_violations_only_where_there_are_constraints(tmp_path):
    tuner = line(tmp_path)
    table = tuner.to_dataframe()
    assert list(table["violation"]) == pytest.approx(np.maximum(10 * table["gain"] - 4, 0))
    assert tables.best_trials(tuner.study, 1)["gain"].item() == tuner.study.best_value
    assert "violation" not in line(tmp_path / "free", constraint=None).to_dataframe()


def test_a_search_that_finds_nothing_feasible_says_so(tmp_path, capsys):
    tuner = line(tmp_path, constraint="price < 0")
    assert tuner.oracle.get_best_trials() == tuner.pareto_front() == []
    nearest = min(tuner.study.trials, key=lambda trial: trial.value)
    message = f"None of the 20 .* trial {nearest.number:04d} is nearest and misses 'price < 0'"
    for ask in (tuner.get_best_models, tuner.fit_best):
        with pytest.raises(ValueError, match=message):
            ask()
    tuner.results_summary()
    assert "No trial keeps the constraints" in capsys.readouterr().out


@pytest.mark.parametrize("returned", ["cheap", None])
def test_a_function_that_returns_no_number_ends_the_search(returned, tmp_path):
    def odd(metrics):
        return returned

    with pytest.raises(kt_hpo.errors.FatalError, match="constraint odd returned"):
        line(tmp_path, constraint=odd)


def test_a_metric_that_is_not_there_ends_the_search(tmp_path):
    with pytest.raises(kt_hpo.errors.FatalError, match=r"'cost'.*gain, price"):
        line(tmp_path, constraint="cost < 1")


@pytest.mark.slow
def test_tpe_seeks_what_keeps_the_constraint(tmp_path):
    """In its second half more trials are feasible than at random, over five seeds."""
    shares = {Line: [], InformedLine: []}
    for kind, found in shares.items():
        for seed in range(5):
            tuner = line(
                tmp_path / kind.__name__ / str(seed), kind, "price < 2", max_trials=40, seed=seed
            )
            found.append(np.mean([10 * trial.value < 2 for trial in tuner.study.trials[20:]]))
    assert np.mean(shares[InformedLine]) > np.mean(shares[Line]) + 0.2


def test_past_trials_are_held_against_the_constraints(tmp_path):
    past = line(tmp_path / "past", constraint=None, max_trials=5).study
    tuner = line(tmp_path, InformedLine, max_trials=2, warm_start=past)
    assert [trial.constraints for trial in tuner.study.trials[:5]] == [
        {"price <= 4": pytest.approx(10 * trial.value - 4)} for trial in past.trials
    ]


@pytest.mark.slow
def test_the_best_model_keeps_the_constraint(tmp_path):
    """Of real models: only their weights are kept, and a reopened search knows them too."""
    kwargs = {"constraint": "parameters < 100", "max_trials": 4, "keep_checkpoints": 1, "seed": 0}
    for _ in range(2):
        tuner = searched(tmp_path, fit=FIT | {"epochs": 1}, **kwargs)
        sizes = [trial.user_attrs["metrics"]["parameters"] for trial in tuner.study.trials]
        assert min(sizes) < 100 < max(sizes)
        assert tuner.get_best_models()[0].count_params() < 100
        assert tuner.fit_best(*blobs(), epochs=1).count_params() < 100
        kept = [
            trial.value for trial, size in zip(tuner.study.trials, sizes, strict=True) if size < 100
        ]
        assert tuner.oracle.get_best_trials(1)[0].score == max(kept)
    assert len(list(tmp_path.rglob("checkpoint.weights.h5"))) == 1
