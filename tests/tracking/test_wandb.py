from pathlib import Path

import keras
import pytest
import wandb
from models import blobs, build
from wandb_files import read_runs

import kt_hpo
from kt_hpo.tracking.wandb import WandbTracker

X, Y = blobs()


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    for name in ("WANDB_PROJECT", "WANDB_API_KEY", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    wandb.teardown()
    yield
    wandb.teardown()


def searched(tmp_path, hypermodel=build, tracker="wandb", **kwargs):
    settings = {"max_trials": 3, "seed": 0, "directory": tmp_path, "project_name": "t"} | kwargs
    tuner = kt_hpo.RandomSearch(hypermodel, "val_loss", tracker=tracker, **settings)
    tuner.search(X, Y, validation_split=0.3, epochs=2, verbose=0)
    return tuner


def runs_of(tuner):
    wandb.teardown()  # As at the end of a program: all is written then.
    return read_runs(Path(tuner.project_dir) / "wandb")


@pytest.mark.parametrize("executor", [kt_hpo.Inline(), kt_hpo.Vectorized(3)], ids=repr)
def test_a_run_a_trial_holds_what_the_record_holds(tmp_path, executor):
    tuner = searched(tmp_path, executor=executor)
    runs = runs_of(tuner)
    assert set(runs) == {"t-0000", "t-0001", "t-0002"}
    for trial in tuner.study.trials:
        run = runs[f"t-{trial.number:04d}"]
        assert (run.project, run.group, run.exit_code) == ("t", "t", 0)
        assert {name: run.config[name] for name in trial.params} == trial.params
        (history,) = trial.user_attrs["history"]
        assert [row["epoch"] for row in run.history] == [0, 1]
        for name in ("loss", "val_loss", "val_accuracy"):
            assert [row[name] for row in run.history] == pytest.approx(history[name])
        assert run.summary["val_loss"] == pytest.approx(trial.value)
        assert run.summary["best_epoch"] == trial.user_attrs["best_epoch"]
        assert run.summary["parameters"] == trial.user_attrs["parameters"]
        assert run.summary["state"] == "COMPLETE"


def test_the_best_model_is_an_artifact(tmp_path):
    tuner = searched(tmp_path)
    logged = {
        number: runs_of(tuner)[f"t-{number:04d}"].artifacts
        for number in (trial.number for trial in tuner.study.trials)
    }
    bests = [0]
    for trial in tuner.study.trials[1:]:
        if trial.value < tuner.study.trials[bests[-1]].value:
            bests.append(trial.number)
    assert [number for number, artifacts in logged.items() if artifacts] == bests
    (artifact,) = logged[tuner.study.best_trial.number]
    assert (artifact.name, artifact.type) == ("t-best", "model")
    assert "best" in artifact.aliases
    (entry,) = artifact.manifest.contents
    assert entry.path == "model.keras"
    path = tmp_path / "model.keras"
    path.write_bytes(Path(entry.local_path).read_bytes())
    loss, _ = keras.models.load_model(path).evaluate(X[140:], Y[140:], verbose=0)
    assert loss == pytest.approx(tuner.study.best_value, rel=1e-5)


def test_a_failed_trial_is_a_failed_run_with_its_traceback(tmp_path):
    def broken(hp):
        model = build(hp)
        if hp.values["units"] > 16:
            raise RuntimeError("too large")
        return model

    tuner = searched(tmp_path, broken)
    states = [trial.state.name for trial in tuner.study.trials]
    assert set(states) == {"FAIL", "COMPLETE"}
    for trial in tuner.study.trials:
        run = runs_of(tuner)[f"t-{trial.number:04d}"]
        failed = trial.state.name == "FAIL"
        assert run.exit_code == int(failed)
        assert ("RuntimeError: too large" in run.summary.get("traceback", "")) == failed


def test_a_model_that_is_best_only_within_its_group_has_no_version(tmp_path):
    tuner = searched(tmp_path, max_trials=8, executor=kt_hpo.Vectorized(8), keep_checkpoints=1)
    runs = runs_of(tuner)
    logged = [name for name, run in runs.items() if run.artifacts]
    assert len(runs) == 8 and f"t-{tuner.study.best_trial.number:04d}" in logged


def test_an_overwritten_search_takes_its_runs_along(tmp_path):
    searched(tmp_path, max_trials=2)
    tuner = searched(tmp_path, max_trials=1, overwrite=True)
    assert set(runs_of(tuner)) == {"t-0000"}


def test_settings_are_those_of_init(tmp_path):
    tracker = WandbTracker(project="mine", group="all", dir=str(tmp_path))
    searched(tmp_path, tracker=tracker, max_trials=1, project_name="a b")
    (run,) = read_runs(tmp_path / "wandb").values()
    assert (run.project, run.group) == ("mine", "all")
    assert run.artifacts[0].name == "a-b-best"


def test_no_key_is_an_error_before_any_training(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    wandb.teardown()
    with pytest.raises(wandb.errors.UsageError, match="No API key"):
        searched(tmp_path)
    assert not kt_hpo.open_study(tmp_path / "t").trials


def test_runs_stay_here_while_the_service_cannot_be_reached(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    # The service was there when the search began.
    monkeypatch.setattr(wandb, "login", lambda: True)
    wandb.teardown()
    tracker = WandbTracker(settings=wandb.Settings(silent=True, console="off", init_timeout=2))
    with pytest.warns(UserWarning) as warned:
        tuner = searched(tmp_path, tracker=tracker, max_trials=2)
    (message,) = [str(one.message) for one in warned if "cannot be reached" in str(one.message)]
    assert "wandb sync" in message
    assert set(runs_of(tuner)) == {"t-0000", "t-0001"}
    assert [trial.state.name for trial in tuner.study.trials] == ["COMPLETE"] * 2


def test_the_runs_of_an_interrupted_search_are_ended(tmp_path):
    class Interrupted(kt_hpo.RandomSearch):
        def run_trial(self, trial, *args, **kwargs):
            self.report(trial, 0, {"val_loss": 1.0})
            raise KeyboardInterrupt

    tuner = Interrupted(
        build, "val_loss", directory=tmp_path, project_name="t", tracker=WandbTracker()
    )
    with pytest.raises(KeyboardInterrupt):
        tuner.search(verbose=0)
    (run,) = runs_of(tuner).values()
    assert run.exit_code == 1 and run.history == [{"epoch": 0, "val_loss": 1}]
