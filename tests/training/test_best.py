"""The best trial's model, trained anew."""

import keras
import numpy as np
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


@pytest.mark.slow
def test_an_ensemble_is_the_mean_of_trainings_that_differ_in_their_seeds(tmp_path):
    tuner = searched(tmp_path, hypermodel=build, fit=FIT | {"epochs": 2}, max_trials=1)
    alone = tuner.fit_best(X, Y, epochs=2)
    several = tuner.fit_best(X, Y, epochs=2, ensemble=3)
    first, *others = [layer for layer in several.layers if hasattr(layer, "layers")]
    assert len(others) == 2
    for ours, theirs in zip(first.get_weights(), alone.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)
    assert all((one.get_weights()[0] != first.get_weights()[0]).any() for one in others)
    names = set(several.evaluate(X, Y, verbose=0, return_dict=True))
    assert names == set(alone.evaluate(X, Y, verbose=0, return_dict=True))


def test_an_ensemble_of_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="ensemble=0"):
        searched(tmp_path, hypermodel=build, fit=FIT, max_trials=1).fit_best(X, Y, ensemble=0)
