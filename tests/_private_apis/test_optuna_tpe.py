import pickle

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import RandomSampler, TPESampler
from optuna.samplers._tpe import parzen_estimator
from optuna.samplers._tpe import sampler as _tpe
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator
from optuna.search_space import group_decomposed
from optuna.search_space.group_decomposed import _GroupDecomposedSearchSpace
from optuna.trial import TrialState, create_trial

import kt_hpo
from kt_hpo._private_apis import optuna_tpe
from kt_hpo._private_apis.optuna_tpe import QuickTPESampler, quick


@pytest.fixture
def asked_anew():
    """What was found of Optuna is forgotten before and after."""
    optuna_tpe._parts.cache_clear()
    yield
    optuna_tpe._parts.cache_clear()


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


SPACE = {
    "dropout": FloatDistribution(-3.0, 1.0),
    "rate": FloatDistribution(1e-5, 0.1, log=True),
    "ratio": FloatDistribution(0.1, 0.9, step=0.2),
    "odd": IntDistribution(1, 9, step=2),
    "units": IntDistribution(8, 512, log=True),
    "wide": IntDistribution(0, 10**6),
    "kind": CategoricalDistribution(["a", "b", "c"]),
    "loss": CategoricalDistribution([None, 1]),
}


def observed(count):
    """The values of trials, as numbers; many are equal."""
    stream = np.random.default_rng(count)
    study = optuna.create_study(sampler=RandomSampler(count))
    trials = [study.ask(SPACE).params for _ in range(40)]
    rows = [[one.to_internal_repr(t[name]) for name, one in SPACE.items()] for t in trials]
    return np.array(rows)[stream.integers(len(rows), size=count)]


def both(values, names, is_equal=False):
    """Optuna's estimator and ours of the same trials and hyperparameters."""
    space = {name: SPACE[name] for name in names}
    columns = [list(SPACE).index(name) for name in names]
    weights = np.ones(len(values)) if is_equal else None
    optunas = _ParzenEstimator(
        {name: values[:, column] for name, column in zip(names, columns, strict=True)},
        space,
        TPESampler()._parzen_estimator_parameters,
        weights,
    )
    return optunas, optuna_tpe.Kernels(
        optuna_tpe.Axes(space.values()), values[:, columns], is_equal
    )


@given(
    st.integers(0, 300),
    st.lists(st.sampled_from(list(SPACE)), min_size=1, unique=True),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_a_density_and_its_points_are_those_of_optuna(count, names, is_equal):
    optunas, ours = both(observed(count), names, is_equal)
    expected = optunas.sample(np.random.RandomState(0), 50)
    at_theirs = np.stack([*expected.values()], axis=1)
    np.testing.assert_allclose(ours.sample(np.random.RandomState(0), 50), at_theirs, rtol=1e-6)
    found = ours.log_pdf(at_theirs)
    np.testing.assert_allclose(found, optunas.log_pdf(expected), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("off", [-500.0, 0.0, 500.0])
def test_kernels_far_from_the_range_count_as_in_optuna(off):
    values = observed(20)
    values[:5, 0] += off
    optunas, ours = both(values, ["dropout", "units"])
    expected = optunas.sample(np.random.RandomState(1), 50)
    points = ours.sample(np.random.RandomState(1), 50)
    at_theirs = np.stack([*expected.values()], axis=1)
    np.testing.assert_allclose(points, at_theirs, rtol=1e-6)
    np.testing.assert_allclose(ours.log_pdf(at_theirs), optunas.log_pdf(expected), rtol=1e-7)


@pytest.mark.parametrize("step", STEPS)
def test_a_quick_sampler_proposes_the_same(step):
    expected = proposals(sampler(step), step)
    quicker = quick(sampler(step))
    assert type(quicker) is QuickTPESampler
    found = proposals(quicker, step)
    assert [len(values) for values in found] == [len(values) for values in expected]
    for ours, optunas in zip(found, expected, strict=True):
        assert ours == pytest.approx(optunas)


def test_a_sampler_that_has_served_another_study_has_forgotten_it():
    plain_one, quicker = sampler(), quick(sampler())
    expected = [proposals(plain_one, one, trials) for trials in (30, 40)]
    for trials, theirs in zip((30, 40), expected, strict=True):
        for ours, optunas in zip(proposals(quicker, one, trials), theirs, strict=True):
            assert ours == pytest.approx(optunas)


def test_optuna_and_the_users_sampler_stay_as_they_are():
    modules = (parzen_estimator, _tpe, group_decomposed)
    given = sampler()
    before = [dict(vars(module)) for module in modules], dict(vars(TPESampler)), dict(vars(given))
    quicker = quick(given)
    proposals(quicker, one, 20)
    after = [dict(vars(module)) for module in modules], dict(vars(TPESampler)), dict(vars(given))
    assert after == before


def test_a_quick_sampler_goes_to_another_process():
    quicker = quick(sampler())
    expected = proposals(pickle.loads(pickle.dumps(quicker)), one, 20)
    assert proposals(quicker, one, 20) == expected


def test_a_class_of_the_users_is_asked_itself():
    class Own(TPESampler):
        pass

    given = Own(seed=0)
    assert quick(given) is given


class Parabola(kt_hpo.OptunaSearch):
    def run_trial(self, trial):
        hp = trial.hyperparameters
        kind = hp.Choice("kind", ["near", "far"])
        return (hp.Float("x", -1, 1) - 0.3) ** 2 + (kind == "far") + abs(hp.Int("n", 1, 9) - 5)


def best_of_a_search(folder):
    tuner = Parabola(max_trials=40, seed=0, directory=folder)
    tuner.search(verbose=0)
    return type(tuner.oracle._asked), [trial.params for trial in tuner.study.trials]


NEEDED = [
    (parzen_estimator, "_ParzenEstimatorParameters"),
    (_tpe, "default_gamma"),
    (_tpe, "_split_trials"),
    (group_decomposed, "_SearchSpaceGroup"),
    (TPESampler, "_get_params"),
]


@pytest.mark.parametrize("setting", [{"prior_weight": 0.5}, {"consider_endpoints": True}])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_setting_that_optuna_removes_is_left_to_optuna(setting):
    given_one = TPESampler(seed=0, **setting)
    assert quick(given_one) is given_one


@pytest.mark.parametrize(("owner", "name"), NEEDED)
@pytest.mark.usefixtures("asked_anew")
def test_without_one_of_its_names_optunas_own_sampler_is_asked(owner, name, monkeypatch):
    given = sampler()
    monkeypatch.delattr(owner, name)
    assert quick(given) is given


@pytest.mark.usefixtures("asked_anew")
def test_a_search_with_optunas_own_sampler_proposes_the_same(tmp_path, monkeypatch):
    kind, expected = best_of_a_search(tmp_path / "quick")
    assert kind is QuickTPESampler
    monkeypatch.setattr(optuna_tpe, "_parts", _without_a_name)
    kind, found = best_of_a_search(tmp_path / "plain")
    assert kind is TPESampler
    for ours, optunas in zip(found, expected, strict=True):
        assert ours == pytest.approx(optunas)


def _without_a_name():
    raise AttributeError("default_gamma")


def test_the_groups_are_those_of_optuna():
    study = optuna.create_study()
    quicker = quick(sampler())
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
        found = quicker._group_decomposed_search_space.calculate(study).search_spaces
        expected = _GroupDecomposedSearchSpace(True).calculate(study).search_spaces
        assert sorted(map(sorted, found)) == sorted(map(sorted, expected))
