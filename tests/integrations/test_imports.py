"""Searches of other programs, in a record."""

import keras_tuner
import numpy as np
import optuna
import pytest
from models import blobs, eager
from optuna.trial import TrialState

import kt_hpo
from kt_hpo.integrations.imports import import_search


@pytest.mark.slow
def test_a_folder_of_keras_tuner_comes_with_its_weights(tmp_path):
    x, y = blobs()
    plain = keras_tuner.RandomSearch(
        eager, "val_accuracy", max_trials=2, seed=1, directory=tmp_path, project_name="plain"
    )
    plain.search(x, y, validation_data=(x, y), batch_size=200, epochs=2, verbose=0)
    study = import_search(tmp_path / "plain", tmp_path, "ours")
    assert study.metric_names == ["val_accuracy"]
    assert study.best_value == plain.oracle.get_best_trials(1)[0].score

    tuner = kt_hpo.RandomSearch(
        eager, "val_accuracy", max_trials=3, directory=tmp_path, project_name="ours"
    )
    [model], [expected] = tuner.get_best_models(1), plain.get_best_models(1)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected.predict(x, verbose=0))
    tuner.search(x, y, validation_data=(x, y), batch_size=200, epochs=1, verbose=0)
    assert len(kt_hpo.open_study(tmp_path / "ours").trials) == 3


def optuna_study():
    study = optuna.create_study(direction="maximize", study_name="plain")

    def objective(trial):
        rate = trial.suggest_float("rate", 1e-4, 1, log=True)
        kind = trial.suggest_categorical("kind", ["sgd", "adam", None])
        if kind == "sgd":
            trial.suggest_int("momentum", 0, 9)
        for epoch in range(3):
            trial.report(rate * epoch, epoch)
        if trial.number == 4:
            raise optuna.TrialPruned
        if trial.number == 5:
            raise ArithmeticError
        return rate

    study.sampler = optuna.samplers.RandomSampler(0)
    study.optimize(objective, 8, catch=ArithmeticError)
    study.enqueue_trial({"rate": 0.5})
    return study


def test_a_study_of_optunas_keeps_states_values_and_times(tmp_path):
    study = optuna_study()
    imported = import_search(study, tmp_path, objective="val_accuracy")
    ended = study.trials[:-1]
    assert imported.study_name == "plain" and len(imported.trials) == len(ended)
    for old, new in zip(ended, imported.trials, strict=True):
        assert (new.state, new.values, new.params) == (old.state, old.values, old.params)
        assert new.intermediate_values == old.intermediate_values
        assert new.datetime_complete == old.datetime_complete
    assert imported.trials[0].user_attrs["best_epoch"] == 2
    assert imported.user_attrs["imported_from"] == "plain"
    assert kt_hpo.export(tmp_path / "plain").exists()


def test_a_tuner_learns_from_it(tmp_path):
    past = import_search(optuna_study(), tmp_path, objective="val_accuracy")

    class Search(kt_hpo.OptunaSearch):
        def run_trial(self, trial):
            return trial.hyperparameters.Float("rate", 1e-4, 1, sampling="log")

    hp = kt_hpo.HyperParameters()
    hp.Float("rate", 1e-4, 1, sampling="log")
    tuner = Search(
        objective=kt_hpo.Objective("val_accuracy", "max"), max_trials=2, hyperparameters=hp,
        warm_start=past, directory=tmp_path, project_name="new", seed=0,
    )  # fmt: skip
    tuner.search(verbose=0)
    completed = [trial for trial in past.trials if trial.state == TrialState.COMPLETE]
    assert len(tuner.study.trials) == 2 + len(completed)


def test_wrong_imports_change_nothing(tmp_path):
    study = optuna_study()
    with pytest.raises(ValueError, match="objective="):
        import_search(study, tmp_path, objective=["val_accuracy", "latency"])
    with pytest.raises(ValueError, match=r"None of the 0 trials"):
        import_search(optuna.create_study(), tmp_path)
    assert list(tmp_path.iterdir()) == []
    import_search(study, tmp_path)
    with pytest.raises(ValueError, match="trials in the record 'plain' already"):
        import_search(study, tmp_path)


def test_what_keras_tuner_optimized_the_wrong_way_is_named(tmp_path):
    class Plain(keras_tuner.RandomSearch):
        def run_trial(self, trial):
            return {"val_f1_score": trial.hyperparameters.Float("x", 0, 1)}

    Plain(objective="val_f1_score", max_trials=4, directory=tmp_path, project_name="old").search()
    with pytest.warns(UserWarning, match=r"val_f1_score \(min\), though"):
        worst = kt_hpo.open_study(tmp_path / "old").best_value
    with pytest.warns(UserWarning, match="may be the worst"):
        right = import_search(tmp_path / "old", tmp_path, "right", objective="val_f1_score")
    assert right.best_value == max(trial.value for trial in right.trials) > worst
