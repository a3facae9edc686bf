"""Hyperopt's algorithms, beyond the contract of every engine."""

import functools
import sys
import warnings

import hyperopt
import keras_tuner
import numpy as np
import optuna
import pytest
from conformance.searches import OBJECTIVE, conditional_space, end, opened, run
from hypothesis import given
from hypothesis import strategies as st
from keras_tuner.engine.trial import TrialStatus
from kt_hpo.oracles import HyperoptSearchOracle
from models import blobs, build, eager
from strategies import spaces

import kt_hpo
from kt_hpo.engines.hyperopt_search import from_numbers, to_hyperopt, to_numbers
from kt_hpo.engines.proposals import recent_trials
from kt_hpo.engines.proposals.observations import dimensions
from kt_hpo.space import domain
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.space.scopes import is_active


def drawn(hps, seed):
    """What Hyperopt itself draws from a space."""
    domain = hyperopt.base.Domain(None, [0, *to_hyperopt(hps)])
    (document,) = hyperopt.rand.suggest([0], domain, hyperopt.Trials(), seed)
    values = document["misc"]["vals"]
    return {name: each[0] for name, each in values.items() if len(each)}


@given(spaces(), st.integers(0, 2**31))
def test_values_come_back_from_hyperopts_numbers(hps, seed):
    values = domain.draw(hps, np.random.default_rng(seed))
    back = from_numbers(hps, to_numbers(hps, values))
    assert list(back) == list(values)
    for name, value in values.items():
        assert type(back[name]) is type(value)
        assert back[name] == (pytest.approx(value, rel=1e-5) if type(value) is float else value)


@given(spaces(), st.integers(0, 2**31))
def test_hyperopt_draws_exactly_what_is_active(hps, seed):
    numbers = drawn(hps, seed)
    values = from_numbers(hps, numbers)
    assert set(numbers) == {
        name for hp, name in dimensions(hps) if hp.name in values and is_active(hp, values)
    }
    domain.check_values(hps, values)


def test_choices_of_one_name_in_two_scopes_stay_apart():
    hp = HyperParameters()
    hp.Choice("model", ["mlp", "cnn"])
    with hp.conditional_scope("model", ["mlp"]):
        hp.Choice("norm", ["none", "layer"])
        with hp.conditional_scope("norm", ["layer"]):
            hp.Float("epsilon", 0.0, 1.0)
    with hp.conditional_scope("model", ["cnn"]):
        hp.Choice("norm", ["batch", "group", "layer"])
        with hp.conditional_scope("norm", ["group", "layer"]):
            hp.Int("groups", 2, 8)
    found = [from_numbers(hp, drawn(hp, seed)) for seed in range(100)]
    for values in found:
        mlp = values["model"] == "mlp"
        assert ("epsilon" in values) == (mlp and values["norm"] == "layer")
        assert ("groups" in values) == (not mlp and values["norm"] != "batch")
    assert len({(values["model"], values["norm"]) for values in found}) == 5
    assert len({values["groups"] for values in found if "groups" in values}) == 7


def test_what_hangs_on_a_number_is_drawn_and_used_where_it_is_active(tmp_path):
    hp = HyperParameters()
    hp.Int("layers", 1, 3)
    for layer in (2, 3):
        with hp.conditional_scope("layers", list(range(layer, 4))):
            hp.Int(f"units{layer}", 1, 64)
    oracle = HyperoptSearchOracle(OBJECTIVE, 40, seed=0, hyperparameters=hp)
    found = run(opened(oracle, tmp_path), measure=lambda values: -values.get("units3", 0))
    for values in found:
        assert ("units2" in values) == (values["layers"] >= 2)
        assert ("units3" in values) == (values["layers"] == 3)
    late = [values.get("units3", 0) for values in found[20:]]
    assert np.median(late) > 45


class Growing(kt_hpo.HyperoptSearch):
    """`y` is first met while a trial with a positive `x` runs."""

    def run_trial(self, trial):
        x = trial.hyperparameters.Float("x", -1, 1)
        if x <= 0:
            return 2.0 - x
        return (trial.hyperparameters.Float("y", -1, 1) - 0.5) ** 2


def test_a_hyperparameter_met_later_is_searched_too(tmp_path):
    memory = optuna.storages.InMemoryStorage()
    tuner = Growing(max_trials=50, seed=1, directory=tmp_path, storage=memory)
    tuner.search(verbose=0)
    assert len({trial.params["y"] for trial in tuner.study.trials if "y" in trial.params}) > 25
    assert tuner.study.best_value < 0.01


def test_the_highest_is_found_too(tmp_path):
    hp = HyperParameters()
    hp.Float("x", 0.0, 1.0)
    objective = keras_tuner.Objective("score", "max")
    oracle = HyperoptSearchOracle(objective, 40, "anneal", seed=0, hyperparameters=hp)
    found = run(opened(oracle, tmp_path), measure=lambda values: values["x"])
    assert np.mean([values["x"] for values in found[20:]]) > 0.75


