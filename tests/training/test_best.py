"""The best trial's model, trained anew."""

from searches import FIT, X, Y, searched


def test_fit_best_trains_as_long_as_the_best_epoch(tmp_path):
    tuner = searched(tmp_path, max_trials=2, fit=FIT | {"epochs": 4})
    best = tuner.oracle.get_best_trials(1)[0]
    model = tuner.fit_best(X, Y)
    steps_per_epoch = -(-len(X) // 32)
    assert int(model.optimizer.iterations) == (best.best_step + 1) * steps_per_epoch
    assert model.count_params() == tuner.study.best_trial.user_attrs["parameters"]
    assert int(tuner.fit_best(X, Y, epochs=1).optimizer.iterations) == steps_per_epoch
