import time

import keras
import pytest
import wandb
from models import blobs, eager
from sweep_service import SweepService
from wandb.agents.pyagent import Agent
from wandb_files import read_runs

import kt_hpo

X, Y = blobs()
DATA = {"validation_split": 0.3, "batch_size": 140, "verbose": 0}
VALUES = [{"units": 3, "rate": 0.01}, {"units": 8, "rate": 0.1}]


@pytest.fixture
def service(monkeypatch):
    """The service with a sweep of two runs."""
    monkeypatch.setattr(Agent, "HEARTBEAT_SLEEP_SECONDS", 0.2)
    values = iter(VALUES)
    config = kt_hpo.wandb.sweep_config(eager, "random", early_terminate="hyperband")
    with SweepService(config, lambda: next(values, None)) as running:
        monkeypatch.setenv("WANDB_BASE_URL", running.url)
        wandb.teardown()
        yield running


@pytest.mark.slow
def test_the_runs_of_a_sweep_are_trials_and_one_that_it_stops_is_pruned(service, tmp_path):
    class Slow(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            # The second run is stopped in its third epoch, and has the time to hear of it.
            if len(service.runs) == 2 and epoch >= 2:
                if epoch == 2:
                    service.stop_asked.append("run1")
                time.sleep(1)

    tuner = kt_hpo.wandb.agent(
        "team/project/sweep1", eager, X, Y, epochs=20, directory=tmp_path,
        callbacks=[Slow], tuner={"early_stopping": None}, **DATA,
    )  # fmt: skip
    assert tuner.study.study_name == "sweep1"
    finished, stopped = tuner.study.trials
    assert finished.params == VALUES[0] and finished.state.name == "COMPLETE"
    assert stopped.params == VALUES[1] and stopped.state.name == "PRUNED"
    assert 2 <= len(stopped.intermediate_values) < 20
    wandb.teardown()
    runs = read_runs(tmp_path / "wandb")
    assert {run.sweep_id for run in runs.values()} == {"sweep1"}
    run = runs["run0"]
    assert run.exit_code == 0 and run.summary["val_loss"] == pytest.approx(finished.value)
    assert run.config | VALUES[0] == run.config
    (history,) = finished.user_attrs["history"]
    assert [row["val_loss"] for row in run.history] == pytest.approx(history["val_loss"])
    assert len(run.artifacts) == 1
    assert runs["run1"].summary["state"] == "PRUNED"
    assert [run["name"] for run in service.runs] == ["run0", "run1"]


def test_a_count_ends_the_agent_and_a_failed_trial_fails_its_run(service, tmp_path):
    def broken(hp):
        model = eager(hp)
        if hp.values["units"] == 3:
            raise RuntimeError("too small")
        return model

    place = {"directory": tmp_path, "project_name": "p"}
    with pytest.raises(RuntimeError, match="too small"):
        kt_hpo.wandb.agent("team/project/sweep1", broken, X, Y, count=1, **place, **DATA)
    (trial,) = kt_hpo.open_study(tmp_path / "p").trials
    assert trial.state.name == "FAIL" and "too small" in trial.user_attrs["traceback"]
    wandb.teardown()
    (run,) = read_runs(tmp_path / "wandb").values()
    assert run.exit_code == 1 and "too small" in run.summary["traceback"]
    assert (tmp_path / "p" / "record.journal").exists()


@pytest.mark.slow
def test_an_interrupted_agent_takes_no_more_runs_and_the_next_one_goes_on(service, tmp_path):
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    sweep, heard = "team/project/sweep1", []
    with pytest.raises(KeyboardInterrupt):
        kt_hpo.wandb.agent(
            sweep, eager, X, Y, directory=tmp_path, callbacks=[Interrupt], seed=0, **DATA
        )
    assert [run["name"] for run in service.runs] == ["run0"]

    class Heard(kt_hpo.tracking.Tracker):
        def trial_ended(self, trial_number, state, score, best):
            heard.append((trial_number, state))

    tuner = kt_hpo.wandb.agent(
        sweep, eager, X, Y, directory=tmp_path, tuner={"tracker": Heard()}, **DATA
    )
    assert [trial.params for trial in tuner.study.trials] == VALUES
    assert heard == [(0, "COMPLETE"), (1, "COMPLETE")]
    wandb.teardown()
    runs = read_runs(tmp_path / "wandb")
    assert {name: run.exit_code for name, run in runs.items()} == {"run0": 1, "run1": 0}


def test_mistakes_are_told_before_a_run_is_taken(service, tmp_path):
    with pytest.raises(ValueError, match="val_loss, measured on validation data"):
        kt_hpo.wandb.agent("team/project/sweep1", eager, X, Y, directory=tmp_path, verbose=0)
    with pytest.raises(ValueError, match="'rate', which is no hyperparameter"):
        kt_hpo.wandb.agent("team/project/sweep1", build_without_rate, X, Y, directory=tmp_path)
    assert service.runs == []


def build_without_rate(hp):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Int("units", 1, 32))])
    model.compile(loss="mse")
    return model
