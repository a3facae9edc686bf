"""`validation_freq` of `model.fit`: the objective is read where an epoch measures it."""

import keras
import pytest
from models import blobs, build, eager
from searches import UntilPromoted

import kt_hpo
from kt_hpo.training.results import read_results

X, Y = blobs(40)
DATA = {"x": X, "y": Y, "validation_data": (X, Y), "batch_size": 40, "verbose": 0}


def search(folder, fit, kind=kt_hpo.RandomSearch, objective="val_loss", model=eager, **arguments):
    arguments = {"seed": 0, "directory": folder} | arguments
    if kind is kt_hpo.RandomSearch:
        arguments.setdefault("max_trials", 2)
    tuner = kind(model, objective, **arguments)
    tuner.search(**DATA, **fit)
    return tuner


@pytest.mark.parametrize(
    "freq, measured, executor",
    [(2, [1, 3], None), (3, [2], None), ([1, 4], [0, 3], None), ([1, 4], [0, 3], "auto")],
)
def test_epochs_without_validation_have_no_objective(freq, measured, executor, tmp_path):
    tuner = search(
        tmp_path, {"validation_freq": freq, "epochs": 5}, executor=executor, pruner="median",
        csv_log=True, reduce_lr_on_plateau=3, max_trials=1, model=build if executor else eager,
    )  # fmt: skip
    for trial in tuner.study.trials:
        assert list(trial.intermediate_values) == measured
        [history] = trial.user_attrs["history"]
        assert history["epoch"] == [0, 1, 2, 3, 4] and None not in history["loss"]
        expected = [trial.intermediate_values.get(epoch) for epoch in range(5)]
        assert history["val_loss"] == pytest.approx(expected)
        best = min(measured, key=trial.intermediate_values.get)
        assert trial.user_attrs["best_epoch"] == best
        assert trial.value == pytest.approx(trial.intermediate_values[best])
        assert trial.user_attrs["metrics"]["loss"] == pytest.approx(history["loss"][best])
    model = tuner.get_best_models()[0]
    assert model.evaluate(X, Y, verbose=0)[0] == pytest.approx(tuner.study.best_value, rel=1e-3)


def test_the_kept_weights_are_of_an_epoch_that_validated(tmp_path):
    """The best of several executions, too, is not overwritten by an epoch that measured nothing."""
    tuner = search(
        tmp_path, {"validation_freq": 2, "epochs": 3}, max_trials=1, executions_per_trial=2,
        objective="val_accuracy",
    )  # fmt: skip
    executions = tuner.study.trials[0].user_attrs["executions"]
    best = max(one["metrics"]["val_accuracy"] for one in executions)
    assert tuner.get_best_models()[0].evaluate(X, Y, verbose=0)[1] == pytest.approx(best, rel=1e-3)


def test_early_stopping_counts_the_epochs_that_measure(tmp_path):
    class Worse(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if "val_loss" in logs:
                logs["val_loss"] = float(epoch)

    tuner = search(
        tmp_path, {"validation_freq": 2, "epochs": 20, "callbacks": [Worse()]}, max_trials=1,
        early_stopping=2,
    )  # fmt: skip
    [history] = tuner.study.trials[0].user_attrs["history"]
    assert history["epoch"][-1] == 5


@pytest.mark.slow
def test_a_trial_of_hyperband_validates_its_last_epoch_at_least(tmp_path):
    tuner = search(tmp_path, {"validation_freq": 2}, kind=UntilPromoted, max_epochs=3, factor=3)
    for trial in tuner.study.trials:
        place = trial.user_attrs["values"]
        begin, end = place["tuner/initial_epoch"], place["tuner/epochs"]
        own = [epoch for epoch in range(begin, end) if (epoch + 1) % 2 == 0]
        assert list(trial.intermediate_values) == (own or [end - 1])
        assert trial.state.name == "COMPLETE"


def test_plots_cope(tmp_path):
    tuner = search(tmp_path, {"validation_freq": 2, "epochs": 4})
    assert [trial.state.name for trial in tuner.study.trials] == ["COMPLETE"] * 2
    assert kt_hpo.plots.plot_learning_curves(tuner).lines
    kt_hpo.report(tuner, tmp_path / "report.html")
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    "fit, words",
    [
        (
            {"validation_freq": 5, "epochs": 4},
            "validation_freq=5 none of the epochs up to epochs=4",
        ),
        ({"validation_freq": [9], "epochs": 4}, "none of the epochs"),
        ({"validation_freq": 0, "epochs": 4}, "validation_freq=0 is not allowed"),
        ({"validation_freq": 1.5, "epochs": 4}, "validation_freq=1.5 is not allowed"),
        ({"validation_freq": "2", "epochs": 4}, "validation_freq='2' is not allowed"),
        ({"validation_freq": "", "epochs": 4}, "validation_freq='' is not allowed"),
        ({"validation_freq": b"\x01", "epochs": 4}, "is not allowed; give a whole number"),
        ({"validation_freq": None, "epochs": 4}, "validation_freq=None is not allowed"),
    ],
)
def test_what_would_measure_nothing_is_an_early_error(fit, words, tmp_path):
    with pytest.raises(ValueError, match=words.replace("[", r"\[")):
        search(tmp_path, fit)
    assert not kt_hpo.open_study(tmp_path / "untitled_project").trials


def test_a_history_alone_is_read_at_equal_distances():
    """A `fit` of the user's may not pass the callbacks on, so that nobody has watched."""
    history = keras.callbacks.History()
    history.epoch = [0, 1, 2, 3, 4]
    history.history = {"loss": [5, 4, 3, 2, 1], "val_loss": [0.25, 0.5]}
    [result] = read_results(history, kt_hpo.Objective("val_loss", "min"), "fit")
    assert result.history["val_loss"] == [None, 0.25, None, 0.5, None]
    assert (result.best_epoch, result.metrics) == (1, {"loss": 4.0, "val_loss": 0.25})
