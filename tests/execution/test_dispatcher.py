"""Who runs which trial: the one dispatcher, asked as executors ask it."""

import math

import pytest
from keras_tuner.engine.trial import TrialStatus
from optuna.pruners import ThresholdPruner

import kt_hpo
from kt_hpo.execution.dispatcher import Dispatcher
from kt_hpo.execution.messages import Ended, Fatal
from kt_hpo.execution.trial import attempt
from kt_hpo.training.results import Result


class Square(kt_hpo.RandomSearch):
    def run_trial(self, trial):
        value = trial.hyperparameters.Float("x", -1, 1)
        self.report(trial, 0, {"loss": value**2})
        return value**2


class Asks:
    """An executor that does nothing: the test does."""

    def __init__(self, do):
        self.run = lambda tuner, *arguments: do(tuner)


@pytest.fixture
def search(tmp_path):
    def search(do, **arguments):
        objective = kt_hpo.Objective("loss", "min")
        given = {"max_trials": 3, "tune_new_entries": False, **arguments}
        hp = kt_hpo.HyperParameters()
        hp.Float("x", -1, 1)
        tuner = Square(
            objective=objective, hyperparameters=hp, directory=tmp_path, seed=0,
            executor=Asks(do), **given,
        )  # fmt: skip
        tuner.search(verbose=0)
        return tuner.study.trials

    return search


def ended(assignment, loss=0.5):
    hyperparameters = assignment.trial.hyperparameters
    return Ended(TrialStatus.COMPLETED, None, hyperparameters, [Result({"loss": loss})])


@pytest.mark.parametrize("at_once", [1, 2, math.inf])
def test_no_more_trials_run_at_once_than_may(at_once, search):
    def do(tuner):
        dispatcher = Dispatcher(tuner, at_once)
        running, most = [], 0
        while not dispatcher.is_over:
            while (assignment := dispatcher.next()) is not None:
                dispatcher.begin(assignment)
                running.append(assignment)
            most = max(most, len(running))
            if running:
                first = running.pop(0)
                dispatcher.end(first, ended(first))
        assert most == min(at_once, 3)

    assert [trial.state.name for trial in search(do)] == ["COMPLETE"] * 3


def test_a_lost_trial_is_handed_out_again_and_the_search_waits_for_it(search):
    def do(tuner):
        dispatcher = Dispatcher(tuner, 2)
        first = dispatcher.next()
        dispatcher.begin(first)
        assert dispatcher.next() is None and not dispatcher.is_over
        dispatcher.lose(first, "gone")
        assert not dispatcher.is_over
        again = dispatcher.next()
        assert again.trial.trial_id == first.trial.trial_id
        dispatcher.begin(again, worker=2, node="far")
        dispatcher.end(again, ended(again))
        assert dispatcher.next() is None and dispatcher.is_over

    [trial] = search(do, max_trials=1, max_retries_per_trial=1)
    assert trial.state.name == "COMPLETE" and trial.value == 0.5
    assert trial.user_attrs["attempts"] == 1 and trial.user_attrs["traceback"] == "gone"
    assert trial.user_attrs["worker"] == 2 and trial.user_attrs["node"] == "far"


def test_an_epoch_is_recorded_and_answered(search):
    def do(tuner):
        dispatcher = Dispatcher(tuner)
        assignment = dispatcher.next()
        dispatcher.begin(assignment)
        trial_id = assignment.trial.trial_id
        assert dispatcher.report(trial_id, 0, {"loss": 0.9})
        assert not dispatcher.report(trial_id, 1, {"loss": 1.1})
        # Whoever is stopped need not return anything: the best epoch counts.
        dispatcher.end(assignment, ended(assignment)._replace(results=None))

    [trial] = search(do, max_trials=1, pruner=ThresholdPruner(upper=1.0))
    assert trial.state.name == "PRUNED" and trial.intermediate_values == {0: 0.9, 1: 1.1}


def test_what_every_trial_would_meet_ends_the_search(search):
    def do(tuner):
        dispatcher = Dispatcher(tuner)
        error = kt_hpo.errors.FatalValueError("no such column")
        dispatcher.end(dispatcher.next(), Fatal(error))

    with pytest.raises(kt_hpo.errors.FatalValueError, match="no such column"):
        search(do)


def test_a_trial_without_results_ends_the_search(search):
    def do(tuner):
        dispatcher = Dispatcher(tuner)
        assignment = dispatcher.next()
        dispatcher.end(assignment, ended(assignment)._replace(results=None))

    with pytest.raises(kt_hpo.errors.FatalTypeError, match=r"run_trial\(\)"):
        search(do)


def fails():
    raise ValueError("no")


def does_not_fit():
    raise MemoryError


@pytest.mark.parametrize(
    ("results", "status"),
    [(lambda: None, "COMPLETED"), (fails, "INVALID"), (does_not_fit, "FAILED")],
)
def test_an_attempt_tells_how_it_ended(results, status, search):
    def do(tuner):
        trial = Dispatcher(tuner).next().trial
        how = attempt(trial, results)
        assert how.status == status and how.out_of_memory == (results is does_not_fit)
        assert (how.message is None) == (status == "COMPLETED")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(do)
