"""What a user may write as an objective, and what is made of it."""

import keras_tuner
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kt_hpo.oracles import OptunaSearchOracle, RandomSearchOracle
from searches import searched

import kt_hpo
from kt_hpo import objectives


def depth(model):
    return len(model.layers)


KNOWN = {"val_loss": "min", "val_accuracy": "max", "auc": "max"} | dict.fromkeys(
    objectives.MEASURED, "min"
)
ONE = st.one_of(
    st.sampled_from(sorted(KNOWN)).map(lambda name: (name, name, KNOWN[name])),
    st.tuples(st.text(min_size=1), st.sampled_from(["min", "max"])).map(
        lambda pair: (kt_hpo.Objective(*pair), *pair)
    ),
    st.tuples(st.text(min_size=1), st.sampled_from(["min", "max"])).map(
        lambda pair: (kt_hpo.Measure(depth, *pair), *pair)
    ),
    st.just((depth, "depth", "min")),
)


@given(st.lists(ONE, min_size=1, max_size=5, unique_by=lambda one: one[1]))
def test_what_is_written_is_what_is_optimized(written):
    made = objectives.make_objective([one for one, _, _ in written])
    parts = objectives.parts(made)
    assert [(part.name, part.direction) for part in parts] == [one[1:] for one in written]
    assert isinstance(made, kt_hpo.Objective)
    followed = {part.name for part in objectives.parts(objectives.while_training(made))}
    by_epoch = {
        name
        for one, name, _ in written
        if not (one is depth or isinstance(one, kt_hpo.Measure))
        and (name not in objectives.MEASURED or name == objectives.GAP)
    }
    assert followed == (by_epoch or {"val_loss"})


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        ("latensy", "Did you mean 'latency'.*kt_hpo.Objective.*generalization_gap"),
        ("val_accuracy,latency", "val_accuracy,latency"),
        ([], "at least one"),
        (["latency", "latency"], "none twice"),
        (3.5, "3.5 is not allowed.*a function of the model"),
        (lambda model: 1, "has no name.*kt_hpo.Measure"),
    ],
)
def test_a_wrong_objective_is_an_early_error(objective, message):
    for oracle in (RandomSearchOracle, OptunaSearchOracle):
        with pytest.raises((ValueError, TypeError), match=f"(?s){message}"):
            oracle(objective=objective, max_trials=2)


@pytest.mark.parametrize("direction", ["maximize", "MAX", None, 1])
def test_a_direction_that_is_none_is_an_early_error(direction):
    wrong = kt_hpo.Objective("val_f1", direction)
    for objective in (wrong, ["val_loss", wrong]):
        with pytest.raises(ValueError, match=r"'val_f1'.*is not allowed.*'min' or 'max'"):
            RandomSearchOracle(objective=objective, max_trials=2)


@pytest.mark.parametrize("name", ["val_f1", "val_dice", "mean", "val_my_score", "val_", ""])
def test_a_direction_that_is_not_known_is_asked_for(name):
    for objective in (name, ["val_loss", name]):
        with pytest.raises(ValueError, match=rf"Objective\('{name}', direction=\"max\"\) or"):
            RandomSearchOracle(objective=objective, max_trials=2)


def test_an_oracle_of_keras_tuners_with_a_wrong_direction_is_named(tmp_path):
    oracle = keras_tuner.oracles.RandomSearchOracle("val_f1_score", max_trials=1)
    with pytest.warns(UserWarning, match=r"val_f1_score \(min\).*says otherwise"):
        kt_hpo.Tuner(oracle, lambda hp: None, directory=tmp_path)


def test_a_wrong_measure_is_an_early_error():
    with pytest.raises(TypeError, match="function of the trained model"):
        kt_hpo.Measure("depth")
    with pytest.raises(ValueError, match="'up' is not allowed"):
        kt_hpo.Measure(depth, direction="up")


def test_a_pruner_needs_an_objective_that_epochs_measure(tmp_path):
    with pytest.raises(ValueError, match="'latency' is known only once"):
        kt_hpo.OptunaSearch(lambda hp: None, "latency", pruner="median", directory=tmp_path)


def test_an_oracle_in_a_plain_tuner_takes_them_too(tmp_path):
    class Plain(keras_tuner.Tuner):
        def run_trial(self, trial):
            x = trial.hyperparameters.Float("x", 0, 1)
            # Keras Tuner wants the sum of several objectives to be there, too.
            return {"latency": x, "val_accuracy": x, "multi_objective": 0.0}

    oracle = OptunaSearchOracle(objective=["val_accuracy", "latency"], max_trials=3, seed=0)
    tuner = Plain(oracle, directory=tmp_path)
    tuner.search()
    minimize, maximize = optuna.study.StudyDirection.MINIMIZE, optuna.study.StudyDirection.MAXIMIZE
    assert oracle.record.study.directions == [maximize, minimize]
    assert len(oracle.record.study.best_trials) == 3


def test_an_objective_that_is_measured_is_found_missing_where_the_user_measures(tmp_path):
    class Forgets(kt_hpo.RandomSearch):
        def run_trial(self, trial):
            return {"val_loss": trial.hyperparameters.Float("x", 0, 1)}

    tuner = Forgets(objective=["val_loss", "latency"], max_trials=2, directory=tmp_path)
    with pytest.raises(kt_hpo.errors.FatalError, match="'latency' is not among"):
        tuner.search(verbose=0)


def test_a_reopened_search_knows_its_measures(tmp_path):
    objective = ["val_loss", kt_hpo.Measure(depth, direction="max")]
    first = searched(tmp_path, objective=objective, max_trials=1).study.trials
    again = searched(tmp_path, objective=objective).study
    assert again.trials[:1] == first
    assert again.metric_names == ["val_loss", "depth"]
    with pytest.raises(kt_hpo.RecordError, match=r"depth \(max\), not"):
        searched(tmp_path, objective=["val_loss", depth])
