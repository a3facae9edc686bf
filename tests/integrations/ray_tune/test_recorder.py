"""What the recorder writes of trials that end in all ways."""

import pickle
import signal

import pytest
from kt_hpo.ray import Recorder
from optuna.trial import TrialState
from ray import tune
from ray_curves import Curve, fit

import kt_hpo
from kt_hpo.record.status import search_status

pytestmark = [pytest.mark.xdist_group("ray"), pytest.mark.usefixtures("local_ray")]


@pytest.mark.slow
def test_trials_of_any_trainable_are_recorded_and_a_second_experiment_is_added(tmp_path):
    # One after the other: an actor is new only after an error.
    values = [[0.5], [0.5, 0.25, 0.75], [0.125, float("nan")], [0.5, None], []]
    space = {"values": tune.grid_search(values), "a": {"b": 1}}
    results, study = fit(Curve, tmp_path, space, max_concurrent_trials=1)
    trials = {trial.user_attrs["values"]["values"]: trial for trial in study.trials}
    only, complete, no_number, broken, unmade = (trials[str(one)] for one in values)
    assert {trial.state for trial in (only, complete, no_number)} == {TrialState.COMPLETE}
    assert {broken.state, unmade.state} == {TrialState.FAIL}
    assert broken.intermediate_values == {0: 0.5} and not unmade.intermediate_values
    for trial, message, where in ((broken, "no value", "step"), (unmade, "no values", "setup")):
        traceback = trial.user_attrs["traceback"]
        assert f"ArithmeticError: {message}" in traceback and f"in {where}" in traceback
        assert "\x1b" not in traceback
    assert len(results.errors) == search_status(tmp_path / "r").counts.failed == 2
    assert (complete.value, no_number.value) == (0.25, 0.125)
    assert complete.user_attrs["best_epoch"] == 1
    assert complete.intermediate_values == {0: 0.5, 1: 0.25, 2: 0.75}
    assert complete.user_attrs["values"] == {"values": "[0.5, 0.25, 0.75]", "a/b": 1}
    assert complete.user_attrs["history"][0].keys() == {"epoch", "val_loss"}
    assert complete.user_attrs["ray_trial"]

    before = [(one.state, one.value) for one in study.trials]
    run = {"failure_config": tune.FailureConfig(max_failures=1)}
    _, longer = fit(Curve, tmp_path, {"values": [0.25, None]}, run=run)
    *first, trial = longer.trials
    assert [(one.state, one.value) for one in first] == before
    assert trial.state == TrialState.FAIL and trial.user_attrs["attempts"] == 1
    assert "no value" in trial.user_attrs["traceback"]
    assert (search_status(longer).planned, search_status(longer).state) == (6, "finished")


@pytest.mark.slow
def test_an_objective_that_is_not_reported_ends_the_experiment(tmp_path):
    tuner = tune.Tuner(
        Curve,
        param_space={"values": [0.5]},
        run_config=tune.RunConfig(
            storage_path=str(tmp_path), verbose=0, callbacks=[Recorder(tmp_path, "r", "val_auc")]
        ),
    )
    with pytest.raises(Exception, match="'val_auc' is not among the metrics of Ray's trials"):
        tuner.fit()


def test_a_function_of_the_model_is_no_objective_here(tmp_path):
    def depth(model):
        return len(model.layers)

    with pytest.raises(ValueError, match="objective='depth' is a function of the model"):
        Recorder(tmp_path, "r", depth)


def test_a_project_that_is_searched_already_is_refused(tmp_path):
    first, second = (Recorder(tmp_path, "r") for _ in range(2))
    first.setup()
    with pytest.raises(kt_hpo.RecordError, match="Another process is searching"):
        second.setup()
    assert search_status(tmp_path / "r").state == "running"
    pickle.dumps(first)  # Ray keeps its callbacks.
    first.on_experiment_end([])
    second.setup()
    second.on_experiment_end([])


class TimeIsUp(tune.Stopper):
    """Ends an experiment after three results, as a time budget does."""

    results = 0

    def __call__(self, trial_id, result):
        self.results += 1
        return False

    def stop_all(self):
        return self.results >= 3


@pytest.mark.slow
def test_trials_that_end_because_the_time_is_up_are_pruned(tmp_path):
    _, study = fit(Curve, tmp_path, {"values": [0.5] * 100}, run={"stop": TimeIsUp()})
    [trial] = study.trials
    assert trial.state == TrialState.PRUNED and trial.value == 0.5
    assert sorted(trial.intermediate_values) == [0, 1, 2]
    assert search_status(tmp_path / "r").state == "finished"


class Interrupt(tune.Callback):
    """Presses Ctrl-C in the second epoch of the first trial."""

    is_armed = True

    def on_trial_result(self, iteration, trials, trial, result, **info):
        if Interrupt.is_armed and result["training_iteration"] == 2:
            Interrupt.is_armed = False
            signal.raise_signal(signal.SIGINT)


@pytest.mark.slow
def test_a_restored_experiment_goes_on_with_its_record(tmp_path):
    space = {"values": tune.grid_search([[0.5, 0.25, 0.125], [1.0, 0.75, 0.625]])}
    run = {"checkpoint_config": tune.CheckpointConfig(checkpoint_frequency=1)}
    Interrupt.is_armed = True
    fit(Curve, tmp_path, space, callbacks=[Interrupt()], run=run, max_concurrent_trials=1)
    interrupted = search_status(tmp_path / "r")
    assert (interrupted.state, interrupted.counts.total, len(interrupted.open)) == ("stopped", 0, 1)
    tune.Tuner.restore(str(tmp_path / "ray" / "t"), Curve, param_space=space).fit()
    study = kt_hpo.open_study(tmp_path / "r")
    assert [trial.value for trial in study.trials] == [0.125, 0.625]
    assert [sorted(trial.intermediate_values) for trial in study.trials] == [[0, 1, 2], [0, 1, 2]]
    status = search_status(tmp_path / "r")
    assert (status.planned, status.state) == (2, "finished")
