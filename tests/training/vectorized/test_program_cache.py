"""Models that are predicted rather than built."""

import math
import random
import time
from functools import cache, partial

import keras
import numpy as np
import pytest
from keras import layers

from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.training.vectorized.learner import weights
from kt_hpo.training.vectorized.program_cache import ProgramCache
from kt_hpo.training.vectorized.watched import Watched, watching


def handing_on(hp):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(hp.Int("units", 2, 9))])
    model.add(layers.Dropout(hp.Float("dropout", 0.1, 0.5)))
    model.add(layers.Dense(1, kernel_regularizer=keras.regularizers.L2(hp.Float("l2", 0.1, 0.9))))
    model.compile(keras.optimizers.Adam(hp.Float("rate", 1e-3, 1e-1)), "mse")
    return model


def branching(hp):
    """Few learning rates give another model."""
    model = handing_on(hp)
    if hp["rate"] > 0.05:
        model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
        model.compile(keras.optimizers.Adam(hp["rate"]), "mse")
    return model


def calculating(hp):
    model = handing_on(hp)
    model.compile(keras.optimizers.Adam(hp["rate"] / 2), "mse")
    return model


def naming(hp):
    model = handing_on(hp)
    model.name = f"model_{hp['l2']}"
    return model


def unseeded(hp):
    model = handing_on(hp)
    model.layers[0].set_weights([np.random.normal(size=w.shape) for w in model.get_weights()[:2]])
    return model


