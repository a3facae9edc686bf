import math

import keras
import numpy as np
import pytest
from models import Drawn, blobs, eager
from scipy import stats
from searches import UntilPromoted

import kt_hpo
from kt_hpo.training.significance import differences, interval

X, Y = blobs(120)
FIT = {"validation_split": 0.25, "batch_size": 120, "epochs": 1, "verbose": 0}


class FailsOnce(Drawn):
    calls = 0

    def fit(self, hp, model, *args, **kwargs):
        self.calls += 1
        if self.calls == 4:
            raise RuntimeError("out of luck")
        return super().fit(hp, model, *args, **kwargs)


def searched(tmp_path, hypermodel=None, **kwargs):
    tuner = kt_hpo.RandomSearch(
        hypermodel or Drawn(), "val_loss", max_trials=2, seed=0, directory=tmp_path, **kwargs
    )
    tuner.enqueue({"learns": True, "units": 16, "rate": 0.01})
    tuner.enqueue({"learns": False, "units": 16, "rate": 0.01})
    return tuner


def test_a_real_difference_is_told(tmp_path):
    tuner = searched(tmp_path)
    tuner.search(X, Y, **FIT)
    found = tuner.confirm(top=2, executions=4)
    assert list(found.trials["trial"]) == ["0000", "0001"]
    best = found.trials.iloc[0]
    assert best["low"] < best["mean"] < best["high"]
    assert best["mean"] == pytest.approx(np.mean(found.values["0000"]))
    # Other seeds than that of the search.
    assert all(value != best["searched"] for value in found.values["0000"])
    assert len(set(found.values["0000"])) == 4
    [difference] = found.differences.to_dict("records")
    assert difference["real"] and difference["high"] < 0
    welch = stats.ttest_ind(found.values["0000"], found.values["0001"], equal_var=False)
    assert difference["p_value"] == pytest.approx(welch.pvalue)
    assert "1 of 1 differences are real" in str(found)
    assert tuner.study.user_attrs["confirmation"]["values"] == found.values
    again = searched(tmp_path).confirm(X, Y, top=1, executions=2, **FIT)
    assert again.values["0000"] == pytest.approx(found.values["0000"][:2])


@pytest.mark.slow
def test_trials_are_compared_fold_by_fold(tmp_path):
    tuner = searched(tmp_path, cross_validation=3)
    tuner.search(X, Y, verbose=0)
    found = tuner.confirm(top=2, executions=2)
    assert [len(values) for values in found.values.values()] == [6, 6]
    difference = np.subtract(found.values["0000"], found.values["0001"])
    corrected = math.sqrt((1 / 6 + 40 / 80) * difference.var(ddof=1))
    p_value = 2 * stats.t.sf(abs(difference.mean()) / corrected, 5)
    assert found.differences["p_value"][0] == pytest.approx(p_value)


@pytest.mark.slow
def test_a_promoted_trial_is_trained_through_all_it_went_through(tmp_path):
    steps = []

    class Steps(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_loss"] = 1 / (1 + epoch)  # Who was promoted is better.

        def on_train_end(self, logs=None):
            steps.append(int(self.model.optimizer.iterations))

    fit = {"validation_split": 0.25, "batch_size": 45, "verbose": 0}
    tuner = UntilPromoted(eager, "val_loss", max_epochs=2, factor=2, seed=0, directory=tmp_path)
    tuner.search(X, Y, **fit, callbacks=[Steps])
    steps.clear()
    tuner.confirm(X, Y, **fit, callbacks=[Steps], top=1, executions=2)
    # 90 samples in batches of 45 are 2 steps an epoch: one epoch, then up to two.
    assert steps == [2, 4, 2, 4]


def test_a_training_that_fails_is_told_and_left_out(tmp_path):
    tuner = searched(tmp_path, FailsOnce())
    tuner.search(X, Y, **FIT)
    with pytest.warns(UserWarning, match="out of luck"):
        found = tuner.confirm(top=2, executions=3)
    assert found.trials["failed"].tolist() == [1, 0]


def test_what_cannot_be_confirmed_says_why(tmp_path):
    tuner = searched(tmp_path)
    with pytest.raises(ValueError, match="run search"):
        tuner.confirm()
    tuner.search(X, Y, **FIT)
    with pytest.raises(ValueError, match="executions=1"):
        tuner.confirm(executions=1)
    with pytest.raises(ValueError, match="needs the data"):
        searched(tmp_path).confirm()


def test_intervals_hold_the_mean_as_often_as_they_say():
    stream = np.random.default_rng(0)
    hits = [
        low < 1.0 < high for _, low, high in (interval(stream.normal(1, 2, 5)) for _ in range(2000))
    ]
    assert np.mean(hits) == pytest.approx(0.95, abs=0.015)


@pytest.mark.slow
def test_differences_that_are_none_are_seldom_called_real():
    """In a whole family of comparisons, at most once in twenty."""
    stream = np.random.default_rng(0)
    wrong = 0
    for _ in range(300):
        values = {str(name): stream.normal(size=6) for name in range(4)}
        wrong += any(one.p_value < 0.05 for one in differences(values))
    assert wrong / 300 < 0.08
    assert differences({"a": [1.0, 1.0], "b": [1.0, 1.0]})[0].p_value == 1
    assert differences({"a": [1.0, 1.0], "b": [2.0, 2.0]})[0].p_value == 0
    assert differences({"a": [1.0], "b": [2.0, 3.0]}) == []
