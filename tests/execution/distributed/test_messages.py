"""What chief and workers say arrives as it was said."""

import json

import numpy as np
import pytest
from keras_tuner import errors
from keras_tuner.engine.trial import Trial

from kt_hpo.execution.distributed.messages import (
    TrialLostError,
    error_of,
    packed,
    raised,
    unpacked,
)
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.space.kinds import Float


def arrived(message):
    return unpacked(packed(message))


def test_a_trial_arrives_with_its_space_its_values_and_its_metrics():
    hp = HyperParameters()
    hp.Choice("bias", [True, False])
    with hp.conditional_scope("bias", [True]):
        hp.Float("rate", 1e-4, 1e-1, sampling="log", default=1e-3)
    hp.values["tuner/trial_id"] = "0003"
    trial = Trial(hp, "0007", message="Traceback\nValueError: ü")
    trial.metrics.register("val_loss", direction="min")
    trial.metrics.update("val_loss", float("nan"), step=2)
    trial.score, trial.best_step = 0.25, 2
    there = arrived(trial)
    assert type(there.hyperparameters) is HyperParameters
    assert there.hyperparameters.get_config() == hp.get_config()
    assert there.hyperparameters.values["bias"] is True
    assert json.dumps(there.get_state()) == json.dumps(trial.get_state())


def test_a_hyperparameter_arrives_for_itself():
    there = arrived([Float("rate", 0, 0.5, step=0.1)])[0]
    assert type(there) is Float and list(there.values) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]


def test_numbers_of_numpy_arrive_as_numbers():
    assert arrived({"a": np.float32(0.5), "b": np.int64(3), "c": [np.bool_(True)]}) == {
        "a": 0.5,
        "b": 3,
        "c": [True],
    }


def test_what_is_no_description_is_not_sent():
    with pytest.raises(TypeError, match="cannot be sent"):
        packed({"code": print})


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TrialLostError("gone"), TrialLostError),
        (errors.FatalValueError("wrong"), errors.FatalValueError),
        (KeyError("units"), RuntimeError),
    ],
)
def test_errors_arrive_as_what_is_told_apart(error, kind):
    there = error_of(*arrived(raised(error))["error"])
    assert type(there) is kind and str(error) in str(there)
