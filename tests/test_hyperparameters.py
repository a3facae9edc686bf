import keras_tuner
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import floats, spaces

from kt_hpo.hyperparameters import Choice, Float, HyperParameters, corrected


def test_a_stepped_float_reaches_its_maximum():
    hp = Float("rate", 0, 0.5, step=0.1)
    assert list(hp.values) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert hp.prob_to_value(0.999) == 0.5
    # The reason for a class of our own: should Keras Tuner be mended, it can go.
    theirs = keras_tuner.HyperParameters()
    theirs.Float("rate", 0, 0.5, step=0.1)
    assert 0.5 not in list(theirs.space[0].values)


def test_a_choice_of_booleans_stays_boolean():
    hp = HyperParameters()
    assert hp.Choice("shuffle", [True, False]) is True
    assert hp.copy().space[0].values == [True, False]
    assert Choice("bias", [True, False], default=False).default is False


@given(floats(), st.floats(0, 0.9999))
def test_every_drawn_float_is_in_its_range_and_keeps_its_place(hp, prob):
    value = hp.prob_to_value(prob)
    assert hp.min_value - 1e-9 <= value <= hp.max_value * (1 + 1e-9) + 1e-9
    if hp.step is not None and hp.max_value > hp.min_value:
        assert hp.prob_to_value(hp.value_to_prob(value)) == value


def test_a_space_of_plain_keras_tuner_is_taken_and_corrected():
    theirs = keras_tuner.HyperParameters()
    theirs.Float("rate", 0, 0.5, step=0.1)
    ours = HyperParameters.from_config(theirs.get_config())
    assert 0.5 in list(ours.space[0].values)
    ours.merge(theirs)
    assert all(isinstance(hp, Float) for hp in ours.space)
    assert corrected(ours.space[0]) is ours.space[0]


@given(spaces())
def test_a_copy_is_equal_and_independent(space):
    before = space.get_config()
    copy = space.copy()
    assert copy.get_config() == before
    copy.Int("another", 1, 2)
    assert space.get_config() == before


def test_missing_active_values_become_defaults_not_random_ones():
    hp = HyperParameters()
    hp.Int("units", 1, 1000, default=7)
    hp.values.clear()
    hp.ensure_active_values()
    assert hp.values == {"units": 7}


@pytest.mark.parametrize(("model", "units"), [("mlp", 11), ("cnn", 300)])
def test_a_name_that_two_scopes_share_keeps_the_value_of_the_active_one(model, units):
    hp = HyperParameters()
    hp.Choice("model", ["mlp", "cnn"])
    with hp.conditional_scope("model", ["mlp"]):
        hp.Int("units", 8, 64)
    with hp.conditional_scope("model", ["cnn"]):
        hp.Int("units", 16, 512)
    hp.values = {"model": model, "units": units}
    hp.ensure_active_values()
    assert hp.values == {"model": model, "units": units}


@pytest.mark.parametrize("values", [[1, "a"], []])
def test_keras_tuners_own_checks_stay(values):
    with pytest.raises((TypeError, ValueError)):
        HyperParameters().Choice("x", values)
