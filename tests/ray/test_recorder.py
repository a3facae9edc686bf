"""What the recorder writes of trials that end in all ways."""

import pickle

import pytest
from optuna.trial import TrialState
from ray import tune
from ray_curves import Curve, fit
from ray_experiments import DATA, Fragile, X, Y

import kt_hpo
from kt_hpo.ray import Recorder, trainable
from kt_hpo.standing import stand

pytestmark = pytest.mark.usefixtures("ray_runs")


def test_a_trial_that_raises_is_recorded_with_its_traceback(tmp_path):
    space = {"units": tune.grid_search([1, 3, 4, 2])}
    made = trainable(Fragile(), X, Y, epochs=2, **DATA)
    results, study = fit(made, tmp_path, space)
    states = [trial.state.name for trial in study.trials]
    units = [trial.params["units"] for trial in study.trials]
    assert dict(zip(units, states, strict=True)) == {
        1: "COMPLETE", 2: "COMPLETE", 3: "FAIL", 4: "FAIL",
    }  # fmt: skip
    by_units = {trial.params["units"]: trial for trial in study.trials}
    broken = by_units[3].user_attrs["traceback"]
    assert "ArithmeticError: not three" in broken and "in fit" in broken and "\x1b" not in broken
    assert sorted(by_units[3].intermediate_values) == [0]
    assert "ArithmeticError: not four" in by_units[4].user_attrs["traceback"]
    assert len(results.errors) == stand(tmp_path / "r").counts.failed == 2


def test_any_trainable_is_recorded(tmp_path):
    space = {"values": tune.grid_search([[0.5, 0.25, 0.75], [0.1, float("nan")]]), "a": {"b": 1}}
    run = {"stop": {"training_iteration": 3}}
    _, study = fit(Curve, tmp_path, space, run=run)
    complete, no_number = study.trials
    assert complete.state == TrialState.COMPLETE and complete.value == 0.25
    assert complete.user_attrs["best_epoch"] == 1
    assert complete.intermediate_values == {0: 0.5, 1: 0.25, 2: 0.75}
    assert complete.user_attrs["values"] == {"values": "[0.5, 0.25, 0.75]", "a/b": 1}
    assert complete.user_attrs["history"][0].keys() == {"epoch", "val_loss"}
    assert complete.user_attrs["ray_trial"]
    assert no_number.state == TrialState.COMPLETE and no_number.value == 0.1


def test_a_trial_that_is_tried_again_counts_its_attempts(tmp_path):
    run = {"failure_config": tune.FailureConfig(max_failures=1)}
    _, study = fit(Curve, tmp_path, {"values": [0.5, None]}, run=run)
    [trial] = study.trials
    assert trial.state == TrialState.FAIL and trial.user_attrs["attempts"] == 1
    assert "no value" in trial.user_attrs["traceback"]


def test_a_second_experiment_is_added_to_the_first(tmp_path):
    fit(Curve, tmp_path, {"values": [0.5]}, samples=2)
    _, study = fit(Curve, tmp_path, {"values": [0.4]})
    assert [trial.value for trial in study.trials] == [0.5, 0.5, 0.4]
    assert (stand(study).planned, stand(study).state) == (3, "finished")


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
    assert stand(tmp_path / "r").state == "running"
    pickle.dumps(first)  # Ray keeps its callbacks.
    first.on_experiment_end([])
    second.setup()
    second.on_experiment_end([])


def test_trials_that_end_because_the_time_is_up_are_pruned(tmp_path):
    space = {"values": [0.5] * 1000, "seconds": 0.2}
    _, study = fit(Curve, tmp_path, space, time_budget_s=1)
    [trial] = study.trials
    assert trial.state == TrialState.PRUNED and trial.value == 0.5
    assert 0 < len(trial.intermediate_values) < 1000
    assert stand(tmp_path / "r").state == "finished"


class Interrupt(tune.Callback):
    """Ends an experiment as Ctrl-C does, in the second epoch of its first trial."""

    is_armed = True

    def on_trial_result(self, iteration, trials, trial, result, **info):
        if Interrupt.is_armed and result["training_iteration"] == 2:
            Interrupt.is_armed = False
            raise KeyboardInterrupt


def test_a_restored_experiment_goes_on_with_its_record(tmp_path):
    space = {"values": tune.grid_search([[0.5, 0.4, 0.3], [0.9, 0.8, 0.7]])}
    run = {"checkpoint_config": tune.CheckpointConfig(checkpoint_frequency=1)}
    Interrupt.is_armed = True
    with pytest.raises(KeyboardInterrupt):
        fit(Curve, tmp_path, space, callbacks=[Interrupt()], run=run, max_concurrent_trials=1)
    assert stand(tmp_path / "r").counts.complete == 0
    tuner = tune.Tuner.restore(str(tmp_path / "ray" / "t"), Curve, param_space=space)
    tuner.fit()
    study = kt_hpo.open_study(tmp_path / "r")
    assert [trial.value for trial in study.trials] == [0.3, 0.7]
    assert [sorted(trial.intermediate_values) for trial in study.trials] == [[0, 1, 2], [0, 1, 2]]
    assert (stand(study).planned, stand(study).state) == (2, "finished")
