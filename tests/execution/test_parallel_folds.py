"""The trainings of one trial side by side: the results of one after the other."""

import itertools
import os
import signal
import sys
import time
from pathlib import Path

import cloudpickle
import keras
import pytest
from models import blobs, eager
from programs import until
from sklearn.model_selection import KFold

import kt_hpo

# This module is none that a worker could import.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

X, Y = blobs(240)
ATTRIBUTES = ("params", "intermediate_values", "state")


class Diary(keras.callbacks.Callback):
    """Notes when trainings begin and end, each by its process."""

    def __init__(self, file):
        super().__init__()
        self.file = file

    def on_train_begin(self, logs=None):
        self.began = time.time()

    def on_train_end(self, logs=None):
        with Path(self.file).open("a") as file:
            file.write(f"{os.getpid()} {self.began} {time.time()}\n")


class Meeting(Diary):
    """The first trainings of two processes wait for each other."""

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        Path(f"{self.file}.{os.getpid()}").touch()
        until(lambda: len(list(Path(self.file).parent.glob(f"{Path(self.file).name}.*"))) > 1)


def overlap(diary):
    """Whether two trainings ran at once, in different processes."""
    lines = [line.split() for line in diary.read_text().splitlines()]
    spans = sorted((float(began), float(ended), pid) for pid, began, ended in lines)
    return any(b[0] < a[1] and a[2] != b[2] for a, b in itertools.pairwise(spans))


def search(tmp_path, name, executor, kind=kt_hpo.OptunaSearch, model=eager, notes=Diary, **kwargs):
    kwargs = {"max_trials": 2, "cross_validation": KFold(2), "seed": 3} | kwargs
    diary = tmp_path / f"{name}.txt"
    tuner = kind(
        model, "val_loss", directory=tmp_path, project_name=name, executor=executor, **kwargs
    )
    tuner.search(X, Y, epochs=2, batch_size=120, verbose=0, callbacks=[notes(str(diary))])
    return tuner, diary


@pytest.mark.slow
def test_folds_side_by_side_give_what_one_after_the_other_gives(tmp_path):
    def conditional(hp):
        model = eager(hp)
        hp.Float("late", 0, 1)
        return model

    same = {"model": conditional, "executions_per_trial": 2, "max_trials": 1}
    inline, _ = search(tmp_path, "inline", None, **same)
    beside = kt_hpo.Workers(2, parallel_folds=True)
    tuner, diary = search(tmp_path, "beside", beside, notes=Meeting, **same)
    for one, other in zip(inline.study.trials, tuner.study.trials, strict=True):
        assert one.params == other.params
        assert one.value == pytest.approx(other.value, rel=1e-4)
        rows = [trial.user_attrs["executions"] for trial in (one, other)]
        assert len(rows[0]) == len(rows[1]) == 4
        for mine, theirs in zip(*rows, strict=True):
            assert mine["metrics"] == pytest.approx(theirs["metrics"], rel=1e-4)
    assert len(diary.read_text().splitlines()) == 4
    assert overlap(diary)
    names = {path.name for path in Path(tuner.project_dir).glob("trial_*/*.h5")}
    assert names == {"checkpoint.weights.h5"}
    weights = [one.get_best_models(1)[0].get_weights() for one in (inline, tuner)]
    for mine, theirs in zip(*weights, strict=True):
        assert mine == pytest.approx(theirs, rel=1e-3, abs=1e-5)


@pytest.mark.slow
def test_a_fold_whose_worker_is_killed_is_trained_again_the_others_are_not(tmp_path):
    seen = tmp_path / "seen"

    class DiesOnce(Diary):
        def on_train_begin(self, logs=None):
            super().on_train_begin(logs)
            ended = Path(self.file).exists() and len(Path(self.file).read_text().splitlines())
            if ended and not seen.exists():
                seen.touch()
                os.kill(os.getpid(), signal.SIGKILL)

    diary = tmp_path / "diary.txt"
    tuner = kt_hpo.RandomSearch(
        eager, "val_loss", max_trials=1, seed=0, directory=tmp_path, cross_validation=KFold(4),
        executor=kt_hpo.Workers(2, parallel_folds=True), max_retries_per_trial=1,
    )  # fmt: skip
    tuner.search(X, Y, epochs=1, batch_size=180, verbose=0, callbacks=[DiesOnce(str(diary))])
    [trial] = tuner.study.trials
    assert (trial.state.name, trial.user_attrs["attempts"]) == ("COMPLETE", 1)
    assert len(trial.user_attrs["executions"]) == 4
    # Of the four trainings at most the one beside the killed one was done twice.
    assert len(diary.read_text().splitlines()) <= 5


@pytest.mark.slow
def test_folds_are_compared_as_they_end(tmp_path):
    """The Wilcoxon pruner stops a trial that is worse on fold after fold."""

    class Enqueued(kt_hpo.HyperModel):
        def build(self, hp):
            hp.Float("rate", 1e-6, 1.0, sampling="log")
            return keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])

        def fit(self, hp, model, x, y, **kwargs):
            return {"val_loss": float(y.mean()) - hp["rate"]}

    tuner = kt_hpo.RandomSearch(
        Enqueued(), "val_loss", max_trials=2, seed=0, directory=tmp_path, pruner="wilcoxon",
        cross_validation=KFold(16), executor=kt_hpo.Workers(2, parallel_folds=True),
    )  # fmt: skip
    tuner.enqueue({"rate": 1.0})
    tuner.enqueue({"rate": 1e-6})
    tuner.search(X, Y, verbose=0)
    good, bad = tuner.study.trials
    assert (good.state.name, bad.state.name) == ("COMPLETE", "PRUNED")
    assert len(bad.user_attrs["executions"]) < 16


def test_what_has_no_folds_is_refused(tmp_path):
    beside = kt_hpo.Workers(2, parallel_folds=True)
    with pytest.raises(ValueError, match="cross_validation=5"):
        search(tmp_path, "one", beside, cross_validation=None)
    with pytest.raises(ValueError, match=r"parallel_folds=3"):
        kt_hpo.Workers(2, parallel_folds=3)

    class Own(kt_hpo.RandomSearch):
        def run_trial(self, trial, *args, **kwargs):
            return 0.0

    with pytest.raises(ValueError, match="which Own has"):
        search(tmp_path, "own", beside, kind=Own, cross_validation=None, executions_per_trial=2)
