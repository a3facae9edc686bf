import json

import keras_tuner
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
    json_to_distribution,
)
from strategies import FLOATS, POSITIVE, TEXT, hyperparameters, spaces

from kt_hpo.space import domain
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.space.scopes import recorded_names


def drawn(known, numbers):
    """Values for every active hyperparameter, as an oracle draws them."""
    hps = HyperParameters()
    for hp in known.space:
        hps.merge([hp])
        if hps.is_active(hp):
            hps.values[hp.name] = hp.prob_to_value(next(numbers))
    return hps.values


@pytest.mark.slow
@given(hyperparameters(), st.floats(0, 0.9999))
def test_a_value_survives_the_record_exactly(hp, prob):
    value = hp.prob_to_value(prob)
    distribution = json_to_distribution(distribution_to_json(domain.to_distribution(hp)))
    internal = json.loads(json.dumps(distribution.to_internal_repr(value)))
    assert distribution._contains(internal)
    back = distribution.to_external_repr(internal)
    assert back == value
    assert type(back) is type(value)


@given(
    st.sampled_from(
        [
            FloatDistribution(-1.0, 1.0),
            FloatDistribution(0.5, 8.0, log=True),
            FloatDistribution(0.1, 0.9, step=0.1),
            IntDistribution(-3, 9, step=3),
            IntDistribution(1, 8, log=True),
            CategoricalDistribution([None, True, 0.3, "a", 6]),
        ]
    ),
    st.integers(-20, 20)
    | st.integers(-2, 12).map(lambda tenths: tenths * 0.1)
    | st.floats(-2, 10)
    | st.sampled_from([None, True, "a", "3", float("nan"), float("inf"), 0.3 + 1e-10, 6 + 1e-10]),
)
def test_a_distribution_contains_what_a_trial_of_optunas_may_have(distribution, value):
    try:
        optuna.trial.create_trial(
            value=0.0, params={"it": value}, distributions={"it": distribution}
        )
    except ValueError:
        assert not domain.contains(distribution, value)
    else:
        assert domain.contains(distribution, value)


@given(spaces(), st.lists(st.floats(0, 0.9999), min_size=60, max_size=60))
def test_a_trial_survives_the_record_exactly(known, numbers):
    values = drawn(known, iter(numbers))
    params, distributions, rest = domain.to_params(known, values | {"tuner/epochs": 3})
    study = optuna.create_study()
    study.add_trial(
        optuna.trial.create_trial(
            state=optuna.trial.TrialState.RUNNING, params=params, distributions=distributions
        )
    )
    config = json.loads(json.dumps(known.get_config()))
    back = domain.from_params(HyperParameters.from_config(config), study.trials[0].params, rest)
    assert back.values == values | {"tuner/epochs": 3}
    assert {name: type(value) for name, value in back.values.items()} == {
        name: type(value) for name, value in (values | {"tuner/epochs": 3}).items()
    }
    assert back.get_config()["space"] == known.get_config()["space"]