@pytest.fixture
def few_are_recent(monkeypatch):
    monkeypatch.setattr(recent_trials, "BLOCK", 25)
    monkeypatch.setattr(recent_trials, "BEST", 10)


def losses_of_a_search(folder):
    tuner = Growing(max_trials=140, seed=0, directory=folder)
    tuner.search(verbose=0)
    return [trial.value for trial in tuner.study.trials]


@pytest.mark.slow
def test_a_long_search_goes_on_as_one_that_sees_all(tmp_path, monkeypatch):
    every = losses_of_a_search(tmp_path / "every")
    monkeypatch.setattr(recent_trials, "BLOCK", 35)
    some = losses_of_a_search(tmp_path / "some")
    assert some[:70] == every[:70]
    assert np.median(some[70:]) < 0.7 * np.median(some[:20])
    assert np.median(some[70:]) < 1.6 * np.median(every[70:])


@pytest.mark.usefixtures("few_are_recent")
def test_a_long_search_is_told_of_the_latest_and_the_best_and_takes_as_many_for_good(tmp_path):
    oracle = HyperoptSearchOracle(OBJECTIVE, 99, seed=0, hyperparameters=conditional_space())
    opened(oracle, tmp_path)
    run(oracle, 83)
    told, options = oracle._told()
    assert [int(trial.trial_id) for trial in told[10:]] == list(range(50, 83))
    best = sorted(list(oracle.trials.values())[:50], key=lambda trial: trial.score)[:10]
    assert told[:10] == sorted(best, key=lambda trial: int(trial.trial_id))
    assert options["gamma"] * len(told) ** 0.5 == pytest.approx(0.25 * 83**0.5)


@pytest.mark.usefixtures("few_are_recent")
def test_a_long_search_that_goes_on_is_told_of_the_same(tmp_path):
    def opened_again():
        oracle = HyperoptSearchOracle(OBJECTIVE, 99, seed=0, hyperparameters=conditional_space())
        return opened(oracle, tmp_path)

    oracle = opened_again()
    run(oracle, 83)
    assert oracle._ask() == opened_again()._ask()


def test_trials_that_end_in_another_order_or_fail_are_told_as_to_a_search_that_goes_on(tmp_path):
    def opened_again():
        oracle = HyperoptSearchOracle(
            OBJECTIVE, 99, seed=0, hyperparameters=conditional_space(), max_retries_per_trial=0
        )
        return opened(oracle, tmp_path)

    oracle = opened_again()
    run(oracle, 25)
    first, second, third = (oracle.create_trial(name) for name in "abc")
    end(oracle, third, 0.5)
    oracle.create_trial("d")
    second.status, second.message = TrialStatus.FAILED, "Traceback\nRuntimeError: no"
    oracle.end_trial(second)
    end(oracle, first, 0.25)
    end(oracle, oracle.ongoing_trials["d"], 3.0)
    assert oracle._ask() == opened_again()._ask()


def test_a_function_of_hyperopts_is_taken(tmp_path):
    short = functools.partial(hyperopt.tpe.suggest, n_startup_jobs=5)
    found = {}
    for algorithm in ("tpe", short):
        oracle = HyperoptSearchOracle(
            OBJECTIVE, 8, algorithm, seed=0, hyperparameters=conditional_space()
        )
        found[algorithm] = run(opened(oracle, tmp_path / str(len(found))))
    assert found["tpe"][:5] == found[short][:5]
    assert found["tpe"][5:] != found[short][5:]


def test_nothing_is_said(tmp_path, capfd):
    hps = conditional_space()
    oracle = HyperoptSearchOracle(OBJECTIVE, 24, seed=0, hyperparameters=hps)
    opened(oracle, tmp_path)
    with warnings.catch_warnings(action="error"):
        run(oracle)
    assert capfd.readouterr() == ("", "")


def test_a_space_without_choice_is_one_trial(tmp_path):
    hp = HyperParameters()
    hp.Fixed("units", 8)
    oracle = HyperoptSearchOracle(OBJECTIVE, 24, seed=0, hyperparameters=hp)
    assert run(opened(oracle, tmp_path)) == [{"units": 8}]


def test_models_are_searched(tmp_path):
    x, y = blobs()
    tuner = kt_hpo.HyperoptSearch(eager, "val_accuracy", 2, seed=0, directory=tmp_path)
    tuner.search(x, y, validation_split=0.25, batch_size=200, verbose=0)
    assert [trial.state.name for trial in tuner.study.trials] == ["COMPLETE"] * 2


def test_an_unknown_algorithm_is_refused():
    with pytest.raises(ValueError, match=r"'bayes' is not one of tpe, anneal, random"):
        kt_hpo.HyperoptSearch(build, "val_loss", algorithm="bayes")


def test_without_hyperopt_the_install_line_is_said(monkeypatch):
    for module in [name for name in sys.modules if name.split(".")[0] == "hyperopt"]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r'pip install "kt-hpo\[hyperopt\]'):
        kt_hpo.HyperoptSearch(build, "val_loss")
