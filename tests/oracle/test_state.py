"""The hyperparameters that a search is given, and that grow with it."""

import keras_tuner
import pytest

import kt_hpo


class Grows(kt_hpo.RandomSearch):
    def run_trial(self, trial):
        hp = trial.hyperparameters
        return hp.Float("x", 0, 1) + hp.Int("n", 1, 3)


def given(package):
    hp = package.HyperParameters()
    hp.Float("x", 0.5, 1)
    return hp


@pytest.mark.parametrize("package", [keras_tuner, kt_hpo])
def test_the_object_passed_in_grows(package, tmp_path):
    for trials in (2, 4):
        hp = given(package)
        tuner = Grows(max_trials=trials, directory=tmp_path, hyperparameters=hp)
        tuner.search(verbose=0)
        assert [one.name for one in hp.space] == ["x", "n"]
        assert hp.get("n") == 1 and hp.space[0].min_value == 0.5
        assert hp.get_config()["space"] == tuner.oracle.get_space().get_config()["space"]
        assert (tuner.oracle.hyperparameters is hp) == (package is kt_hpo)
    assert all(trial.params["x"] >= 0.5 for trial in tuner.study.trials)


@pytest.mark.parametrize("package", [keras_tuner, kt_hpo])
def test_a_static_space_stays_as_it_is(package, tmp_path):
    hp = given(package)
    tuner = Grows(max_trials=3, tune_new_entries=False, directory=tmp_path, hyperparameters=hp)
    tuner.search(verbose=0)
    assert [one.name for one in hp.space] == ["x"]
    assert {t.hyperparameters.get("n") for t in tuner.oracle.trials.values()} == {1}
    refusing = Grows(
        max_trials=3,
        allow_new_entries=False,
        tune_new_entries=False,
        directory=tmp_path,
        hyperparameters=hp,
        project_name="refusing",
    )
    with pytest.raises(RuntimeError, match="allow_new_entries"):
        refusing.search(verbose=0)


def test_one_trial_changes_nothing_in_what_was_passed_in(tmp_path):
    hp = given(kt_hpo)
    trial = Grows(seed=3, directory=tmp_path, hyperparameters=hp).oracle.create_trial("one")
    trial.hyperparameters.Int("n", 1, 3)
    assert [one.name for one in hp.space] == ["x"]
    assert hp.values == {"x": 0.5} != trial.hyperparameters.values