@st.composite
def distributions(draw):
    low, high = sorted(draw(st.tuples(st.integers(1, 500), st.integers(1, 500))))
    kind = draw(st.sampled_from(["int", "log int", "float", "log float", "choice"]))
    if kind == "int":
        step = draw(st.integers(1, 9))
        return IntDistribution(low, low + (high - low) // step * step, step=step)
    if kind == "log int":
        return IntDistribution(low, high, log=True)
    if kind == "float":
        return FloatDistribution(low / 7, high / 7)
    if kind == "log float":
        return FloatDistribution(low / 7, high / 7, log=True)
    values = draw(st.sampled_from([TEXT, FLOATS, POSITIVE, st.integers(), st.booleans()]))
    return CategoricalDistribution(draw(st.lists(values, min_size=1, max_size=4, unique=True)))


@given(distributions())
def test_an_optuna_distribution_comes_back(distribution):
    hp = domain.from_distribution("x", distribution)
    back = domain.to_distribution(hp)
    if isinstance(distribution, CategoricalDistribution):
        assert set(map(repr, back.choices)) == set(map(repr, distribution.choices))
    else:
        assert back == distribution


def test_kinds_are_mapped_as_optuna_users_expect():
    hp = HyperParameters()
    hp.Int("layers", 1, 4)
    hp.Int("units", 32, 100, step=32)
    hp.Float("rate", 1e-4, 1e-1, sampling="log")
    hp.Int("batch", 16, 256, step=2, sampling="log")
    hp.Float("momentum", 0.5, 0.99, sampling="reverse_log")
    hp.Boolean("norm")
    hp.Fixed("epochs", 5)
    found = {h.name: domain.to_distribution(h) for h in hp.space}
    assert found == {
        "layers": IntDistribution(1, 4),
        "units": IntDistribution(32, 96, step=32),
        "rate": FloatDistribution(1e-4, 1e-1, log=True),
        "batch": IntDistribution(16, 256, log=True),
        "momentum": FloatDistribution(0.5, 0.99),
        "norm": CategoricalDistribution([False, True]),
        "epochs": CategoricalDistribution([5]),
    }


def test_scopes_that_share_a_name_are_kept_apart():
    hp = HyperParameters()
    hp.Choice("model", ["mlp", "cnn"])
    with hp.conditional_scope("model", ["mlp"]):
        hp.Int("units", 8, 64)
    with hp.conditional_scope("model", ["cnn"]):
        hp.Choice("units", ["few", "many"])
    names = [name for _, name in recorded_names(hp)]
    assert names == ["model", "units", "units [model=cnn]"]
    params, _, _ = domain.to_params(hp, {"model": "cnn", "units": "many"})
    assert params == {"model": "cnn", "units [model=cnn]": "many"}


def test_a_default_outside_its_own_range_is_recorded():
    hp = keras_tuner.HyperParameters()
    hp.Int("units", 32, 512, step=32, default=50)
    hp = HyperParameters.from_config(hp.get_config())
    params, found, rest = domain.to_params(hp, {"units": 50})
    assert params == {"units": 50} and not rest
    assert found["units"]._contains(50)


def test_explore_enters_every_scope():
    def build(hp):
        if hp.Choice("kind", ["a", "b"]) == "a":
            pass
        with hp.conditional_scope("kind", ["b"]):
            inner = hp.Boolean("inner")
            with hp.conditional_scope("inner", [True]):
                if inner:
                    hp.Float("deep", 0, 1)

    found = domain.explore(build, HyperParameters())
    assert [hp.name for hp in found.space] == ["kind", "inner", "deep"]


def test_explore_survives_a_build_that_fails_for_some_values():
    def build(hp):
        kind = hp.Choice("kind", ["broken", "fine"])
        with hp.conditional_scope("kind", ["fine"]):
            hp.Int("units", 1, 3)
        if kind == "broken":
            raise RuntimeError("no such kind")

    found = domain.explore(build, HyperParameters())
    assert [hp.name for hp in found.space] == ["kind", "units"]

    def never(hp):
        hp.Int("units", 1, 3)
        raise RuntimeError("never")

    with pytest.raises(ValueError, match="RuntimeError: never"):
        domain.explore(never, HyperParameters())


def test_size_counts_configurations():
    hp = HyperParameters()
    hp.Int("a", 1, 3)
    hp.Float("b", 0, 0.5, step=0.1)
    hp.Boolean("c")
    hp.Fixed("d", 1)
    assert domain.size(hp) == 36
    hp.Float("e", 0, 1)
    assert domain.size(hp) is None


def test_a_stranger_is_refused():
    with pytest.raises(TypeError, match=r"hp\.Int"):
        domain.to_distribution(keras_tuner.engine.hyperparameters.HyperParameter("x"))


@pytest.mark.parametrize("value", [4.5, float("nan"), float("inf"), [4], None, "4", True, 99])
def test_what_no_integer_can_be_is_refused(value):
    hp = HyperParameters()
    hp.Int("units", 1, 9)
    with pytest.raises(ValueError, match=r"units=.* is not allowed"):
        domain.check_values(hp, {"units": value})


def test_the_ends_of_a_long_range_are_known_without_counting_through_it():
    hp = HyperParameters()
    hp.Int("seed", 5, 10**12, step=10)
    assert domain.to_distribution(hp.space[0]) == IntDistribution(5, 10**12 - 5, step=10)
