"""The engines: what each proposes, in which order, and when it has nothing left."""

import numpy as np
import pytest

import kt_hpo


def score(kt, direction="max"):
    return kt.Objective("score", direction)


def end(oracle, trial, value):
    oracle.update_trial(trial.trial_id, {oracle.objective.name: value})
    trial.status = "COMPLETED"
    oracle.end_trial(trial)


def box(base, function):
    """A tuner of an engine that measures a function of hp."""

    class BlackBox(base):
        def run_trial(self, trial, **kwargs):
            return function(trial.hyperparameters)

    return BlackBox


def values_of(tuner):
    return [trial.hyperparameters.values for trial in tuner.oracle.trials.values()]


# Grid search.


def test_a_grid_has_every_combination_once(kt, places):
    def measured(hp):
        hp.Choice("units", [2, 4])
        hp.Boolean("dropout", default=True)
        hp.Choice("optimizer", ["adam", "sgd", "rmsprop"])
        hp.Fixed("loss", "mse")
        return float(hp.get("units"))

    tuner = box(kt.GridSearch, measured)(**places)
    tuner.search(verbose=0)
    found = values_of(tuner)
    assert len(found) == len({tuple(sorted(one.items())) for one in found}) == 12
    assert {one["loss"] for one in found} == {"mse"}
    assert len(tuner.oracle.get_best_trials(20)) == 12


def test_a_grid_takes_ten_places_of_a_float_and_its_default(kt, places):
    def measured(hp):
        return hp.Int("int", 1, 3) + hp.Float("float", 1, 2, default=1.111)

    tuner = box(kt.GridSearch, measured)(**places)
    tuner.search(verbose=0)
    assert len(tuner.oracle.trials) == 3 * 11


def test_a_grid_goes_on_with_what_a_trial_meets(kt, places):
    def measured(hp):
        if hp.Boolean("bool"):
            return hp.Choice("first", [0, 1, 2])
        return hp.Choice("second", [3, 4, 5])

    tuner = box(kt.GridSearch, measured)(**places)
    tuner.search(verbose=0)
    assert len(tuner.oracle.trials) == 3 + 3 * 3


def test_a_grid_has_only_the_active_ones_of_a_scope(kt, places):
    def measured(hp):
        for name in ("one", "two"):
            chosen = hp.Boolean(name)
            with hp.conditional_scope(name, [True]):
                if chosen:
                    hp.Choice(f"{name} true", [1, 2])
            with hp.conditional_scope(name, [False]):
                if not chosen:
                    hp.Choice(f"{name} false", [3, 4])
        return 1.0

    tuner = box(kt.GridSearch, measured)(**places)
    tuner.search(verbose=0)
    assert len(tuner.oracle.trials) == 4 * 4


def test_a_grid_stops_at_max_trials(kt, places):
    tuner = box(kt.GridSearch, lambda hp: hp.Int("x", 1, 9))(max_trials=4, **places)
    tuner.search(verbose=0)
    assert [one["x"] for one in values_of(tuner)] == [1, 2, 3, 4]


def test_a_grid_waits_for_what_open_trials_may_meet(kt, drive):
    hp = kt.HyperParameters()
    hp.Boolean("known")
    oracle = drive(kt.oracles.GridSearchOracle(hyperparameters=hp))
    open_trials, statuses = [], []
    for tuner in "abcdefgh":
        trial = oracle.create_trial(tuner)
        statuses.append(trial.status)
        if trial.status != "RUNNING":
            break
        open_trials.append(trial)
    assert statuses == ["RUNNING", "RUNNING", "IDLE"]
    begun = 0
    while open_trials:
        trial = open_trials.pop()
        begun += 1
        trial.hyperparameters.Boolean("met")
        oracle.update_space(trial.hyperparameters)
        end(oracle, trial, float(begun))
        following = oracle.create_trial("again")
        if following.status == "RUNNING":
            open_trials.append(following)
    assert oracle.create_trial("last").status == "STOPPED"
    tried = {(t.hyperparameters["known"], t.hyperparameters["met"]) for t in oracle.trials.values()}
    assert len(tried) == begun == 4


# Hyperband.


def hyperband(kt, drive, factor, max_epochs, **kwargs):
    hp = kt.HyperParameters()
    hp.Float("a", -100, 100)
    hp.Float("b", -100, 100)
    return drive(
        kt.oracles.HyperbandOracle(
            score(kt), hyperparameters=hp, max_epochs=max_epochs, factor=factor, **kwargs
        )
    )


