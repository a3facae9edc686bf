"""The values that are given, completed and held against the space."""

import numpy as np
import pytest
from networks import scoped

from kt_hpo.integrations.sklearn.configurations import configuration
from kt_hpo.space.hyperparameters import HyperParameters


def test_inactive_values_are_ignored_and_missing_ones_are_defaults():
    space = HyperParameters()
    scoped(space)
    assert configuration(space, {"norm": True}).values == {"kind": "linear", "a/b": 0.0}
    values = configuration(space, {"kind": "deep", "norm": np.True_, "units": None}).values
    assert values == {"kind": "deep", "units": 2, "norm": True, "a/b": 0.0}
    assert type(values["norm"]) is bool
    assert configuration(space, {"kind": np.str_("wide"), "units": 0.75})["units"] == 0.75
    with pytest.raises(ValueError, match=r"units=4 .*high=1.0"):
        configuration(space, {"kind": "wide", "units": 4})


def test_values_get_the_type_of_their_hyperparameter():
    hp = HyperParameters()
    hp.Int("units", 1, 9)
    hp.Float("rate", 1e-4, 0.1)
    values = configuration(hp, {"units": np.float64(4), "rate": np.nextafter(0.1, 1)}).values
    assert values == {"units": 4, "rate": 0.1}
    assert [type(value) for value in values.values()] == [int, float]
    with pytest.raises(ValueError, match=r"units=4\.5"):
        configuration(hp, {"units": 4.5})


def test_a_last_step_just_below_its_range_stays_what_it_is():
    hp = HyperParameters()
    hp.Float("rate", 0, np.nextafter(0.3, 1), step=0.1)
    assert configuration(hp, {"rate": 0.3}).values == {"rate": 0.3}
