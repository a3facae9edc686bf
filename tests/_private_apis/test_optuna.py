import sys

import optuna
import pytest
from _private_apis.hiding import hide
from optuna import pruners
from optuna.samplers import CmaEsSampler
from optuna.study import Study

import kt_hpo
from kt_hpo._private_apis.optuna import StorageView, id_of, storage_of, study_on, trials_of_bracket
from kt_hpo.engines.proposals import recent_trials
from kt_hpo.engines.proposals.samplers import population_of


class Parabola(kt_hpo.OptunaSearch):
    def run_trial(self, trial):
        hp = trial.hyperparameters
        return (hp.Float("x", -1, 1) - 0.3) ** 2 + abs(hp.Int("n", 1, 9) - 5)


class WithoutNames:
    """A study of an Optuna whose names are others."""

    def __init__(self, study):
        self.study_name, self.kept = study.study_name, storage_of(study)


def proposed(folder, **kwargs):
    tuner = Parabola(max_trials=25, seed=0, directory=folder, **kwargs)
    tuner.search(verbose=0)
    return [trial.params for trial in tuner.study.trials]


def test_a_storage_is_found_under_another_name():
    study = optuna.create_study()
    assert storage_of(WithoutNames(study)) is storage_of(study)


def test_a_study_s_number_is_asked_of_the_storage():
    storage = optuna.storages.InMemoryStorage()
    studies = [optuna.create_study(storage=storage) for _ in range(3)]
    assert [id_of(WithoutNames(study)) for study in studies] == [id_of(study) for study in studies]


class Renamed(Study):
    """Optuna's study, whose parts only Optuna has the names of."""

    def __getattribute__(self, name):
        asks = sys._getframe(1).f_globals["__name__"]
        if name in ("_storage", "_study_id") and not asks.startswith("optuna."):
            raise AttributeError(name)
        return super().__getattribute__(name)


def test_a_search_without_the_names_of_a_study_s_parts_proposes_the_same(tmp_path, monkeypatch):
    expected = proposed(tmp_path / "as it is")
    monkeypatch.setattr(optuna.study.study, "Study", Renamed)
    monkeypatch.setattr(optuna.study, "Study", Renamed)
    monkeypatch.setattr(optuna, "Study", Renamed)
    study = optuna.create_study()
    with pytest.raises(AttributeError):
        _ = study._storage
    assert proposed(tmp_path / "renamed") == expected


def test_without_brackets_a_sampler_learns_from_all_trials(monkeypatch):
    monkeypatch.delattr(pruners, "_filter_study")
    own = pruners.HyperbandPruner(min_resource=1, max_resource=9)
    study = optuna.create_study(pruner=own)
    trial = optuna.trial.create_trial(value=0.0)
    assert trials_of_bracket(study, trial) is study


def test_a_study_on_a_view_has_the_trials_of_the_view():
    class Empty(StorageView):
        def get_all_trials(self, study_id, deepcopy=True, states=None):
            return []

    study = optuna.create_study(directions=["minimize", "maximize"])
    study.add_trial(optuna.trial.create_trial(values=[0.0, 1.0]))
    study.set_user_attr("kept", 1)
    seen = study_on(Empty(study), study)
    assert (seen.trials, seen.directions, seen.user_attrs) == ([], study.directions, {"kept": 1})
    assert seen.sampler is study.sampler
    assert len(study.trials) == 1


def test_without_the_size_of_its_population_cmaes_proposes_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(recent_trials, "BLOCK", 5)
    monkeypatch.setattr(recent_trials, "BEST", 5)
    sampler = {"sampler": CmaEsSampler(seed=0, popsize=8)}
    expected = proposed(tmp_path / "as it is", **sampler)
    hide(monkeypatch, CmaEsSampler, "_popsize")
    sampler = {"sampler": CmaEsSampler(seed=0, popsize=8)}
    assert population_of(sampler["sampler"]) is None
    assert proposed(tmp_path / "hidden", **sampler) == expected