def test_hyperband_runs_its_brackets_one_after_another(kt, drive):
    oracle = hyperband(kt, drive, factor=3, max_epochs=9)
    epochs, value = [], 0
    while (trial := oracle.create_trial("tuner0")).status == "RUNNING":
        given = trial.hyperparameters.values
        epochs.append((given["tuner/bracket"], given["tuner/round"], given["tuner/epochs"]))
        assert given["tuner/initial_epoch"] < given["tuner/epochs"]
        if given["tuner/round"]:
            parent = oracle.trials[given["tuner/trial_id"]].hyperparameters.values
            assert (parent["a"], parent["b"]) == (given["a"], given["b"])
        value += 1
        end(oracle, trial, value)
    assert trial.status == "STOPPED"
    third, second, first = (
        [(2, 0, 1)] * 9 + [(2, 1, 3)] * 3 + [(2, 2, 9)],
        [(1, 0, 3)] * 5 + [(1, 1, 9)] * 2,
        [(0, 0, 9)] * 3,
    )
    assert epochs == third + second + first
    assert oracle.get_best_trials()[0].score == value


def test_hyperband_runs_first_rounds_together_and_waits_with_later_ones(kt, drive):
    oracle = hyperband(kt, drive, factor=2, max_epochs=4)
    first = [oracle.create_trial(f"tuner{i}") for i in range(10)]
    assert {trial.status for trial in first} == {"RUNNING"}
    assert oracle.create_trial("more").status == "IDLE"
    for trial in first:
        end(oracle, trial, 1)
    second = [oracle.create_trial(f"tuner{i}") for i in range(4)]
    assert {trial.status for trial in second} == {"RUNNING"}
    assert oracle.create_trial("more").status == "IDLE"
    for trial in second:
        end(oracle, trial, 1)
    last = oracle.create_trial("tuner0")
    assert oracle.create_trial("more").status == "IDLE"
    end(oracle, last, 1)
    assert oracle.create_trial("more").status == "STOPPED"


def test_hyperband_ends_where_the_space_is_exhausted(kt, drive):
    hp = kt.HyperParameters()
    hp.Boolean("only")
    oracle = drive(
        kt.oracles.HyperbandOracle(score(kt), hyperparameters=hp, max_epochs=8, factor=3)
    )
    trials = [oracle.create_trial(name) for name in "ab"]
    assert oracle.create_trial("c").status == "IDLE"
    for trial in trials:
        end(oracle, trial, 1.0)
    # Keras Tuner gives up; two of our three rungs have work for two configurations.
    following = oracle.create_trial("a")
    assert following.status == {"keras_tuner": "STOPPED", "kt_hpo": "RUNNING"}[kt.__name__]
    if kt is kt_hpo:
        assert following.hyperparameters["tuner/trial_id"] in {trial.trial_id for trial in trials}


def test_hyperband_needs_a_factor_of_two(kt):
    with pytest.raises(ValueError, match="factor"):
        kt.oracles.HyperbandOracle(score(kt), max_epochs=8, factor=1)


def test_hyperband_is_taken_up_where_it_was(kt, drive, tmp_path):
    oracle = hyperband(kt, drive, factor=2, max_epochs=4)
    for number in range(7):
        end(oracle, oracle.create_trial("a"), number)
    oracle.save()
    again = hyperband(kt, drive, factor=2, max_epochs=4)
    again.reload()
    assert len(again.trials) == 7
    count = 7
    while (trial := again.create_trial("a")).status == "RUNNING":
        end(again, trial, count)
        count += 1
    assert (trial.status, count) == ("STOPPED", 15)


# Bayesian optimization.


def bayesian(kt, drive, hp, direction="max", **kwargs):
    kwargs = {"max_trials": 20, "num_initial_points": 2, "seed": 1, **kwargs}
    return drive(
        kt.oracles.BayesianOptimizationOracle(score(kt, direction), hyperparameters=hp, **kwargs)
    )


def of_all_kinds(kt):
    hp = kt.HyperParameters()
    hp.Choice("a", [1, 2])
    hp.Int("b", 3, 10)
    hp.Float("c", 0, 1, 0.1)
    hp.Fixed("d", 7)
    hp.Choice("e", ["x", "y"])
    return hp


@pytest.mark.parametrize("value", [lambda i: i, lambda i: 0])
def test_bayesian_optimization_takes_any_scores(kt, drive, value):
    oracle = bayesian(kt, drive, of_all_kinds(kt))
    for number in range(4):
        trial = oracle.create_trial(str(number))
        assert trial.hyperparameters["d"] == 7
        end(oracle, trial, value(number))
    assert len(oracle.trials) == 4


def test_bayesian_optimization_takes_in_what_is_met_later(kt, drive):
    hp = kt.HyperParameters()
    hp.Choice("a", [1, 2, 3, 4, 5, 6])
    oracle = bayesian(kt, drive, hp)
    for number in range(3):
        end(oracle, oracle.create_trial("a"), number)
    met = kt.HyperParameters()
    met.Float("b", 3.2, 6.4, step=0.2, default=3.6)
    met.Boolean("c", default=True)
    oracle.update_space(met)
    trial = oracle.create_trial("a")
    assert trial.status == "RUNNING"
    assert {"a", "b", "c"} <= trial.hyperparameters.values.keys()


def by_hand(kt, hp, name, pairs):
    trials = {}
    for value, result in pairs:
        trial = kt.engine.trial.Trial(hyperparameters=hp.copy(), status="COMPLETED")
        trial.hyperparameters.values[name] = value
        trial.score = result
        trials[trial.trial_id] = trial
    return trials


