"""What is particular to Keras Tuner's four, and to oracles of a user's own."""

import threading

import keras_tuner
import pytest
from conformance.searches import OBJECTIVE, conditional_space, end, finite_space, opened, run
from keras_tuner.engine.trial import TrialStatus
from kt_hpo.oracles import (
    BayesianOptimizationOracle,
    GridSearchOracle,
    HyperbandOracle,
    RandomSearchOracle,
    RecordedOracle,
    recorded,
)

from kt_hpo.space.hyperparameters import HyperParameters


def test_seeds_share_no_trials():
    searches = []
    for seed in (0, 1, 4, 7, 43):
        oracle = RandomSearchOracle(
            objective=OBJECTIVE, max_trials=100, seed=seed, hyperparameters=conditional_space()
        )
        values = []
        for _ in range(100):
            values.append(oracle._random_values()["rate"])
            oracle.trials[str(len(values))] = None
        searches.append(set(values))
    for one in range(5):
        assert len(searches[one]) == 100
        for other in range(one):
            assert not searches[one] & searches[other]


def test_grid_has_every_combination_once(tmp_path):
    oracle = opened(GridSearchOracle(objective=OBJECTIVE, hyperparameters=finite_space()), tmp_path)
    found = run(oracle)
    expected = [{"model": "mlp", "units": u, "bias": b} for u in (1, 2, 3) for b in (True, False)]
    expected += [
        {"model": "cnn", "pooling": p, "bias": b} for p in (True, False) for b in (True, False)
    ]
    assert sorted(map(str, map(sorted, map(dict.items, found)))) == sorted(
        map(str, map(sorted, map(dict.items, expected)))
    )


def test_a_grid_waits_for_no_trial_that_runs(tmp_path):
    oracle = opened(GridSearchOracle(objective=OBJECTIVE, hyperparameters=finite_space()), tmp_path)
    running = [oracle.create_trial(f"worker {number}") for number in range(10)]
    assert {trial.status for trial in running} == {TrialStatus.RUNNING}
    assert len({str(trial.hyperparameters.values) for trial in running}) == 10
    assert oracle.create_trial("worker 10").status == TrialStatus.IDLE
    for trial in reversed(running):
        end(oracle, trial, 1.0)
    assert oracle.create_trial("worker 0").status == TrialStatus.STOPPED


def hyperband(known):
    return HyperbandOracle(objective=OBJECTIVE, max_epochs=9, hyperparameters=known, seed=0)


def rungs(oracle):
    sizes = {}
    for trial in oracle.trials.values():
        values = trial.hyperparameters.values
        place = (values["tuner/bracket"], values["tuner/round"])
        sizes[place] = sizes.get(place, 0) + 1
    return sizes


@pytest.mark.parametrize("fail", [(), (0, 1, 3), (9, 11)])
def test_hyperbands_rungs_have_the_planned_sizes(fail, tmp_path):
    oracle = HyperbandOracle(
        objective=OBJECTIVE, max_epochs=9, hyperparameters=conditional_space(), seed=0
    )
    run(opened(oracle, tmp_path), fail=set(fail))
    assert rungs(oracle) == {(2, 0): 9, (2, 1): 3, (2, 2): 1, (1, 0): 5, (1, 1): 2, (0, 0): 3}
    assert len(oracle.trials) == oracle.planned_trials


def test_hyperband_promotes_the_best(tmp_path):
    oracle = HyperbandOracle(
        objective=OBJECTIVE, max_epochs=9, hyperparameters=conditional_space(), seed=0
    )
    run(opened(oracle, tmp_path))
    trials = list(oracle.trials.values())
    promoted = {t.hyperparameters.values["tuner/trial_id"] for t in trials[9:12]}
    best = sorted(trials[:9], key=lambda trial: trial.score)[:3]
    assert promoted == {trial.trial_id for trial in best}


def test_hyperband_halves_a_space_that_is_too_small(tmp_path):
    hp = HyperParameters()
    hp.Int("a", 1, 4)
    oracle = hyperband(hp)
    run(opened(oracle, tmp_path))
    assert rungs(oracle)[2, 0] == 4
    assert rungs(oracle)[2, 1] == 2
    assert rungs(oracle)[2, 2] == 1


def test_bayesian_optimization_never_returns_to_a_point(tmp_path):
    hp = HyperParameters()
    hp.Int("a", 1, 12)
    oracle = BayesianOptimizationOracle(
        objective=OBJECTIVE, max_trials=10, num_initial_points=3, hyperparameters=hp, seed=0
    )
    found = [values["a"] for values in run(opened(oracle, tmp_path))]
    assert len(set(found)) == len(found) == 10


