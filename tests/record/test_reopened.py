"""A search that is opened again knows of its trials what it knew when they had ended."""

import math
import warnings

import keras
import pytest

import kt_hpo

NAN, INF = math.nan, math.inf


def history(**metrics):
    made = keras.callbacks.History()
    made.history, made.epoch = metrics, list(range(len(metrics["val_loss"])))
    return made


class Told(kt_hpo.RandomSearch):
    """Has trials that return what they are told to, or raise it."""

    def __init__(self, results, **kwargs):
        self.results = results
        kwargs = {"objective": "val_loss", "max_consecutive_failed_trials": 99} | kwargs
        super().__init__(max_trials=len(results), seed=0, **kwargs)

    def run_trial(self, trial):
        trial.hyperparameters.Float("x", 0, 1)
        result = self.results[int(trial.trial_id)]
        if callable(result):
            return result(self, trial)
        if isinstance(result, Exception):
            raise result
        return result


def as_known(tuner):
    """Everything a trial is, in words: NaN is NaN there."""
    return {
        trial_id: repr((trial.get_state(), trial.message, trial.score, trial.best_step))
        for trial_id, trial in tuner.oracle.trials.items()
    }


def reopened(tmp_path, results, **kwargs):
    """The trials of a search, which are the same after it was opened again."""
    tuner = Told(results, directory=tmp_path, **kwargs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tuner.search(verbose=0)
        again = Told(results, directory=tmp_path, **kwargs)
    assert as_known(again) == as_known(tuner)
    best = [[t.trial_id for t in one.oracle.get_best_trials(99)] for one in (tuner, again)]
    assert best[0] == best[1]
    assert again.oracle.end_order == tuner.oracle.end_order
    return list(again.oracle.trials.values())


def reports(value):
    """Reports four epochs of a value, and stops when it is told to."""

    def run(tuner, trial):
        for epoch in range(4):
            if not tuner.report(trial, epoch, {"val_loss": value + epoch, "a": NAN}):
                return {"val_loss": NAN if value > 5 else value, "a": INF}
        return {"val_loss": value, "a": -INF}

    return run


def updates(tuner, trial):
    for step, value in enumerate([1.0, NAN, 0.5]):
        tuner.oracle.update_trial(trial.trial_id, {"val_loss": value, "a": step}, step=step)


def updates_and_raises(tuner, trial):
    updates(tuner, trial)
    raise ValueError("later")


def test_numbers_that_are_not_finite(tmp_path):
    failed, *others = reopened(
        tmp_path,
        [
            {"val_loss": NAN, "a": 1.0},
            {"val_loss": INF, "a": NAN},
            {"val_loss": -INF, "a": INF},
            {"val_loss": 1.0},
            ValueError("broken"),
            kt_hpo.errors.FailedTrialError("given up"),
        ],
    )
    assert failed.status == "FAILED" and math.isnan(failed.score)
    assert failed.metrics.get_best_value("a") == 1.0
    assert [trial.score for trial in others] == [INF, -INF, 1.0, None, None]


def test_numbers_that_are_not_finite_among_epochs_and_executions(tmp_path):
    trials = reopened(
        tmp_path,
        [
            history(val_loss=[NAN, 2.0, 1.0, NAN], a=[1.0, NAN, 3.0, 4.0]),
            history(val_loss=[NAN, INF]),
            history(val_loss=[NAN, NAN], a=[1.0, 2.0]),
            [history(val_loss=[1.0]), history(val_loss=[NAN])],
            [{"val_loss": 1.0, "a": NAN}, {"val_loss": 2.0, "a": 1.0}],
            [{"val_loss": INF}, {"val_loss": INF}],
            [{"val_loss": INF}, {"val_loss": -INF}],
        ],
    )
    assert [trial.status[0] for trial in trials] == ["C", "C", "F", "F", "C", "C", "F"]
    assert (trials[0].score, trials[0].best_step) == (1.0, 2)
    assert trials[0].metrics.get_best_value("a") == 3.0
    assert (trials[1].score, trials[1].best_step) == (INF, 1)
    assert [trials[number].score for number in (4, 5)] == [1.5, INF]


def test_several_objectives_that_are_not_finite(tmp_path):
    objective = [kt_hpo.Objective("l", "min"), kt_hpo.Objective("a", "max")]
    values = [(1.0, NAN), (INF, 1.0), (NAN, NAN), (INF, INF), (1.0, 2.0)]
    trials = reopened(tmp_path, [{"l": one, "a": a} for one, a in values], objective=objective)
    assert [trial.status[0] for trial in trials] == ["F", "C", "F", "F", "C"]
    assert trials[0].metrics.get_best_value("l") == 1.0


def test_trials_that_were_stopped(tmp_path):
    results = [reports(1.0), reports(2.0), reports(9.0), reports(0.5)]
    pruner = kt_hpo.pruning.make_pruner("median")
    pruner._n_startup_trials = 1
    trials = reopened(tmp_path, results, pruner=pruner)
    assert [trial.status[0] for trial in trials] == ["C", "P", "F", "C"]


def test_trials_that_were_updated_step_by_step(tmp_path):
    updated, raised = reopened(tmp_path, [updates, updates_and_raises])
    assert updated.score == 0.5 and updated.best_step == 2
    assert [one.step for one in updated.metrics.get_history("a")] == [0, 1, 2]
    assert raised.status == "FAILED" and raised.score is None
    assert len(raised.metrics.get_history("val_loss")) == 3


@pytest.mark.parametrize("way", ["returned", "updated"])
def test_a_trial_that_is_tried_again_after_nan_has_the_results_of_the_last_attempt(tmp_path, way):
    attempts = iter([NAN, 1.0])

    def run(tuner, trial):
        metrics = {"val_loss": next(attempts)}
        if way == "returned":
            return metrics
        tuner.oracle.update_trial(trial.trial_id, metrics)
        return None

    [trial] = reopened(tmp_path, [run], max_retries_per_trial=1)
    assert trial.status == "COMPLETED" and trial.score == 1.0
    assert trial.message is None
