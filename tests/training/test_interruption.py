import os
import pickle
import signal
import time

import keras
import pytest
from models import blobs, eager

import kt_hpo
from kt_hpo.training.interruption import Interruption, TimeIsUpError

X, Y = blobs(60)
FIT = {"validation_split": 0.25, "batch_size": 60, "epochs": 2}


class Press(keras.callbacks.Callback):
    """Presses Ctrl-C in the first epoch of the second trial, as often as it is told to."""

    trainings = 0
    times = 1
    epochs = ()

    def on_train_begin(self, logs=None):
        Press.trainings += 1

    def on_train_batch_end(self, batch, logs=None):
        if Press.trainings == 2 and batch == 0 and not Press.epochs:
            for _ in range(Press.times):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0)  # Python calls a signal's handler between two of its steps.

    def on_epoch_end(self, epoch, logs=None):
        if Press.trainings == 2:
            Press.epochs = (*Press.epochs, epoch)


@pytest.fixture(autouse=True)
def _released():
    Press.trainings, Press.times, Press.epochs = 0, 1, ()


def tuner_for(tmp_path, **kwargs):
    return kt_hpo.RandomSearch(
        eager, "val_loss", seed=0, directory=tmp_path, **{"max_trials": 3, **kwargs}
    )


def test_the_seconds_left_are_those_of_the_budget_without_the_reserve():
    interruption = Interruption()
    assert interruption.seconds_left() == float("inf")
    with interruption.listening(print, 100):
        assert 99 < interruption.seconds_left() <= 100
        interruption.reserve = lambda: 60
        assert 39 < interruption.seconds_left() <= 40
        interruption.check()
        interruption.reserve = lambda: 101
        with pytest.raises(TimeIsUpError):
            interruption.check()


def test_ctrl_c_stops_after_the_running_epoch(tmp_path, capsys):
    with pytest.raises(KeyboardInterrupt):
        tuner_for(tmp_path).search(X, Y, **FIT, callbacks=[Press])
    assert Press.epochs == (0,)
    printed = capsys.readouterr().out
    assert "Ctrl-C again stops at once" in printed
    assert "Run the same program again to go on" in printed
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    states = [trial.state.name for trial in kt_hpo.open_study(tmp_path).trials]
    assert states == ["COMPLETE", "RUNNING"]
    tuner_for(tmp_path).search(X, Y, **FIT, verbose=0)
    whole = tuner_for(tmp_path / "whole")
    whole.search(X, Y, **FIT, verbose=0)
    values = [trial.value for trial in kt_hpo.open_study(tmp_path / "untitled_project").trials]
    assert values == pytest.approx([trial.value for trial in whole.study.trials])


def test_a_second_ctrl_c_stops_at_once(tmp_path):
    Press.times = 2
    with pytest.raises(KeyboardInterrupt):
        tuner_for(tmp_path).search(X, Y, **FIT, verbose=0, callbacks=[Press])
    assert Press.epochs == ()


def test_a_trial_in_its_last_epoch_is_finished(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        tuner_for(tmp_path).search(X, Y, **FIT | {"epochs": 1}, verbose=0, callbacks=[Press])
    states = [trial.state.name for trial in kt_hpo.open_study(tmp_path).trials]
    assert states == ["COMPLETE", "COMPLETE"]


class Slow(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        time.sleep(0.5)


@pytest.mark.slow
def test_the_time_budget_stops_the_search_and_the_next_one_goes_on(tmp_path, capsys):
    tuner = tuner_for(tmp_path, time_budget=0.2)
    tuner.search(X, Y, **FIT, callbacks=[Slow])
    assert [trial.state.name for trial in tuner.study.trials] == ["RUNNING"]
    assert list(tuner.study.trials[0].intermediate_values) in ([], [0])
    assert "The time budget of 0.2 seconds is spent" in capsys.readouterr().out
    again = tuner_for(tmp_path, time_budget=600)
    again.search(X, Y, **FIT, verbose=0)
    assert [trial.state.name for trial in again.study.trials] == ["COMPLETE"] * 3


@pytest.mark.parametrize("compiled", [False, True])
def test_the_time_budget_ends_within_an_epoch(compiled, tmp_path):
    def build(hp):
        model = eager(hp)
        model.run_eagerly = not compiled
        return model

    class SlowBatch(keras.callbacks.Callback):
        may_miss_batches = True
        seen = 0

        def on_train_batch_end(self, batch, logs=None):
            SlowBatch.seen = batch
            time.sleep(0.3)

    tuner = kt_hpo.RandomSearch(build, "val_loss", seed=0, directory=tmp_path, time_budget=0.2)
    tuner.search(X.repeat(100, axis=0), Y.repeat(100), batch_size=1, validation_data=(X, Y),
                 epochs=2, callbacks=[SlowBatch])  # fmt: skip
    [trial] = tuner.study.trials
    assert trial.state.name == "RUNNING" and not trial.intermediate_values
    assert SlowBatch.seen < len(X) * 100 - 1


def test_the_time_budget_of_a_function_ends_between_its_trials(tmp_path):
    class Sleeps(kt_hpo.RandomSearch):
        def run_trial(self, trial):
            if trial.trial_id == "0002":
                time.sleep(4)
            return trial.hyperparameters.Float("x", 0, 1)

    tuner = Sleeps(max_trials=50, seed=0, directory=tmp_path, time_budget=4)
    tuner.search(verbose=0)
    assert [trial.state.name for trial in tuner.study.trials] == ["COMPLETE"] * 3


def test_the_time_budget_holds_for_vectorized_trials_too(tmp_path):
    def build(hp):
        model = eager(hp)
        model.run_eagerly = False
        return model

    tuner = kt_hpo.RandomSearch(
        build, "val_loss", seed=0, directory=tmp_path, max_trials=4, time_budget=0.001,
        executor=kt_hpo.Vectorized(2),
    )  # fmt: skip
    tuner.search(X, Y, **FIT, verbose=0)
    assert {trial.state.name for trial in tuner.study.trials} == {"RUNNING"}


@pytest.mark.slow
def test_a_trial_that_takes_too_long_fails_alone(tmp_path):
    slow = []

    class SlowAtFirst(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            slow.append(len(slow) == 0)

        def on_train_batch_begin(self, batch, logs=None):
            time.sleep(5 * slow[-1])

    tuner = tuner_for(tmp_path, trial_timeout=8, max_trials=2)
    tuner.search(X, Y, **FIT | {"epochs": 5}, verbose=0, callbacks=[SlowAtFirst])
    first, second = tuner.study.trials
    assert (first.state.name, second.state.name) == ("FAIL", "COMPLETE")
    assert "longer than trial_timeout=8 seconds" in first.user_attrs["traceback"]
    assert first.duration.total_seconds() < 25


def test_what_is_reserved_of_the_time_budget_is_not_searched(tmp_path, capsys):
    class Sleeps(kt_hpo.RandomSearch):
        def run_trial(self, trial):
            return trial.hyperparameters.Float("x", 0, 1)

    tuner = Sleeps(max_trials=50, seed=0, directory=tmp_path, time_budget=1000)
    tuner.interruption.reserve = lambda: 1000.0 * (len(tuner.oracle.end_order) > 2)
    tuner.search()
    assert [trial.state.name for trial in tuner.study.trials] == ["COMPLETE"] * 3
    assert "but for the retraining of the best model" in capsys.readouterr().out
    assert pickle.loads(pickle.dumps(tuner.interruption)).reserve is None
