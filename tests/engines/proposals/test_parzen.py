import numpy as np
import optuna
import pytest
from optuna.samplers import TPESampler
from optuna.samplers._tpe import _truncnorm
from optuna.samplers._tpe import sampler as _tpe
from optuna.samplers._tpe._erf import erf as optunas_erf
from optuna.search_space.group_decomposed import _GroupDecomposedSearchSpace
from optuna.trial import TrialState, create_trial

from kt_hpo.engines.proposals import parzen
from kt_hpo.engines.proposals.parzen import quicken

PYTHON = np.frompyfunc(_truncnorm._log_ndtr_single, 1, 1)


@pytest.fixture
def plain(monkeypatch):
    """Optuna as it is installed; `quicken` in a test is undone after it."""
    monkeypatch.setattr(_truncnorm, "_log_ndtr", lambda a: PYTHON(a).astype(float))
    monkeypatch.setattr(_truncnorm, "erf", optunas_erf)
    monkeypatch.setattr(_tpe, "_get_infeasible_trial_score", parzen._infeasible_score_of)
    monkeypatch.setattr(_tpe, "_split_trials", parzen._split_trials._split_trials)


def sampler(step=None):
    is_parallel = step is maximized_side_by_side
    return TPESampler(seed=0, multivariate=True, group=True, constant_liar=is_parallel)


def values_of(trial):
    rate = trial.suggest_float("rate", 1e-5, 1e-1, log=True)
    loss = abs(np.log10(rate) + 3)
    if trial.suggest_categorical("optimizer", ["adam", "sgd"]) == "sgd":
        loss += 1 - trial.suggest_float("momentum", 0.0, 0.99)
    return loss + 0.01 * trial.suggest_int("units", 8, 64)


def one(study):
    trial = study.ask()
    study.tell(trial, values_of(trial))


def two_objectives(study):
    trial = study.ask()
    study.tell(trial, (values_of(trial), trial.params["units"]))


def constrained(study):
    trial = study.ask()
    loss = values_of(trial)
    trial.set_constraint("small", trial.params["units"] - 32)
    study.tell(trial, loss)


def pruned_and_running(study):
    trial, other = study.ask(), study.ask()
    other.report(values_of(other), 0)
    if other.number % 6 == 1:
        study.tell(other, state=TrialState.PRUNED)
    study.tell(trial, values_of(trial))


def maximized_side_by_side(study):
    """Three trials run at once; they end in another order, some fail, and the last goes on."""
    trials = [study.ask() for _ in range(3)]
    losses = [values_of(trial) for trial in trials]
    number = trials[0].number
    if number % 4:
        study.tell(trials[2], -losses[2])
    if number % 5:
        study.tell(trials[0], -round(losses[0]))  # Many are equal.
    else:
        study.tell(trials[0], state=TrialState.FAIL)
    study.tell(trials[1], -losses[1])


STEPS = (one, two_objectives, constrained, pruned_and_running, maximized_side_by_side)


def proposals(sampler, step, trials=60):
    directions = ["minimize"] * (2 if step is two_objectives else 1)
    if step is maximized_side_by_side:
        directions = ["maximize"]
    study = optuna.create_study(sampler=sampler, directions=directions)
    for _ in range(trials):
        step(study)
    return [tuple(trial.params.values()) for trial in study.trials]


def test_the_logarithm_is_the_same(plain):
    points = np.concatenate([np.linspace(-40, 12, 500), [-1e3, -20.0, 6.0]])
    expected = _truncnorm._log_ndtr(points)
    quicken(sampler())
    np.testing.assert_allclose(_truncnorm._log_ndtr(points), expected, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("step", STEPS)
def test_a_quickened_sampler_proposes_the_same(plain, step):
    expected = proposals(sampler(step), step)
    quick = sampler(step)
    quicken(quick)
    found = proposals(quick, step)
    assert [len(values) for values in found] == [len(values) for values in expected]
    for ours, optunas in zip(found, expected, strict=True):
        assert ours == pytest.approx(optunas)


def test_a_sampler_that_has_served_another_study_has_forgotten_it(plain):
    plain_one, quick = sampler(), sampler()
    expected = [proposals(plain_one, one, trials) for trials in (30, 40)]
    quicken(quick)
    for trials, theirs in zip((30, 40), expected, strict=True):
        for ours, optunas in zip(proposals(quick, one, trials), theirs, strict=True):
            assert ours == pytest.approx(optunas)


def test_the_groups_are_those_of_optuna(plain):
    study = optuna.create_study()
    quick = sampler()
    quicken(quick)
    uniform = optuna.distributions.FloatDistribution(0, 1)
    for names in ("ab", "ab", "abc", "c", "d"):
        space = dict.fromkeys(names, uniform)
        trial = create_trial(
            state=TrialState.COMPLETE,
            value=0.0,
            params=dict.fromkeys(names, 0.5),
            distributions=space,
        )
        study.add_trial(trial)
        found = quick._group_decomposed_search_space.calculate(study).search_spaces
        expected = _GroupDecomposedSearchSpace(True).calculate(study).search_spaces
        assert sorted(map(sorted, found)) == sorted(map(sorted, expected))