def test_bayesian_optimization_proposes_what_keras_tuner_would(tmp_path, monkeypatch):
    hp = HyperParameters()
    for name in "abc":
        hp.Float(name, 0, 1)
    oracle = opened(
        BayesianOptimizationOracle(
            objective=OBJECTIVE, max_trials=15, num_initial_points=6, hyperparameters=hp, seed=0
        ),
        tmp_path,
    )
    run(oracle)
    ours = oracle.populate_space("next")["values"]
    asked = []

    def as_keras_tuner(stream):
        asked.append(stream)
        oracle._random_state = stream
        populate_space = keras_tuner.oracles.BayesianOptimizationOracle.populate_space
        return populate_space(oracle, "next")["values"]

    monkeypatch.setattr(oracle, "_proposal", as_keras_tuner)
    theirs = oracle.populate_space("next")["values"]
    assert asked
    assert ours == pytest.approx(theirs, abs=1e-3)


class Broken(RecordedOracle):
    def populate_space(self, trial_id):
        raise RuntimeError("cannot think")


def test_an_error_in_an_oracle_leaves_no_lock_behind(tmp_path):
    oracle = opened(Broken(objective=OBJECTIVE, max_trials=3), tmp_path)
    with pytest.raises(RuntimeError, match="cannot think"):
        oracle.create_trial("tuner0")
    errors = []

    def another_thread():
        try:
            oracle.create_trial("tuner1")
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=another_thread, daemon=True)
    thread.start()
    thread.join(timeout=10)
    assert errors


class Countdown(keras_tuner.Oracle):
    """As a user of Keras Tuner writes one."""

    def populate_space(self, trial_id):
        return {"status": "RUNNING", "values": {"a": 10 - len(self.trials)}}

    @keras_tuner.synchronized
    def end_trial(self, trial):
        super().end_trial(trial)
        self.ended = trial.trial_id


def test_a_users_own_oracle_is_recorded(tmp_path):
    hp = HyperParameters()
    hp.Int("a", 0, 10)
    oracle = recorded(Countdown(objective=OBJECTIVE, max_trials=3, hyperparameters=hp))
    run(opened(oracle, tmp_path))
    assert [trial.params for trial in oracle.record.trials] == [{"a": 10}, {"a": 9}, {"a": 8}]
    assert oracle.ended == "0002"
    stock = recorded(keras_tuner.oracles.HyperbandOracle(objective=OBJECTIVE))
    assert type(stock) is HyperbandOracle


@pytest.mark.parametrize("max_trials", [0, -1, 2.5])
def test_max_trials_is_checked(max_trials):
    with pytest.raises(ValueError, match="max_trials"):
        RandomSearchOracle(objective=OBJECTIVE, max_trials=max_trials)


def test_three_failures_in_a_row_stop_with_the_first_error(tmp_path):
    oracle = opened(
        RandomSearchOracle(
            objective=OBJECTIVE, max_trials=12, seed=0, hyperparameters=conditional_space()
        ),
        tmp_path,
    )
    with pytest.raises(RuntimeError, match=r"trial 0003:\n\nTraceback\nRuntimeError: no"):
        run(oracle, fail={0, 3, 4, 5})
    assert [trial.state.name for trial in oracle.record.trials].count("FAIL") == 4


def test_a_failed_trial_is_retried_and_the_record_knows(tmp_path):
    hp = HyperParameters()
    hp.Int("a", 0, 10)
    oracle = opened(
        RandomSearchOracle(
            objective=OBJECTIVE, max_trials=1, hyperparameters=hp, max_retries_per_trial=2
        ),
        tmp_path,
    )
    for attempt in (1, 2):
        trial = oracle.create_trial("tuner0")
        trial.status, trial.message = TrialStatus.INVALID, "RuntimeError: flaky"
        oracle.end_trial(trial)
        assert oracle.record.trials[0].user_attrs["attempts"] == attempt
    again = opened(RandomSearchOracle(objective=OBJECTIVE, max_retries_per_trial=2), tmp_path)
    trial = again.create_trial("tuner0")
    trial.status, trial.message = TrialStatus.INVALID, "RuntimeError: flaky"
    again.end_trial(trial)
    assert again.record.trials[0].state.name == "FAIL"


def test_hyperband_keeps_all_busy_while_a_bracket_is_left_to_begin(tmp_path):
    """Four ask, and trials last as long as their epochs: nobody waits before the last bracket."""
    oracle = HyperbandOracle(
        objective=OBJECTIVE, max_epochs=9, seed=0, hyperparameters=conditional_space()
    )
    opened(oracle, tmp_path)
    until, now = {}, 0
    while len(oracle.end_order) < oracle.planned_trials:
        for asker in sorted({f"tuner{place}" for place in range(4)} - until.keys()):
            trial = oracle.create_trial(asker)
            values = trial.hyperparameters.values
            if trial.status == TrialStatus.RUNNING:
                until[asker] = now + values["tuner/epochs"] - values["tuner/initial_epoch"], trial
            else:
                begun = {t.hyperparameters.values["tuner/bracket"] for t in oracle.trials.values()}
                assert begun == {0, 1, 2}, "somebody waits while a bracket could begin"
        asker = min(until, key=lambda asker: until[asker][0])
        now, trial = until.pop(asker)
        end(oracle, trial, int(trial.trial_id) % 7)
