import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from models import everything
from ray import tune
from ray.tune.search.bayesopt import BayesOptSearch
from ray.tune.search.hyperopt import HyperOptSearch
from ray.tune.search.optuna import OptunaSearch
from strategies import hyperparameters, spaces

from kt_hpo.integrations.ray_tune.space import param_space, parameters_of, read_values
from kt_hpo.space import domain
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.space.kinds import Int
from kt_hpo.space.scopes import is_active


def with_eights(hp):
    everything(hp)
    hp.Int("eights", 8, 64, step=8)


def described(domain):
    if not isinstance(domain, tune.search.sample.Domain):
        return domain
    sampler = domain.get_sampler()
    quantum = getattr(sampler, "q", None)
    kind = str(sampler.get_sampler() if quantum else sampler)
    return (type(domain).__name__, kind, domain.domain_str, quantum)


def test_each_kind_has_its_domain():
    assert {name: described(domain) for name, domain in param_space(with_eights).items()} == {
        "layer 1_kind": described(tune.choice(["a", "b"])),
        "units": described(tune.randint(1, 65)),
        "units [layer 1_kind=b]": described(tune.lograndint(32, 513)),
        "stepped": described(tune.choice([10, 30, 50])),
        "eights": described(tune.qrandint(8, 64, 8)),
        "dropout": described(tune.uniform(0.0, 1.0)),
        "rate": described(tune.loguniform(1e-4, 1e-1)),
        "tenths": described(tune.quniform(0.0, 0.3, 0.1)),
        "reverse": described(tune.uniform(0.1, 1.0)),
        "flag": described(tune.choice([True, False])),
        "sizes": described(tune.choice([16, 32])),
        "fixed": 3,
        "single": 4,
    }


def sample(domain, seed):
    random_state = np.random.default_rng(seed)
    is_domain = isinstance(domain, tune.search.sample.Domain)
    return domain.sample(random_state=random_state) if is_domain else domain


@given(hyperparameters(), st.integers(0, 2**32 - 1))
def test_what_ray_draws_is_a_value_of_the_hyperparameter(hyperparameter, seed):
    known = HyperParameters()
    known.merge([hyperparameter])
    drawn = sample(param_space(lambda hp: hp.merge([hyperparameter]))["x"], seed)
    values = read_values(known, {"x": drawn})
    domain.check_values(known, values)
    assert type(values["x"]) is type(hyperparameter.default)
    if isinstance(drawn, str | bool):
        assert values["x"] == drawn
    else:
        assert values["x"] == pytest.approx(drawn, rel=1e-9, abs=1e-9)


@given(spaces(), st.integers(0, 2**32 - 1))
def test_a_config_gives_the_active_values(known, seed):
    config = {
        name: hyperparameter.prob_to_value(float(np.random.default_rng([seed, place]).random()))
        for place, (name, (hyperparameter, _)) in enumerate(parameters_of(known).items())
    }
    values = read_values(known, config)
    domain.check_values(known, values)
    assert values.keys() == {h.name for h in known.space if is_active(h, values)}


@given(hyperparameters(), st.floats(0.5, 2), st.integers(0, 2**32 - 1))
def test_what_exploring_makes_of_a_value_is_brought_back_into_its_range(hyperparameter, by, seed):
    known = HyperParameters()
    known.merge([hyperparameter])
    value = hyperparameter.prob_to_value(float(np.random.default_rng(seed).random()))
    config = {"x": value if isinstance(value, bool | str) else value * by}
    domain.check_values(known, read_values(known, config))


def test_the_nearest_step_is_taken():
    known = HyperParameters()
    known.merge([Int("units", 8, 64, step=8)])
    assert read_values(known, {"units": 38})["units"] == 40
    assert read_values(known, {"units": np.int64(900)})["units"] == 64


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"ratee": 0.1}, "Did you mean 'rate'"),
        ({"rate": "high"}, "rate='high' is not allowed"),
        ({"flag": 1}, "flag=1 is not allowed"),
    ],
)
def test_a_config_of_something_else_is_refused(config, message):
    known = domain.explore(with_eights, HyperParameters())
    with pytest.raises(ValueError, match=message):
        read_values(known, config)


def test_rays_own_entries_of_a_config_are_passed_over():
    known = domain.explore(with_eights, HyperParameters())
    assert read_values(known, {"__trial_index__": 3}) == read_values(known, {})


def numbers_only(hp):
    hp.Float("rate", 1e-4, 1e-1, sampling="log")
    hp.Float("dropout", 0, 1)


def test_rays_bayesopt_understands_a_space_of_numbers():
    # Ray's searcher itself needs a release of bayesian-optimization before ours.
    bounds = BayesOptSearch.convert_search_space(param_space(numbers_only))
    assert bounds == {"rate": (1e-4, 1e-1), "dropout": (0, 1)}


@pytest.mark.parametrize("searcher", [OptunaSearch, HyperOptSearch])
def test_rays_searchers_search_the_space(searcher):
    random.seed(0)
    known = domain.explore(with_eights, HyperParameters())
    search = searcher(space=param_space(with_eights), metric="val_loss", mode="min")
    for number in range(25):
        config = search.suggest(str(number))
        values = read_values(known, config)
        domain.check_values(known, values)
        search.on_trial_complete(str(number), {"val_loss": config["dropout"]})
