import pickle

import numpy as np
import optuna
import pytest
from optuna.samplers import TPESampler
from optuna.samplers._tpe import _truncnorm, probability_distributions
from optuna.samplers._tpe import sampler as _tpe
from optuna.search_space import group_decomposed
from optuna.search_space.group_decomposed import _GroupDecomposedSearchSpace
from optuna.trial import TrialState, create_trial

import kt_hpo
from kt_hpo._private_apis import optuna_tpe
from kt_hpo._private_apis.optuna_tpe import QuickTPESampler, quick


@pytest.fixture
def asked_anew():
    """What was found of Optuna is forgotten before and after."""
    optuna_tpe._copies.cache_clear()
    yield
    optuna_tpe._copies.cache_clear()


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


def test_the_logarithm_is_the_same():
    points = np.concatenate([np.linspace(-40, 12, 500), [-1e3, -20.0, 6.0]])
    ours = optuna_tpe._copied(_truncnorm, _log_ndtr=optuna_tpe.log_ndtr)
    expected = _truncnorm._log_ndtr(points)
    np.testing.assert_allclose(ours._log_ndtr(points), expected, rtol=1e-9, atol=1e-15)


def kernels(stream, low, high, step=0.0, scaled=np.asarray):
    """Kernels of 40 trials and the prior between two values, as TPE makes them."""
    ends = scaled([low - step / 2, high + step / 2])
    width = ends[1] - ends[0]
    mu = stream.uniform(*ends, 40)
    sigma = np.clip(stream.exponential(width / 40, 40), width / 41, width)
    return np.append(mu, ends.mean()), np.append(sigma, width), low, high


@pytest.mark.parametrize("prior", [0.1, 0.0])
def test_densities_are_the_same(prior):
    stream = np.random.default_rng(0)
    module = probability_distributions
    weights = np.append(stream.uniform(0.1, 1, 40), prior)
    mixture = module._MixtureOfProductDistribution(
        weights / weights.sum(),
        [
            module._BatchedTruncNormDistributions(*kernels(stream, -3.0, 1.0)),
            module._BatchedTruncLogNormDistributions(*kernels(stream, 1e-5, 0.1, scaled=np.log)),
            module._BatchedDiscreteTruncNormDistributions(*kernels(stream, 1, 9, 2), 2),
            module._BatchedDiscreteTruncLogNormDistributions(
                *kernels(stream, 8, 512, 1, np.log), 1
            ),
            module._BatchedCategoricalDistributions(stream.dirichlet([1, 1, 1], 41)),
        ],
    )
    points = mixture.sample(np.random.RandomState(0), 100)
    points = np.concatenate([points, [[-3.0, 1e-5, 1, 8, 0], [1.0, 0.1, 9, 512, 2]]])
    expected = mixture.log_pdf(points)
    found = optuna_tpe._copies().mixture(*mixture).log_pdf(points)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    outside = np.array([[-3.1, 1e-3, 1, 8, 0], [0.0, 0.2, 1, 8, 0]])
    assert np.isneginf(optuna_tpe._copies().mixture(*mixture).log_pdf(outside)).all()


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
    modules = (_truncnorm, _tpe, group_decomposed)
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
    (_truncnorm, "_log_ndtr"),
    (_truncnorm, "erf"),
    (probability_distributions, "_BatchedTruncNormDistributions"),
    (probability_distributions._BatchedDiscreteTruncNormDistributions, "adapted_low"),
    (group_decomposed, "_SearchSpaceGroup"),
    (TPESampler, "_get_params"),
]


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
    monkeypatch.setattr(optuna_tpe, "_copies", _without_a_name)
    kind, found = best_of_a_search(tmp_path / "plain")
    assert kind is TPESampler
    for ours, optunas in zip(found, expected, strict=True):
        assert ours == pytest.approx(optunas)


def _without_a_name():
    raise AttributeError("_log_ndtr")


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
