"""Optuna's samplers in real searches."""

import sys

import optuna
import pytest
from models import blobs, eager

import kt_hpo
from kt_hpo.engines.proposals.samplers import SAMPLERS, make_sampler

X, Y = blobs()
FIT = {"validation_split": 0.25, "epochs": 2, "batch_size": 200, "verbose": 0}


def searched(folder, hypermodel=eager, objective="val_loss", **kwargs):
    kwargs = {"max_trials": 3, "seed": 0, "directory": folder} | kwargs
    tuner = kt_hpo.OptunaSearch(hypermodel, objective, **kwargs)
    tuner.search(X, Y, **FIT)
    return tuner


@pytest.mark.slow
def test_a_search_with_models(tmp_path):
    tuner = searched(tmp_path)
    assert [trial.state.name for trial in tuner.study.trials] == ["COMPLETE"] * 3
    assert tuner.get_best_models()[0].predict(X, verbose=0).shape == (200, 1)
    assert searched(tmp_path).study.trials == tuner.study.trials


class Late(kt_hpo.OptunaSearch):
    """A black box whose space is met only while trials run."""

    def run_trial(self, trial):
        hp = trial.hyperparameters
        return (hp.Float("x", -1, 1, default=1.0) - 0.3) ** 2 + abs(hp.Int("n", 1, 9) - 5)


def test_the_study_is_the_samplers_own(tmp_path):
    sampler = optuna.samplers.CmaEsSampler(seed=3)
    tuner = Late(max_trials=3, seed=0, directory=tmp_path, sampler=sampler)
    tuner.search(verbose=0)
    assert tuner.study.sampler is sampler
    assert "cma:generation" in tuner.study.trials[-1].system_attrs


def test_a_hyperparameter_met_in_a_build_is_asked_of_the_sampler(tmp_path):
    tuner = Late(max_trials=5, seed=0, directory=tmp_path)
    tuner.search(verbose=0)
    first = tuner.study.trials[0].params
    assert first["x"] != 1.0, "it was given its default"
    assert len({trial.params["x"] for trial in tuner.study.trials}) == 5
    again = Late(max_trials=5, seed=0, directory=tmp_path, project_name="again")
    again.search(verbose=0)
    assert [t.params for t in again.study.trials] == [t.params for t in tuner.study.trials]


def test_new_entries_that_are_not_tuned_keep_their_default(tmp_path):
    hp = kt_hpo.HyperParameters()
    hp.Int("n", 1, 9)
    tuner = Late(
        max_trials=4, seed=0, directory=tmp_path, hyperparameters=hp, tune_new_entries=False
    )
    tuner.search(verbose=0)
    assert all("x" not in trial.params for trial in tuner.study.trials)


def test_cmaes_works_on_when_conditional_hyperparameters_vanish(tmp_path):
    """Optuna's falls back on random values for good after such a first trial."""

    class Conditional(kt_hpo.OptunaSearch):
        def run_trial(self, trial):
            hp = trial.hyperparameters
            loss = (hp.Float("a", -2, 2) - 1) ** 2 + (hp.Float("b", -2, 2) + 1) ** 2
            hp.Choice("kind", ["deep", "flat"])
            with hp.conditional_scope("kind", ["deep"]):
                loss += 0.01 * (hp.Int("depth", 1, 9) or 0)
            return loss

    with pytest.warns(UserWarning, match="at random"):
        storage = optuna.storages.InMemoryStorage()
        tuner = Conditional(
            max_trials=60, sampler="cmaes", seed=1, directory=tmp_path, storage=storage
        )
        tuner.search(verbose=0)
    proposed = [t for t in tuner.study.trials if "cma:generation" in t.system_attrs]
    assert len(proposed) >= 57
    assert tuner.study.best_value < 0.1


def test_a_grid_ends_when_it_is_through(tmp_path):
    class Sum(kt_hpo.OptunaSearch):
        def run_trial(self, trial):
            hp = trial.hyperparameters
            return hp.Int("a", 1, 3) + hp.Int("b", 1, 2)

    grid = optuna.samplers.GridSampler({"a": [1, 2, 3], "b": [1, 2]})
    for sampler in (grid, "brute_force"):
        for _ in range(2):  # Run again, it finds nothing left to do.
            tuner = Sum(
                max_trials=30, sampler=sampler, directory=tmp_path, project_name=str(sampler)
            )
            tuner.search(verbose=0)
            assert {(t.params["a"], t.params["b"]) for t in tuner.study.trials} == {
                (a, b) for a in (1, 2, 3) for b in (1, 2)
            }
            assert len(tuner.study.trials) == 6


def test_several_objectives_give_a_pareto_front(tmp_path):
    class Two(kt_hpo.OptunaSearch):
        def run_trial(self, trial):
            x = trial.hyperparameters.Float("x", -2, 2)
            return {"near": x**2, "far": (x - 1) ** 2}

    objectives = [kt_hpo.Objective("near", "min"), kt_hpo.Objective("far", "min")]
    tuner = Two(
        objective=objectives,
        max_trials=60,
        sampler="nsga2",
        seed=0,
        directory=tmp_path,
        storage=optuna.storages.InMemoryStorage(),
    )
    tuner.search(verbose=0)
    front = [trial.hyperparameters["x"] for trial in tuner.pareto_front()]
    assert front and all(-0.1 <= x <= 1.1 for x in front)
    numbers = {int(trial.trial_id) for trial in tuner.pareto_front()}
    assert numbers == {trial.number for trial in tuner.study.best_trials}
    best = tuner.oracle.get_best_trials(len(front))
    assert {int(trial.trial_id) for trial in best} == numbers


def test_bohb_is_tpe_with_hyperband_pruning(tmp_path):
    tuner = kt_hpo.OptunaSearch(eager, "val_loss", sampler="bohb", directory=tmp_path)
    assert isinstance(tuner.study.sampler, optuna.samplers.TPESampler)
    assert isinstance(tuner.study.pruner, optuna.pruners.HyperbandPruner)


def test_samplers_by_name():
    for name in SAMPLERS.keys() - {"gp"}:
        assert isinstance(make_sampler(name), optuna.samplers.BaseSampler)
    with pytest.raises(ValueError, match="Did you mean 'cmaes'"):
        make_sampler("cmae")
    with pytest.raises(TypeError, match=r"optuna\.samplers"):
        make_sampler(7)


def test_one_objective_is_all_that_cmaes_takes():
    with pytest.raises(ValueError, match="nsga2"):
        kt_hpo.oracles.OptunaSearchOracle(["val_loss", "val_accuracy"], sampler="cmaes")


def test_a_missing_package_is_named_with_its_install_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "cmaes", None)
    with pytest.raises(ImportError, match=r'pip install "kt-hpo\[cmaes\]'):
        kt_hpo.OptunaSearch(eager, "val_loss", sampler="cmaes")
