from statistics import median

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import TrialState, create_trial

import kt_hpo
from kt_hpo.engines.proposals import recent_trials
from kt_hpo.engines.proposals.recent_trials import BLOCK, RecentTrials
from kt_hpo.engines.proposals.samplers import make_sampler, population_of


def study_of(values, directions=("minimize",)):
    study = optuna.create_study(directions=directions)
    study.add_trials([create_trial(values=one) for one in values])
    return study


def numbers(study):
    return [trial.number for trial in study.get_trials(deepcopy=False)]


def test_a_short_search_is_seen_whole():
    study = study_of([[value] for value in range(2 * BLOCK - 1)])
    assert numbers(RecentTrials().study(study)) == list(range(2 * BLOCK - 1))


def test_samplers_that_need_all_trials_see_them():
    for name in ("qmc", "random", "brute_force"):
        assert population_of(make_sampler(name)) is None
    assert population_of(make_sampler("nsga2")) == 50
    assert population_of(optuna.samplers.CmaEsSampler(popsize=8)) == 8


@given(st.lists(st.floats(-1e6, 1e6), min_size=30, max_size=120), st.sampled_from(["min", "max"]))
def test_the_best_and_the_latest_are_seen(values, direction):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recent_trials, "BLOCK", 10)
        patch.setattr(recent_trials, "BEST", 5)
        study = study_of([[value] for value in values], [direction + "imize"])
        seen = numbers(RecentTrials().study(study))
    first = seen[5]
    assert seen[5:] == list(range(first, len(values))) and 10 <= len(values) - first < 20
    sign = 1 if direction == "min" else -1
    before = sorted(range(first), key=lambda number: (sign * values[number], number))
    assert seen[:5] == sorted(before[:5])


def test_generations_of_a_population_are_seen_whole():
    study = study_of([[value] for value in range(4000)])
    assert numbers(RecentTrials(population=300).study(study))[-1500:] == list(range(2500, 4000))


def test_of_several_objectives_the_front_is_seen():
    front = [(0.0, 5.0), (5.0, 0.0), (2.0, 2.0)]
    study = study_of([*front, *([(6.0, 6.0)] * 3 * BLOCK)], ["minimize"] * 2)
    assert numbers(RecentTrials().study(study))[:3] == [0, 1, 2]


def test_a_trial_that_ends_is_seen_as_it_ended():
    study = study_of([[value] for value in range(BLOCK)])
    recent = RecentTrials()
    trial = study.ask()
    assert recent.study(study).get_trials()[-1].state == TrialState.RUNNING
    study.tell(trial, -1.0)
    assert recent.study(study).get_trials()[-1].value == -1.0


class Bowl(kt_hpo.OptunaSearch):
    def run_trial(self, trial):
        hp = trial.hyperparameters
        loss = (hp.Float("x", -1, 1) - 0.3) ** 2 + abs(hp.Int("n", 1, 9) - 5)
        return loss + (hp.Choice("kind", ["near", "far"]) == "far")


def values_of(folder, sampler, trials, block, monkeypatch):
    monkeypatch.setattr(recent_trials, "BLOCK", block)
    tuner = Bowl(max_trials=trials, sampler=sampler, seed=0, directory=folder / str(block))
    tuner.search(verbose=0)
    return [trial.value for trial in tuner.study.trials]


@pytest.mark.parametrize("sampler", ["tpe", "cmaes"])
def test_a_long_search_goes_on_as_one_that_sees_all(sampler, tmp_path, monkeypatch):
    some, every = (values_of(tmp_path, sampler, 140, block, monkeypatch) for block in (35, 1000))
    assert median(some[70:]) < 0.7 * median(some[:30])
    assert median(some[70:]) == pytest.approx(median(every[70:]), rel=0.6)


def test_generations_see_all_they_need(tmp_path, monkeypatch):
    some, every = (
        values_of(
            tmp_path, optuna.samplers.NSGAIISampler(population_size=6), 110, block, monkeypatch
        )
        for block in (30, 1000)
    )
    assert some == every


def test_a_resumed_search_sees_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(recent_trials, "BLOCK", 10)
    monkeypatch.setattr(recent_trials, "BEST", 5)

    def found(folder, parts):
        for trials in parts:
            tuner = Bowl(max_trials=trials, seed=0, directory=folder)
            tuner.search(verbose=0)
        return [trial.params for trial in tuner.study.trials]

    assert found(tmp_path / "twice", [27, 40]) == found(tmp_path / "once", [40])
