"""The best trial's model, trained anew."""

import keras
import pytest
from models import build, eager
from searches import FIT, X, Y, searched


@pytest.mark.slow
def test_fit_best_trains_as_long_as_the_best_epoch(tmp_path):
    fit = FIT | {"batch_size": 100, "epochs": 4}
    tuner = searched(tmp_path, hypermodel=eager, fit=fit)
    best = tuner.oracle.get_best_trials(1)[0]
    model = tuner.fit_best(X, Y, batch_size=100)
    steps_per_epoch = len(X) // 100
    assert int(model.optimizer.iterations) == (best.best_step + 1) * steps_per_epoch
    assert model.count_params() == tuner.study.best_trial.user_attrs["parameters"]
    assert (
        int(tuner.fit_best(X, Y, batch_size=100, epochs=1).optimizer.iterations) == steps_per_epoch
    )


@pytest.mark.slow
def test_what_is_trained_anew_is_trained_by_programs(tmp_path, monkeypatch):
    fit = FIT | {"batch_size": 100, "epochs": 2}
    tuner = searched(tmp_path, hypermodel=build, fit=fit, max_trials=1)
    monkeypatch.setattr(keras.Model, "fit", lambda *args, **kwargs: pytest.fail("fit ran"))
    model = tuner.fit_best(X, Y, batch_size=100, epochs=2)
    assert int(model.optimizer.iterations) == 2 * len(X) // 100
    assert "fit" not in vars(model)
    assert tuner.confirm(top=1, executions=2).trials["failed"].item() == 0