def orthogonal(hp):
    rate = hp.Float("rate", 1e-3, 1e-1)
    model = keras.Sequential([keras.Input((4, 3)), layers.LSTM(3), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(rate), "mse")
    return model


@cache
def drafted(hypermodel, count=6, units=(4,)):
    """Models of a cache, whether each was built, and a function that builds it as a trial does."""
    cache, generator = ProgramCache(hypermodel), np.random.default_rng(0)
    found = []
    for seed in range(count):
        hp = HyperParameters()
        hypermodel(hp)
        ranges = {"dropout": (0.1, 0.5), "l2": (0.1, 0.9), "rate": (1e-3, 0.04)}
        hp.values |= {n: float(generator.uniform(*ranges[n])) for n in ranges if n in hp.values}
        if "units" in hp.values:
            hp.values["units"] = units[seed % len(units)]
        built = []

        def build(hp=hp, built=built):
            built.append(True)
            return hypermodel(hp)

        draft = cache.draft(hp, seed, build)
        found.append((draft, bool(built), partial(anew, hypermodel, hp, seed)))
    return found


def anew(hypermodel, hp, seed):
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(seed)
    return hypermodel(hp)


@pytest.mark.parametrize("hypermodel", [handing_on, orthogonal])
def test_the_third_is_predicted_to_the_last_bit(hypermodel):
    found = drafted(hypermodel)
    assert [built for _, built, _ in found] == [True, True] + [False] * 4
    for draft, _, build in found:
        model = build()
        assert draft.rate == pytest.approx(float(model.optimizer.learning_rate.numpy()))
        assert draft.parameters == model.count_params()
        for ours, variable in zip(draft.weights, weights(model), strict=True):
            assert np.array_equal(ours, variable.numpy())


def test_predicted_scalars_are_the_trials_own():
    for draft, _, build in drafted(handing_on):
        model = build()
        assert draft.scalars == [model.layers[1].rate, model.layers[2].kernel_regularizer.l2]


def test_predicted_drafts_share_a_model():
    models = {id(draft.model()) for draft, built, _ in drafted(handing_on) if not built}
    assert len(models) == 1


def test_a_trial_goes_on_from_where_another_ended():
    draft = drafted(handing_on)[-1][0]
    end = [*(array + 1 for array in draft.weights), np.array(12), *draft.weights]
    continued = draft.going_on(end)
    assert continued.iterations == 12
    assert continued.rate == draft.rate
    assert np.array_equal(continued.weights[0], draft.weights[0] + 1)
    assert len(continued.optimizer) == 1 + len(draft.weights)


def test_every_architecture_is_learned_by_itself():
    built = [built for _, built, _ in drafted(handing_on, count=8, units=(4, 5))]
    assert built == [True] * 4 + [False] * 4


def test_after_a_few_architectures_one_build_of_another_is_enough():
    found = drafted(handing_on, count=10, units=(4, 4, 5, 5, 6, 6, 7, 7, 8, 8))
    assert [built for _, built, _ in found] == [True] * 7 + [False, True, False]
    for draft, _, build in found:
        model = build()
        for ours, variable in zip(draft.weights, weights(model), strict=True):
            assert np.array_equal(ours, variable.numpy())
        assert draft.scalars == [model.layers[1].rate, model.layers[2].kernel_regularizer.l2]


@pytest.mark.parametrize("other", [calculating, unseeded])
def test_an_architecture_that_does_more_than_the_others_is_made_every_time(other):
    def mixed(hp):
        return other(hp) if hp.Int("units", 2, 9) == 7 else handing_on(hp)

    found = drafted(mixed, count=10, units=(4, 4, 5, 5, 6, 6, 7, 7, 7, 7))
    assert [built for _, built, _ in found] == [True] * 10


@pytest.mark.parametrize("hypermodel", [branching, calculating, naming, unseeded])
def test_a_build_that_does_more_than_hand_values_on_is_made_every_time(hypermodel):
    assert all(built for _, built, _ in drafted(hypermodel))


def test_keras_may_look_at_a_watched_value():
    value = Watched(0.25)
    layers.Dropout(value)
    keras.optimizers.SGD(value, momentum=value)
    assert not value.was_looked_at
    assert round(value, 1) == 0.2
    assert value.was_looked_at


def test_values_are_watched_for_a_build_only():
    hp = HyperParameters()
    hp.values = {"a": 0.5, "b": 3, "c": "x"}
    with watching(hp) as watched:
        assert isinstance(hp.values["a"], Watched)
        assert watched.keys() == {"a"}
        assert hp.values["b"] == 3
    assert type(hp.values["a"]) is float


def rounding(hp):
    """A threshold on what only C code has seen of the value."""
    model = handing_on(hp)
    if math.log10(hp["rate"]) > -2:
        model.layers[0].activation = keras.activations.relu
    return model


COUNTED = []


def counting(hp):
    COUNTED.append(True)
    return handing_on(hp) if len(COUNTED) < 4 else calculating(hp)


def timing(hp):
    return handing_on(hp) if time.monotonic() > 0 else calculating(hp)


def drawing(hp):
    return handing_on(hp) if random.random() < 2 else calculating(hp)


def keeping(hp):
    """A class that keeps the value without looking at it."""

    model = handing_on(hp)

    class Keeping(layers.Dense):
        number = hp["rate"]

    Keeping(1)
    return model


@pytest.mark.parametrize("hypermodel", [rounding, counting, timing, drawing, keeping])
def test_a_build_that_may_do_more_than_a_value_notices_is_made_every_time(hypermodel):
    assert all(built for _, built, _ in drafted(hypermodel))


def test_numbers_that_may_be_two_values_are_not_predicted():
    def two(hp):
        model = keras.Sequential([keras.Input((3,)), layers.Dropout(hp.Float("one", 0.1, 0.5))])
        model.add(layers.Dense(1))
        model.add(layers.Dropout(hp.Float("two", 0.1, 0.5)))
        model.compile("sgd", "mse")
        return model

    cache, found = ProgramCache(two), []
    for seed, (one, other) in enumerate([(0.1, 0.1), (0.2, 0.2), (0.3, 0.4)]):
        hp = HyperParameters()
        hp.values = {"one": one, "two": other}
        found.append(cache.draft(hp, seed, partial(two, hp)).scalars)
    assert found == [[0.1, 0.1], [0.2, 0.2], [0.3, 0.4]]


def test_a_number_that_keras_refuses_is_not_predicted():
    def dropping(hp):
        model = keras.Sequential([keras.Input((3,)), layers.Dropout(hp.Float("rate", 0.1, 2))])
        model.add(layers.Dense(1))
        model.compile("sgd", "mse")
        return model

    cache = ProgramCache(dropping)
    for seed, rate in enumerate([0.1, 0.2, 0.3]):
        hp = HyperParameters()
        hp.values = {"rate": rate}
        cache.draft(hp, seed, partial(dropping, hp))
    hp.values = {"rate": 1.5}
    with pytest.raises(ValueError, match="rate"):
        cache.draft(hp, 3, partial(dropping, hp))


def test_an_error_that_a_watched_value_causes_is_not_the_trials():
    def exact(hp):
        assert type(hp.Float("rate", 1e-3, 1e-1)) is float
        return handing_on(hp)

    assert all(built for _, built, _ in drafted(exact, count=2))


def scaling(hp):
    factor = hp.Float("factor", 0.3, 0.9)
    model = keras.Sequential([keras.Input((3,)), layers.Rescaling(factor)])
    model.add(layers.Dense(1, kernel_constraint=keras.constraints.MaxNorm(factor)))
    model.compile(keras.optimizers.SGD(hp.Float("rate", 1e-3, 1e-1), clipnorm=factor), "mse")
    return model


def scheduling(hp):
    schedule = keras.optimizers.schedules.ExponentialDecay(hp.Float("rate", 1e-3, 0.1), 2, 0.9)
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(schedule), "mse")
    return model


def test_no_model_that_trains_has_a_watched_value_in_it():
    for draft, _, _ in drafted(scaling):
        rescaling, dense = draft.model().layers
        held = [
            rescaling.scale,
            dense.kernel_constraint.max_value,
            draft.model().optimizer.clipnorm,
        ]
        assert [type(one) for one in held] == [float] * 3
        assert all(type(one) is not Watched for one in floats_in(draft.signature))


def test_no_schedule_has_a_watched_value_in_it():
    for draft, _, _ in drafted(scheduling):
        assert type(draft.schedule.initial_learning_rate) is float


def floats_in(description):
    if isinstance(description, tuple):
        return [one for part in description for one in floats_in(part)]
    return [description] if isinstance(description, float) else []
