"""Grid search: each combination once, however many trials are open and in which order they end."""

import random
from collections import Counter

import pytest
from conformance.searches import OBJECTIVE, end, opened, own
from keras_tuner.engine.trial import TrialStatus
from kt_hpo.oracles import GridSearchOracle

from kt_hpo.space.hyperparameters import HyperParameters


def grid(folder, known=None, **arguments):
    oracle = GridSearchOracle(objective=OBJECTIVE, hyperparameters=known, **arguments)
    return opened(oracle, folder)


def scoped(hp):
    if hp.Boolean("deep"):
        with hp.conditional_scope("deep", [True]):
            hp.Choice("layers", [2, 3, 4])
    else:
        with hp.conditional_scope("deep", [False]):
            hp.Choice("units", [8, 16, 32])
    hp.Int("rate", 1, 2)


def branches(hp):
    """The same without scopes: each branch has what only it asks for."""
    hp.Choice("layers", [2, 3, 4]) if hp.Boolean("deep") else hp.Choice("units", [8, 16, 32])


def late(hp):
    """What is asked for last decides what else is asked for."""
    for number in range(hp.Int("layers", 1, 3)):
        hp.Boolean(f"bias_{number}")


def combinations(oracle):
    return Counter(
        tuple(sorted(own(trial.hyperparameters.values).items())) for trial in oracle.trials.values()
    )


def drive(oracle, ask, open_at_once, seed):
    """Begins and ends trials in any order; what they ask for they ask at their end, or before."""
    stream, begun = random.Random(seed), {}
    while True:
        free = sorted({f"tuner{place}" for place in range(open_at_once)} - begun.keys())
        if free and stream.random() < 0.6:
            trial = oracle.create_trial(free[0])
            if trial.status == TrialStatus.STOPPED:
                assert not begun
                return
            if trial.status == TrialStatus.RUNNING:
                begun[free[0]] = trial
            assert begun, "it waits for nobody"
        elif begun:
            trial = begun.pop(stream.choice(sorted(begun)))
            ask(trial.hyperparameters)
            if stream.random() < 0.5:
                oracle.update_space(trial.hyperparameters)
            end(oracle, trial, stream.random())


@pytest.mark.parametrize("ask, count", [(scoped, 12), (branches, 12), (late, 14)])
@pytest.mark.parametrize("open_at_once, seed", [(1, 0), (2, 1), (3, 2), (8, 3)])
def test_every_combination_is_tried_once(ask, count, open_at_once, seed, tmp_path):
    oracle = grid(tmp_path)
    drive(oracle, ask, open_at_once, seed)
    found = combinations(oracle)
    assert set(found.values()) == {1}
    assert len(found) == count


def test_a_grid_of_loops_has_all_models(tmp_path):
    """1 to 3 layers, each with or without bias: 2 + 4 + 8 models."""
    oracle = grid(tmp_path)
    drive(oracle, late, 1, 0)
    asked = {
        tuple(values[f"bias_{number}"] for number in range(values["layers"]))
        for values in map(dict, combinations(oracle))
    }
    assert len(asked) == 14


def test_a_new_hyperparameter_is_waited_for_only_where_it_matters(tmp_path):
    """Trial 1 may or may not ask for what trial 0 was the first to ask for."""
    oracle = grid(tmp_path)
    known = oracle.get_space()
    known.Boolean("deep")
    oracle.update_space(known)
    first, second = (oracle.create_trial(name) for name in "ab")
    assert oracle.create_trial("c").status == TrialStatus.IDLE
    first.hyperparameters.Boolean("bias")
    end(oracle, first, 1.0)
    third = oracle.create_trial("c")
    assert own(third.hyperparameters.values) == {"deep": False, "bias": True}
    assert oracle.create_trial("d").status == TrialStatus.IDLE, "trial 1 decides what is new"
    end(oracle, second, 1.0)  # It asked for no bias, so that another would change nothing.
    assert oracle.create_trial("d").status == TrialStatus.IDLE, "trial 2 may ask for more"
    third.hyperparameters.Boolean("bias")
    end(oracle, third, 1.0)
    assert oracle.create_trial("d").status == TrialStatus.STOPPED


def test_defaults_come_first_and_the_last_changes_fastest(tmp_path):
    known = HyperParameters()
    known.Int("a", 1, 3, default=2)
    known.Choice("b", ["x", "y"])
    oracle = grid(tmp_path, known)
    drive(oracle, lambda hp: None, 1, 0)
    tried = [tuple(own(t.hyperparameters.values).values()) for t in oracle.trials.values()]
    assert tried == [(2, "x"), (2, "y"), (1, "x"), (1, "y"), (3, "x"), (3, "y")]


@pytest.mark.parametrize("stop", range(1, 12, 3))
def test_a_grid_goes_on_where_it_stopped(stop, tmp_path):
    whole = grid(tmp_path / "whole")
    drive(whole, scoped, 1, 0)
    oracle = grid(tmp_path / "parts")
    for _ in range(stop):
        trial = oracle.create_trial("tuner0")
        scoped(trial.hyperparameters)
        end(oracle, trial, 1.0)
    again = grid(tmp_path / "parts")
    drive(again, scoped, 2, stop)
    assert combinations(again) == combinations(whole)


def test_a_failed_trial_is_not_tried_under_another_number(tmp_path):
    known = HyperParameters()
    known.Boolean("a")
    oracle = grid(tmp_path, known, max_retries_per_trial=1)
    for _ in range(2):
        trial = oracle.create_trial("tuner0")
        assert own(trial.hyperparameters.values) == {"a": False}
        trial.status, trial.message = TrialStatus.INVALID, "RuntimeError: flaky"
        oracle.end_trial(trial)
    end(oracle, oracle.create_trial("tuner0"), 1.0)
    assert oracle.create_trial("tuner0").status == TrialStatus.STOPPED
    assert [trial.status for trial in oracle.trials.values()] == ["FAILED", "COMPLETED"]
