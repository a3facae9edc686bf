import json

import pytest
import wandb
from models import blobs, build
from sweep_service import SweepService

import kt_hpo

X, Y = blobs()


def described(number, state, config, summary, history):
    """A run as the service describes it."""
    return {
        "id": f"id{number}",
        "name": f"run{number}",
        "displayName": f"run {number}",
        "state": state,
        "config": json.dumps({name: {"value": value} for name, value in config.items()}),
        "summaryMetrics": json.dumps(summary),
        "history": [json.dumps(row) for row in history],
        "sweepName": "sweep1",
        "group": None,
        "jobType": None,
        "tags": [],
        "commit": None,
        "readOnly": False,
        "createdAt": f"2026-01-01T00:00:0{number}Z",
        "heartbeatAt": "2026-01-01T00:01:00Z",
        "description": None,
        "notes": None,
        "systemMetrics": "{}",
        "historyLineCount": len(history),
        "historyKeys": json.dumps({"lastStep": len(history) - 1, "keys": {}}),
        "projectId": 1,
        "user": {"name": "user", "username": "user"},
    }


def history(*losses):
    return [
        {"_step": epoch, "_runtime": epoch, "epoch": epoch, "loss": 2 * loss, "val_loss": loss}
        for epoch, loss in enumerate(losses)
    ]


RUNS = [
    described(
        0, "finished", {"units": 3, "rate": 0.01},
        {"val_loss": 0.4, "loss": 0.8, "best_epoch": 1, "parameters": 19, "_runtime": 3},
        history(0.5, 0.4, 0.6),
    ),
    described(1, "running", {"units": 4, "rate": 0.1}, {}, []),
    described(2, "killed", {"units": 5, "rate": 0.1}, {"val_loss": 0.9}, history(0.9)),
    described(3, "crashed", {"units": 6, "rate": 1}, {"_runtime": 1}, []),
    described(4, "finished", {"units": 8, "rate": 0.1}, {"loss": 0.1}, []),
]  # fmt: skip


@pytest.fixture
def service(monkeypatch):
    config = kt_hpo.wandb.sweep_config(build, "random")
    with SweepService(config, runs=RUNS) as running:
        monkeypatch.setenv("WANDB_BASE_URL", running.url)
        wandb.teardown()
        yield running


def test_the_ended_runs_of_a_sweep_are_in_a_record(service, tmp_path):
    study = kt_hpo.wandb.import_sweep("team/project/sweep1", build, tmp_path)
    trials = study.trials
    assert [trial.state.name for trial in trials] == ["COMPLETE", "PRUNED", "FAIL", "FAIL"]
    assert [trial.params for trial in trials] == [
        {"units": 3, "rate": 0.01}, {"units": 5, "rate": 0.1}, {"units": 6, "rate": 1.0},
        {"units": 8, "rate": 0.1},
    ]  # fmt: skip
    best = trials[0]
    assert best.value == 0.4 and best.user_attrs["best_epoch"] == 1
    assert best.intermediate_values == {0: 0.5, 1: 0.4, 2: 0.6}
    assert best.user_attrs["history"] == [
        {"loss": [1.0, 0.8, 1.2], "val_loss": [0.5, 0.4, 0.6], "epoch": [0, 1, 2]}
    ]
    assert best.user_attrs["metrics"] == {"val_loss": 0.4, "loss": 0.8}
    assert best.user_attrs["parameters"] == 19
    assert trials[1].value == 0.9 and trials[2].user_attrs["traceback"]
    frame = kt_hpo.open_study(tmp_path / "sweep1")
    assert len(frame.trials) == 4


def test_a_search_goes_on_from_an_imported_sweep(service, tmp_path):
    kt_hpo.wandb.import_sweep("team/project/sweep1", build, tmp_path, "taken")
    tuner = kt_hpo.OptunaSearch(
        build, "val_loss", max_trials=5, directory=tmp_path, project_name="taken", seed=0
    )
    tuner.search(X, Y, validation_split=0.3, epochs=1, verbose=0)
    assert len(tuner.study.trials) == 5
    assert tuner.oracle.get_trial("0000").score == 0.4


def test_an_imported_sweep_is_what_another_search_learns_from(service, tmp_path):
    study = kt_hpo.wandb.import_sweep("team/project/sweep1", build, tmp_path)
    tuner = kt_hpo.OptunaSearch(
        build, "val_loss", max_trials=1, directory=tmp_path, project_name="new", warm_start=study
    )
    tuner.search(X, Y, validation_split=0.3, epochs=1, verbose=0)
    assert len(tuner.oracle.past) >= 1


def test_a_record_that_has_trials_is_left_alone(service, tmp_path):
    kt_hpo.wandb.import_sweep("team/project/sweep1", build, tmp_path)
    with pytest.raises(ValueError, match="There are 4 trials in the record 'sweep1'"):
        kt_hpo.wandb.import_sweep("team/project/sweep1", build, tmp_path)
