"""What every oracle of the spine promises, without training anything."""

import threading

import keras_tuner
import pytest
from keras_tuner.engine.trial import TrialStatus

from kt_hpo.hyperparameters import HyperParameters
from kt_hpo.oracles import (
    BayesianOptimizationOracle,
    GridSearchOracle,
    HyperbandOracle,
    RandomSearchOracle,
    RecordedOracle,
    recorded,
)


def space():
    hp = HyperParameters()
    hp.Choice("model", ["mlp", "cnn"])
    with hp.conditional_scope("model", ["mlp"]):
        hp.Int("units", 8, 64, step=8)
    with hp.conditional_scope("model", ["cnn"]):
        hp.Float("dropout", 0, 0.5, step=0.1)
        hp.Boolean("pooling")
    hp.Float("rate", 1e-4, 1e-1, sampling="log")
    return hp


def grid_space():
    hp = HyperParameters()
    hp.Choice("model", ["mlp", "cnn"])
    with hp.conditional_scope("model", ["mlp"]):
        hp.Int("units", 1, 3)
    with hp.conditional_scope("model", ["cnn"]):
        hp.Boolean("pooling")
    hp.Choice("bias", [True, False])
    return hp


def score(values):
    return sum(value for value in values.values() if isinstance(value, int | float)) % 7


ORACLES = {
    "random": lambda **kw: RandomSearchOracle(max_trials=12, hyperparameters=space(), **kw),
    "bayesian": lambda **kw: BayesianOptimizationOracle(
        max_trials=8, num_initial_points=5, hyperparameters=space(), **kw
    ),
    "hyperband": lambda **kw: HyperbandOracle(max_epochs=9, hyperparameters=space(), **kw),
    "grid": lambda **kw: GridSearchOracle(hyperparameters=grid_space(), **kw),
}


@pytest.fixture(params=ORACLES)
def engine(request):
    return ORACLES[request.param]


def opened(oracle, folder):
    oracle._set_project_dir(folder, "search")
    oracle.reload()
    return oracle


def run(oracle, trials=None, fail=()):
    """Runs trials as a tuner does, and returns the values of each."""
    count = 0
    while trials is None or count < trials:
        trial = oracle.create_trial("tuner0")
        if trial.status == TrialStatus.STOPPED:
            break
        if int(trial.trial_id) in fail:
            trial.status, trial.message = TrialStatus.FAILED, "Traceback\nRuntimeError: no"
        else:
            oracle.update_trial(trial.trial_id, {"score": score(trial.hyperparameters.values)})
            trial.status = TrialStatus.COMPLETED
        oracle.end_trial(trial)
        count += 1
    return [dict(trial.hyperparameters.values) for trial in oracle.trials.values()]


OBJECTIVE = keras_tuner.Objective("score", "min")


def test_the_same_seed_gives_the_same_trials(engine, tmp_path):
    first = run(opened(engine(objective=OBJECTIVE, seed=3), tmp_path / "a"))
    second = run(opened(engine(objective=OBJECTIVE, seed=3), tmp_path / "b"))
    assert len(first) > 5
    assert first == second


@pytest.mark.parametrize("stop", [1, 6])
def test_an_interrupted_search_goes_on_as_if_it_was_not(engine, stop, tmp_path):
    whole = run(opened(engine(objective=OBJECTIVE, seed=3), tmp_path / "whole"))
    run(opened(engine(objective=OBJECTIVE, seed=3), tmp_path / "parts"), trials=stop)
    interrupted = opened(engine(objective=OBJECTIVE, seed=3), tmp_path / "parts")
    interrupted.create_trial("tuner0")  # Killed while this one runs.
    last = opened(engine(objective=OBJECTIVE, seed=3), tmp_path / "parts")
    assert run(last) == whole
    states = [trial.state.name for trial in last.record.trials]
    assert states == ["COMPLETE"] * len(whole)


def test_everything_is_back_when_a_search_is_opened_again(engine, tmp_path):
    oracle = opened(engine(objective=OBJECTIVE, seed=3), tmp_path)
    run(oracle, fail={2})
    again = opened(engine(objective=OBJECTIVE), tmp_path)
    assert again.seed == 3
    assert again.get_space().get_config() == oracle.get_space().get_config()
    assert again.end_order == oracle.end_order
    for trial_id, trial in oracle.trials.items():
        assert again.trials[trial_id].get_state() == trial.get_state()
    assert again.create_trial("tuner0").status == TrialStatus.STOPPED


def test_only_active_values_are_proposed(engine, tmp_path):
    oracle = opened(engine(objective=OBJECTIVE, seed=0), tmp_path)
    for values in run(oracle):
        assert ("units" in values) == (values["model"] == "mlp")
        assert ("pooling" in values) == (values["model"] == "cnn")


def test_seeds_share_no_trials():
    searches = []
    for seed in (0, 1, 4, 7, 43):
        oracle = RandomSearchOracle(
            objective=OBJECTIVE, max_trials=100, seed=seed, hyperparameters=space()
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
    oracle = opened(GridSearchOracle(objective=OBJECTIVE, hyperparameters=grid_space()), tmp_path)
    found = run(oracle)
    expected = [{"model": "mlp", "units": u, "bias": b} for u in (1, 2, 3) for b in (True, False)]
    expected += [
        {"model": "cnn", "pooling": p, "bias": b} for p in (True, False) for b in (True, False)
    ]
    assert sorted(map(str, map(sorted, map(dict.items, found)))) == sorted(
        map(str, map(sorted, map(dict.items, expected)))
    )


def test_an_exhausted_space_ends_the_search(tmp_path):
    hp = HyperParameters()
    hp.Boolean("a")
    oracle = RandomSearchOracle(objective=OBJECTIVE, max_trials=50, seed=0, hyperparameters=hp)
    assert len(run(opened(oracle, tmp_path))) == 2


def rungs(oracle):
    sizes = {}
    for trial in oracle.trials.values():
        values = trial.hyperparameters.values
        place = (values["tuner/bracket"], values["tuner/round"])
        sizes[place] = sizes.get(place, 0) + 1
    return sizes


@pytest.mark.parametrize("fail", [(), (0, 1, 3), (9, 11)])
def test_hyperbands_rungs_have_the_planned_sizes(fail, tmp_path):
    oracle = HyperbandOracle(objective=OBJECTIVE, max_epochs=9, hyperparameters=space(), seed=0)
    run(opened(oracle, tmp_path), fail=set(fail))
    assert rungs(oracle) == {(2, 0): 9, (2, 1): 3, (2, 2): 1, (1, 0): 5, (1, 1): 2, (0, 0): 3}
    assert len(oracle.trials) == oracle.planned_trials


def test_hyperband_promotes_the_best(tmp_path):
    oracle = HyperbandOracle(objective=OBJECTIVE, max_epochs=9, hyperparameters=space(), seed=0)
    run(opened(oracle, tmp_path))
    trials = list(oracle.trials.values())
    promoted = {t.hyperparameters.values["tuner/trial_id"] for t in trials[9:12]}
    best = sorted(trials[:9], key=lambda trial: trial.score)[:3]
    assert promoted == {trial.trial_id for trial in best}


def test_hyperband_halves_a_space_that_is_too_small(tmp_path):
    hp = HyperParameters()
    hp.Int("a", 1, 4)
    oracle = HyperbandOracle(objective=OBJECTIVE, max_epochs=9, hyperparameters=hp, seed=0)
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
    oracle = opened(ORACLES["random"](objective=OBJECTIVE, seed=0), tmp_path)
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
