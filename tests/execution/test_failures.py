"""Trials that fail, and when they end the search."""

import keras
import pytest
from models import build
from searches import FIT, fails_when_wide, searched

import kt_hpo


def test_a_trial_that_fails_fails_alone(tmp_path):
    tuner = searched(
        tmp_path, hypermodel=fails_when_wide, max_trials=5, max_consecutive_failed_trials=5
    )
    for trial in tuner.study.trials:
        failed = trial.params["units"] > 16
        assert trial.state.name == ("FAIL" if failed else "COMPLETE")
        assert ("too wide for this shop" in trial.user_attrs.get("traceback", "")) == failed
    assert {trial.state.name for trial in tuner.study.trials} == {"FAIL", "COMPLETE"}


def test_a_nan_fails_its_trial_and_says_when(tmp_path):
    def diverges(hp):
        model = build(hp)
        model.compile(keras.optimizers.SGD(hp.Choice("lr", [1e38, 1e-2])), loss="mse")
        return model

    tuner = searched(
        tmp_path, hypermodel=diverges, objective="val_loss", max_trials=4, seed=2,
        fit=FIT | {"epochs": 3}, max_consecutive_failed_trials=9,
    )  # fmt: skip
    states = {trial.params["lr"]: trial.state.name for trial in tuner.study.trials}
    assert states == {1e38: "FAIL", 1e-2: "COMPLETE"}
    message = next(t for t in tuner.study.trials if t.params["lr"] > 1).user_attrs["traceback"]
    assert "became" in message and "epoch 1" in message and "learning rate" in message


def test_a_model_that_is_too_large_fails(tmp_path):
    tuner = searched(tmp_path, max_trials=5, max_model_size=60, max_consecutive_failed_trials=9)
    for trial in tuner.study.trials:
        assert (trial.state.name == "FAIL") == (6 * trial.params["units"] + 1 > 60)
    errors = [t.user_attrs.get("traceback", "") for t in tuner.study.trials]
    assert any("max_model_size=60" in error for error in errors)


def test_three_failures_at_the_start_stop_the_search(tmp_path):
    def broken(hp):
        if hp.Int("units", 1, 99, default=99) < 99:
            raise RuntimeError(f"bug {hp['units']}")
        return build(hp)

    with pytest.raises(RuntimeError, match="3 trials failed in a row") as error:
        searched(tmp_path, hypermodel=broken, max_trials=20)
    study = kt_hpo.open_study(tmp_path)
    assert len(study.trials) == 3
    assert f"bug {study.trials[0].params['units']}" in str(error.value)


def test_a_hypermodel_that_never_builds_is_an_early_error(tmp_path):
    def broken(hp):
        hp.Int("units", 1, 9)
        raise RuntimeError("always")

    with pytest.raises(ValueError, match=r"(?s)any values.*always"):
        kt_hpo.RandomSearch(broken, "val_loss", directory=tmp_path)
