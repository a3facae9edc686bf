"""The search space as scikit-learn's grids and distributions."""

import math

import keras_tuner
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kt_hpo.sklearn import param_distributions, param_grid
from networks import scoped
from sklearn.model_selection import ParameterGrid, ParameterSampler
from strategies import spaces

from kt_hpo.integrations.sklearn.configurations import configuration
from kt_hpo.integrations.sklearn.grids import scopes
from kt_hpo.space.hyperparameters import HyperParameters


class Declared(keras_tuner.HyperModel):
    """A hypermodel that has a given space, and no model."""

    def __init__(self, space):
        super().__init__()
        self.space = space

    def declare_hyperparameters(self, hp):
        hp.merge(self.space.space)

    def build(self, hp):
        return None


def test_each_scope_has_a_grid_of_its_own():
    assert param_grid(scoped, levels=2, prefix="m__") == [
        {"m__kind": ["linear"], "m__a/b": [0.25, 0.75]},
        {
            "m__kind": ["deep"],
            "m__units": [2, 4],
            "m__norm": [True, False],
            "m__a/b": [0.25, 0.75],
        },
        {"m__kind": ["wide"], "m__units": [0.5, 1.0], "m__a/b": [0.25, 0.75]},
    ]


def test_a_range_has_so_many_levels():
    def ranges(hp):
        hp.Float("rate", 1e-4, 1e-1, sampling="log")
        hp.Int("few", 1, 3)
        hp.Int("many", 1, 1000)

    [grid] = param_grid(ranges)
    assert {name: len(values) for name, values in grid.items()} == {
        "rate": 10,
        "few": 3,
        "many": 10,
    }
    steps = np.diff(np.log(grid["rate"]))
    assert steps == pytest.approx(steps[0])
    for levels in (0, 2.5, -1):
        with pytest.raises(ValueError, match="whole number from 1 on"):
            param_grid(ranges, levels)


def test_distributions_are_scipys_where_it_has_them():
    def ranges(hp):
        hp.Int("units", 1, 8)
        hp.Float("dropout", 0, 0.5)
        hp.Float("rate", 1e-4, 1e-1, sampling="log")
        hp.Int("width", 8, 4096, sampling="log")
        hp.Float("step", 0, 1, step=0.5)
        hp.Int("one", 3, 3)

    [found] = param_distributions(ranges)
    assert [found[name].dist.name for name in ("units", "dropout", "rate")] == [
        "randint",
        "uniform",
        "loguniform",
    ]
    assert (found["step"], found["one"]) == ([0.0, 0.5, 1.0], [3])
    widths = found["width"].rvs(1000, random_state=0)
    assert np.median(widths) == pytest.approx(np.sqrt(8 * 4096), rel=0.2)


def test_a_continuous_parent_is_divided_too():
    def ranges(hp):
        hp.Float("dropout", 0, 0.5)
        with hp.conditional_scope("dropout", [0.0, 0.9]):
            hp.Boolean("norm")

    without, rest = param_distributions(ranges)
    assert without == {"dropout": [0.0], "norm": [True, False]}
    assert list(rest) == ["dropout"]


def is_valid(space, point):
    """Whether a point is a configuration, but for errors of rounding, with all that is active."""
    values = configuration(space, point).values
    return set(values) == set(point) and all(
        value == point[name] or math.isclose(value, point[name], rel_tol=1e-9)
        for name, value in values.items()
    )


@settings(deadline=None)
@given(spaces(), st.integers(1, 2))
def test_every_point_of_a_grid_is_a_configuration(space, levels):
    declare = Declared(space)
    seen = []
    for grid in param_grid(declare, levels):
        # The corners of each grid: all of them would be too many.
        for pick in (0, -1):
            point = {name: values[pick] for name, values in grid.items()}
            assert is_valid(space, point)
        seen.append({name: set(map(repr, values)) for name, values in grid.items()})
    for index, one in enumerate(seen):
        for other in seen[:index]:
            shared = one.keys() & other.keys()
            assert any(not one[name] & other[name] for name in shared)


@pytest.mark.filterwarnings("ignore:The total space of parameters")
@settings(deadline=None)
@given(spaces(), st.integers(0, 99))
def test_every_drawn_point_is_a_configuration(space, seed):
    distributions = param_distributions(Declared(space))
    for point in ParameterSampler(distributions, 5, random_state=seed):
        assert is_valid(space, point)


def test_a_grid_has_every_combination_once():
    space = HyperParameters()
    scoped(space)
    points = list(ParameterGrid(param_grid(scoped, levels=3)))
    completed = [tuple(configuration(space, point).values.items()) for point in points]
    assert len(set(completed)) == len(points) == 3 * (1 + 3 * 2 + 3)
    assert len(scopes(space, lambda hp: list(hp.values))) == 3
