"""Ranges, written as arguments."""

import math

import keras_tuner
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypermodels.ranges import (
    Numbers,
    WithDefault,
    check_numbers,
    check_scale,
    check_shape,
    pick,
    possible,
    searched,
)
from kt_hpo.space import domain
from kt_hpo.space.hyperparameters import HyperParameters

NUMBERS = st.one_of(
    st.tuples(st.integers(1, 50), st.integers(0, 50)).map(lambda pair: (pair[0], sum(pair))),
    st.tuples(st.floats(0.1, 9), st.floats(0, 9)).map(lambda pair: (pair[0], sum(pair))),
    st.lists(st.integers(1, 99), min_size=1, max_size=5, unique=True),
    st.lists(st.floats(0.1, 99), min_size=1, max_size=5, unique=True),
    st.integers(1, 99),
    st.floats(0.1, 99),
)


def test_lists_and_ranges_are_searched():
    hp = HyperParameters()
    pick(hp, "units", (8, 64), sampling="log")
    pick(hp, "rate", (0.0, 0.5))
    pick(hp, "activation", ["relu", "tanh"])
    assert [repr(domain.to_distribution(h)) for h in hp.space] == [
        "IntDistribution(high=64, log=True, low=8, step=1)",
        "FloatDistribution(high=0.5, log=False, low=0.0, step=None)",
        "CategoricalDistribution(choices=('relu', 'tanh'))",
    ]


@given(NUMBERS, st.one_of(st.none(), st.integers(-5, 200), st.floats(-5, 200)), st.booleans())
def test_the_default_is_always_a_value_of_the_range(values, default, in_log):
    for given_range in (values, WithDefault(values, default)) if default is not None else [values]:
        hp = keras_tuner.HyperParameters()
        sampling = "log" if in_log else "linear"
        picked = pick(hp, "x", given_range, sampling, default)
        check_numbers("x", picked, 0)
        if isinstance(values, list):
            assert picked in values
            assert picked == default or default not in values
        elif isinstance(values, tuple):
            assert values[0] <= picked <= values[1]
            if default is not None and isinstance(values[0], float):
                assert picked == sorted([*values, default])[1]
        else:
            assert picked == values
        assert domain.holds(hp.space[0], picked)


@given(NUMBERS)
def test_what_is_searched_has_several_values(values):
    hp = HyperParameters()
    pick(hp, "x", values)
    distribution = domain.to_distribution(hp.space[0])
    assert searched(values) != distribution.single()
    assert searched(WithDefault(values, 1)) == searched(values)


@given(st.integers(1, 20), st.integers(0, 20))
def test_possible_lists_a_range_of_whole_numbers(low, more):
    values = (low, low + more)
    assert (
        possible(values) == possible(WithDefault(values, low)) == list(range(low, low + more + 1))
    )


JUNK = st.one_of(
    st.none(), st.booleans(), st.text(max_size=3), st.just(math.nan), st.just([]), st.just(()),
    st.tuples(st.integers(5, 9), st.integers(1, 4)), st.tuples(st.integers()),
    st.lists(st.text(max_size=2), min_size=1), st.integers(max_value=0), st.dictionaries(
        st.text(max_size=2), st.integers()),
)  # fmt: skip


@given(JUNK)
def test_anything_else_is_refused(junk):
    with pytest.raises(ValueError, match=r"x=.*give a range"):
        check_numbers("x", junk, 1)
    with pytest.raises(ValueError, match=r"x=.*give a range"):
        check_numbers("x", WithDefault((1, 2), junk), 1)


@given(st.one_of(JUNK, st.tuples(st.floats(allow_nan=True), st.floats(max_value=0))))
def test_a_scale_of_targets_is_two_numbers(junk):
    if junk is None:
        check_scale(junk)
        return
    if isinstance(junk, tuple) and len(junk) == 2 and junk[1] > 0 and all(map(math.isfinite, junk)):
        check_scale(junk)
        return
    with pytest.raises(ValueError, match=r"target_scale=.*standard"):
        check_scale(junk)


def test_numbers_of_numpy_are_numbers():
    check_scale((np.float32(1), np.float32(2)))
    check_shape((np.int64(3), 2))
    check_numbers("x", (np.int64(1), np.int64(4)), 1)
    with pytest.raises(ValueError, match="input_shape"):
        check_shape((2.5,))


def test_an_argument_that_is_not_given_is_the_presets():
    units = Numbers((8, 16), (4, 64), default=12, low=2)
    assert units.range_of("units", None, "small") == WithDefault((8, 16), 12)
    assert units.range_of("units", None, "wide") == WithDefault((4, 64), 12)
    assert units.range_of("units", 5, "wide") == WithDefault(5, 12)
    with pytest.raises(ValueError, match="units=1 is not allowed"):
        units.range_of("units", 1, "wide")