def test_bayesian_optimization_learns_from_trials_put_in_by_hand(kt, drive):
    hp = kt.HyperParameters()
    hp.Int("a", -100, 100)
    oracle = bayesian(kt, drive, hp)
    pairs = [(10 * i, float(i)) for i in range(-5, 6)]
    oracle.trials.update(by_hand(kt, hp, "a", pairs))
    trial = oracle.create_trial("tuner0")
    assert trial.status == "RUNNING"
    assert trial.hyperparameters.get("a") > 0


def test_bayesian_optimization_keeps_to_steps(kt, drive):
    hp = kt.HyperParameters()
    hp.Float("c", 0, 10, step=3)
    oracle = bayesian(kt, drive, hp)
    for number in range(3):
        trial = oracle.create_trial("a")
        assert trial.hyperparameters.get("c") in {0, 3, 6, 9}
        end(oracle, trial, number)


def test_bayesian_optimization_proposes_while_trials_are_open(kt, drive):
    hp = kt.HyperParameters()
    hp.Float("a", -1, 1)
    hp.Float("b", -1, 1)
    oracle = bayesian(kt, drive, hp)
    first, second = oracle.create_trial("0"), oracle.create_trial("1")
    end(oracle, first, 0.1)
    third = oracle.create_trial("0")
    end(oracle, second, 0.2)
    fourth = oracle.create_trial("1")  # The third is open.
    values = [tuple(one.hyperparameters.values.values()) for one in (first, second, third, fourth)]
    assert len(set(values)) == 4
    end(oracle, third, 0.3)
    end(oracle, fourth, 0.4)
    assert oracle.get_best_trials()[0].trial_id == fourth.trial_id


def test_bayesian_optimization_is_taken_up_again(kt, drive):
    oracle = bayesian(kt, drive, of_all_kinds(kt))
    for _ in range(3):
        end(oracle, oracle.create_trial("a"), 1.0)
    oracle.save()
    again = bayesian(kt, drive, of_all_kinds(kt))
    again.reload()
    for _ in range(2):
        end(again, again.create_trial("a"), 1.0)
    assert len(again.trials) == 5


@pytest.mark.slow
def test_bayesian_optimization_finds_the_maximum_of_a_line(kt, places):
    def measured(hp):
        return -abs(hp.Float("x", -1, 1) - 0.5)

    oracle = kt.oracles.BayesianOptimizationOracle(
        score(kt), max_trials=12, num_initial_points=3, seed=2
    )
    tuner = box(kt.engine.base_tuner.BaseTuner, measured)(oracle=oracle, **places)
    tuner.search(verbose=0)
    assert tuner.oracle.get_best_trials()[0].score > -0.1


# All of them.


@pytest.mark.parametrize("name", ["RandomSearch", "BayesianOptimization", "GridSearch"])
def test_an_exhausted_space_ends_the_search(kt, name, places):
    def measured(hp):
        return [float(hp.Boolean("one")) + hp.Boolean("two")]

    tuner = box(getattr(kt, name), measured)(max_trials=15, seed=0, **places)
    tuner.search(verbose=0)
    assert len(tuner.oracle.trials) == 4
    assert tuner.oracle.get_best_trials()[0].score == 0


@pytest.mark.parametrize("name", ["RandomSearch", "BayesianOptimization"])
def test_a_failed_trial_does_not_hold_up_the_others(kt, name, places):
    calls = []

    def measured(hp):
        calls.append(hp.Float("x", 0, 1))
        hp.Boolean("two")
        if len(calls) == 2:
            raise kt.errors.FailedTrialError("not this one")
        return [float(np.mean(calls))]

    tuner = box(getattr(kt, name), measured)(max_trials=5, **places)
    tuner.search(verbose=0)
    statuses = [trial.status for trial in tuner.oracle.trials.values()]
    assert sorted(statuses) == ["COMPLETED"] * 4 + ["FAILED"]


def test_an_oracle_may_change_what_its_engine_proposes(kt, places):
    class Deep(kt.oracles.RandomSearchOracle):
        def populate_space(self, trial_id):
            found = super().populate_space(trial_id)
            if "values" in found:
                found["values"]["layers"] = 2
            return found

    class Stack(kt.HyperModel):
        def build(self, hp):
            for i in range(hp.Int("layers", 0, 2)):
                hp.Int(f"units_{i}", 2, 4)
            return object()

    class BlackBox(kt.engine.base_tuner.BaseTuner):
        def run_trial(self, trial, **kwargs):
            self.hypermodel.build(trial.hyperparameters)
            return {"score": 1.0}

    tuner = BlackBox(oracle=Deep(score(kt), max_trials=1), hypermodel=Stack(), **places)
    assert {one.name for one in tuner.oracle.get_space().space} == {"layers"}
    tuner.search(verbose=0)
    names = {one.name for one in tuner.oracle.get_space().space}
    assert names == {"layers", "units_0", "units_1"}
