"""What engines learn from trials, and how values become numbers."""

import keras_tuner
import numpy as np
import pytest
from conformance.searches import conditional_space
from hypothesis import given
from hypothesis import strategies as st
from keras_tuner.engine.trial import Trial
from strategies import hyperparameters

from kt_hpo.engines.proposals.observations import dimensions, observations, to_unit
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.space.kinds import Choice, Float, Int
from kt_hpo.space.scopes import active_values


def trial(status, score):
    made = Trial(HyperParameters(), trial_id=status, status=status)
    made.hyperparameters.values = {"status": status}
    made.score = score
    return made


@pytest.mark.parametrize(("direction", "sign"), [("min", 1), ("max", -1)])
def test_failed_trials_say_nothing_and_running_ones_no_loss(direction, sign):
    trials = [
        trial("COMPLETED", 0.5),
        trial("FAILED", None),
        trial("PRUNED", 0.9),
        trial("RUNNING", None),
    ]
    seen = observations(trials, keras_tuner.Objective("score", direction))
    assert [(o.values["status"], o.loss) for o in seen] == [
        ("COMPLETED", sign * 0.5),
        ("PRUNED", sign * 0.9),
        ("RUNNING", None),
    ]


@given(hyperparameters(), st.floats(0, 1, exclude_max=True))
def test_a_value_comes_back_from_its_place(hyperparameter, place):
    value = hyperparameter.prob_to_value(place)
    there = to_unit(hyperparameter, value)
    assert 0 <= there <= 1
    back = hyperparameter.prob_to_value(there)
    if isinstance(hyperparameter, Float) and hyperparameter.step is None:
        width = hyperparameter.max_value - hyperparameter.min_value
        assert back == pytest.approx(value, rel=1e-6, abs=1e-6 * width)
    else:
        assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    ("hyperparameter", "value", "place"),
    [
        (Int("x", 1, 10, sampling="log"), 99, 1),
        (Float("x", 1.0, 2.0, sampling="log"), 0.0, 0),
        (Float("x", 1e-4, 1.0, sampling="log"), 1e-2, 0.5),
        (Choice("x", [16, 32, 64]), 32, 0.5),
    ],
)
def test_places_are_on_the_scale_of_sampling(hyperparameter, value, place):
    assert to_unit(hyperparameter, value) == pytest.approx(place, abs=0.05)


def test_only_what_can_vary_is_a_dimension():
    hp = conditional_space()
    hp.Fixed("optimizer", "adam")
    hp.Int("single", 3, 3)
    assert [name for _, name in dimensions(hp)] == ["model", "units", "dropout", "pooling", "rate"]
    values = active_values(hp, lambda hyperparameter, _: hyperparameter.prob_to_value(0.0))
    assert list(values) == ["model", "units", "rate", "optimizer", "single"]
    assert np.isclose(values["rate"], 1e-4)
