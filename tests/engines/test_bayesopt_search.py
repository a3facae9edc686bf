"""Searches with `bayesian-optimization`, beyond the contract of every engine."""

import math
import sys
import warnings
from typing import ClassVar

import bayes_opt.acquisition
import keras_tuner
import numpy as np
import pytest
from conformance.searches import OBJECTIVE, conditional_space, opened, run
from hypothesis import given
from hypothesis import strategies as st
from kt_hpo.oracles import BayesOptSearchOracle
from models import blobs, build, eager
from scipy.optimize import NonlinearConstraint
from strategies import spaces

import kt_hpo
from kt_hpo.space import domain
from kt_hpo.space.hyperparameters import HyperParameters


def square():
    hp = HyperParameters()
    hp.Float("x", 0.0, 1.0)
    hp.Float("rate", 1e-4, 1.0, sampling="log")
    return hp


def bowl(values):
    return (values["x"] - 0.3) ** 2 + (math.log10(values["rate"]) / 4 + 0.6) ** 2


def searched(folder, max_trials=14, measure=bowl, hyperparameters=None, **options):
    options = {"seed": 0} | options
    hyperparameters = hyperparameters or square()
    oracle = BayesOptSearchOracle(OBJECTIVE, max_trials, hyperparameters=hyperparameters, **options)
    run(opened(oracle, folder), measure=measure)
    return oracle


def values_of(oracle):
    return [trial.hyperparameters.values for trial in oracle.trials.values()]


@given(spaces(), st.integers(0, 2**31))
def test_values_come_back_from_parameters(hps, seed):
    oracle = BayesOptSearchOracle(OBJECTIVE, hyperparameters=hps)
    values = domain.draw(hps, np.random.default_rng(seed))
    back = oracle._from_parameters(oracle._to_parameters(values))
    assert list(back) == list(values)
    for name, value in values.items():
        assert type(back[name]) is type(value)
        assert back[name] == (pytest.approx(value, rel=1e-5) if type(value) is float else value)


@pytest.mark.parametrize("acquisition", ["ei", "ucb", "poi"])
def test_each_acquisition_gets_better_than_its_random_beginning(acquisition, tmp_path):
    oracle = searched(tmp_path, acquisition=acquisition)
    losses = [bowl(values) for values in values_of(oracle)]
    assert min(losses[6:]) < min(losses[:6]) / 4


def test_the_scale_of_the_objective_changes_nothing(tmp_path):
    tiny = searched(tmp_path / "tiny", 9, measure=lambda values: 2**-20 * bowl(values) - 3)
    large = searched(tmp_path / "large", 9, measure=lambda values: 2**20 * bowl(values))
    for one, other in zip(values_of(tiny), values_of(large), strict=True):
        assert one == pytest.approx(other, rel=0.05, abs=0.02)


def test_the_best_choice_is_found(tmp_path):
    hp = square()
    hp.Choice("kind", ["a", "b", "c"])
    oracle = searched(
        tmp_path,
        hyperparameters=hp,
        measure=lambda values: bowl(values) + {"a": 1.0, "b": 0.5, "c": 0.0}[values["kind"]],
    )
    assert [values["kind"] for values in values_of(oracle)[8:]].count("c") >= 5


def test_the_model_knows_which_whole_numbers_were_tried(tmp_path):
    class Watched(BayesOptSearchOracle):
        repeated: ClassVar[list[bool]] = []

        def _propose(self, seen):
            values = super()._propose(seen)
            self.repeated.append(values in [observation.values for observation in seen])
            return values

    hp = HyperParameters()
    hp.Int("x", 0, 6)
    hp.Int("y", 0, 6)
    oracle = Watched(OBJECTIVE, 25, seed=0, hyperparameters=hp)
    run(
        opened(oracle, tmp_path),
        measure=lambda values: (values["x"] - 2) ** 2 + (values["y"] - 4) ** 2,
    )
    assert len(oracle.repeated) == 20
    assert sum(oracle.repeated) <= 4
    assert oracle.get_best_trials(1)[0].score == 0


def test_five_trials_are_random_at_first(tmp_path):
    drawn = searched(tmp_path / "random", 6, num_initial_points=100)
    ours = searched(tmp_path / "ours", 6)
    assert values_of(ours)[:5] == values_of(drawn)[:5]
    assert values_of(ours)[5] != values_of(drawn)[5]


def test_exploration_decays_and_an_interruption_changes_nothing(tmp_path):
    acquisition = bayes_opt.acquisition.UpperConfidenceBound(kappa=5.0, exploration_decay=0.5)
    options = {"acquisition": acquisition, "num_initial_points": 3}
    whole = values_of(searched(tmp_path / "whole", 8, **options))
    searched(tmp_path / "parts", 5, **options)
    assert values_of(searched(tmp_path / "parts", 8, **options)) == whole
    assert acquisition.kappa == 5.0
    steady = bayes_opt.acquisition.UpperConfidenceBound(kappa=5.0)
    options["acquisition"] = steady
    assert values_of(searched(tmp_path / "steady", 8, **options)) != whole


