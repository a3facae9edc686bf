"""A trial's clock starts when it starts to train."""

import time
from datetime import datetime, timedelta

import pytest
from models import blobs, build

import kt_hpo
from kt_hpo.plots import plot_durations
from kt_hpo.record import clock
from kt_hpo.record.status import search_status


class Slow(kt_hpo.RandomSearch):
    def run_trial(self, trial):
        time.sleep(0.1)
        return trial.hyperparameters.Float("x", 0, 1)


def test_a_trial_that_is_run_again_is_timed_from_when_it_runs(tmp_path):
    class Interrupted(Slow):
        def run_trial(self, trial):
            if trial.trial_id == "0001":
                raise KeyboardInterrupt
            return super().run_trial(trial)

    with pytest.raises(KeyboardInterrupt):
        Interrupted(max_trials=3, seed=0, directory=tmp_path).search(verbose=0)
    time.sleep(1)
    tuner = Slow(max_trials=3, seed=0, directory=tmp_path)
    tuner.search(verbose=0)
    table = tuner.to_dataframe()
    assert all(0.1 <= seconds < 0.9 for seconds in table["seconds"])
    again = tuner.study.trials[1]
    assert clock.started(again) - again.datetime_start > timedelta(seconds=1)
    assert search_status(tuner).pace < 3600 / 0.1
    axes = plot_durations(tuner)
    assert max(axes.get_xlim()) < {"seconds": 1, "milliseconds": 1000}[axes.get_xlabel().split()[0]]


@pytest.mark.slow
def test_trials_that_wait_for_their_group_are_timed_from_its_start(tmp_path):
    tuner = kt_hpo.RandomSearch(
        build, "val_loss", max_trials=4, seed=0, directory=tmp_path, executor=kt_hpo.Vectorized(2)
    )
    tuner.search(*blobs(60), validation_split=0.3, epochs=1, verbose=0)
    trials = tuner.study.trials
    spent = sum(clock.seconds(trial) for trial in trials)
    asked = sum(trial.duration.total_seconds() for trial in trials)
    assert spent < asked
    starts = [clock.started(trial) for trial in trials]
    assert len(set(starts)) > 1 and max(starts) < datetime.now()