def test_trials_side_by_side_spread_out(tmp_path):
    oracle = BayesOptSearchOracle(
        OBJECTIVE, 20, num_initial_points=6, seed=0, hyperparameters=square()
    )
    run(opened(oracle, tmp_path), 8, measure=bowl)
    trials = [oracle.create_trial(f"tuner{place}") for place in range(3)]
    x, rate = ([trial.hyperparameters.values[name] for trial in trials] for name in ("x", "rate"))
    points = np.column_stack([x, np.log10(rate) / 4])
    apart = [np.linalg.norm(points[i] - points[j]) for i in range(3) for j in range(i)]
    assert min(apart) > 0.05


def test_an_infinite_loss_is_a_bad_one(tmp_path):
    oracle = searched(
        tmp_path, measure=lambda values: math.inf if values["x"] > 0.7 else bowl(values)
    )
    late = values_of(oracle)[6:]
    assert any(values["x"] > 0.7 for values in values_of(oracle)[:6])
    assert [values["x"] > 0.7 for values in late].count(True) <= 1
    assert oracle.get_best_trials(1)[0].score < 0.01


def test_a_constraint_is_never_broken_and_its_boundary_reached(tmp_path):
    hp = HyperParameters()
    hp.Int("units", 1, 100)
    hp.Int("layers", 1, 10)
    seen = []

    def weights(units, layers):
        seen.append((units, layers))
        return units * layers

    oracle = searched(
        tmp_path,
        hyperparameters=hp,
        constraint=NonlinearConstraint(weights, 20, 200),
        measure=lambda values: -values["units"] * values["layers"],
    )
    products = [values["units"] * values["layers"] for values in values_of(oracle)]
    assert all(20 <= product <= 200 for product in products)
    assert max(products) > 185
    assert any(units * layers > 200 for units, layers in seen)


@pytest.mark.slow
def test_a_constraint_of_several_numbers_sees_every_hyperparameter(tmp_path):
    def sizes(units, dropout, rate, **others):
        assert set(others) == {"model", "pooling"}
        return np.array([units, dropout + rate])

    oracle = searched(
        tmp_path,
        9,
        hyperparameters=conditional_space(),
        constraint=NonlinearConstraint(sizes, [16, 0.0], [40, 0.31]),
        measure=lambda values: values["rate"],
    )
    assert {values["model"] for values in values_of(oracle)} == {"mlp", "cnn"}
    for values in values_of(oracle):
        assert 16 <= values.get("units", 16) <= 40
        assert values.get("dropout", 0.0) + values["rate"] <= 0.31


def test_a_constraint_nothing_keeps_to_ends_the_search(tmp_path):
    constraint = NonlinearConstraint(lambda x, rate: x, 2.0, 3.0)
    assert values_of(searched(tmp_path, constraint=constraint)) == []


def test_nothing_is_said(tmp_path, capfd):
    hps = conditional_space()
    oracle = BayesOptSearchOracle(OBJECTIVE, 6, num_initial_points=4, seed=0, hyperparameters=hps)
    opened(oracle, tmp_path)
    with warnings.catch_warnings(action="error"):
        run(oracle)
    assert capfd.readouterr() == ("", "")


def test_a_space_without_choice_is_one_trial(tmp_path):
    hp = HyperParameters()
    hp.Fixed("units", 8)
    oracle = searched(tmp_path, hyperparameters=hp, measure=lambda values: 1.0)
    assert values_of(oracle) == [{"units": 8}]


@pytest.mark.slow
def test_models_are_searched(tmp_path):
    x, y = blobs()
    tuner = kt_hpo.BayesOptSearch(
        eager, "val_accuracy", 3, num_initial_points=2, seed=0, directory=tmp_path
    )
    tuner.search(x, y, validation_split=0.25, batch_size=200, verbose=0)
    assert [trial.state.name for trial in tuner.study.trials] == ["COMPLETE"] * 3


BOX = NonlinearConstraint(lambda x: x, 0, 1)
EI = bayes_opt.acquisition.ExpectedImprovement(xi=0.1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"acquisition": "pi"}, ValueError, "'pi' is not one of ei, ucb, poi"),
        ({"acquisition": 3}, TypeError, "acquisition=3 is neither"),
        ({"acquisition": bayes_opt.acquisition.GPHedge([EI])}, ValueError, "GPHedge"),
        ({"acquisition": bayes_opt.acquisition.ConstantLiar(EI)}, ValueError, "ConstantLiar"),
        ({"acquisition": "ucb", "constraint": BOX}, ValueError, 'acquisition="ei"'),
        ({"constraint": "x < 1"}, TypeError, "NonlinearConstraint"),
        ({"num_initial_points": 0}, ValueError, "num_initial_points=0"),
    ],
)
def test_a_mistake_is_said_at_once(options, error, message):
    with pytest.raises(error, match=message):
        kt_hpo.BayesOptSearch(build, keras_tuner.Objective("val_loss", "min"), **options)


def test_without_the_package_the_install_line_is_said(monkeypatch):
    for module in [name for name in sys.modules if name.split(".")[0] == "bayes_opt"]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r'pip install "kt-hpo\[bayesopt\]'):
        kt_hpo.BayesOptSearch(build, "val_loss")
