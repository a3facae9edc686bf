import math
from pathlib import Path

import keras
import optuna
import pytest
import wandb
from models import blobs, build, eager
from tiers import few
from wandb_files import read_runs

import kt_hpo
from kt_hpo.tracking.wandb import WandbTracker

X, Y = blobs()
FIT = {"validation_split": 0.3, "epochs": 2, "batch_size": 200, "verbose": 0}


@pytest.fixture(scope="module", autouse=True)
def offline():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_MODE", "offline")
        for name in ("WANDB_PROJECT", "WANDB_API_KEY", "WANDB_BASE_URL"):
            patch.delenv(name, raising=False)
        wandb.teardown()
        yield
        wandb.teardown()


@pytest.fixture
def online(monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "online")
    wandb.teardown()  # What was set up does not look at the environment again.
    yield monkeypatch
    wandb.teardown()


def searched(folder, hypermodel=eager, tracker="wandb", **kwargs):
    settings = {"max_trials": 1, "seed": 0, "directory": folder, "project_name": "t"} | kwargs
    tuner = kt_hpo.RandomSearch(hypermodel, "val_loss", tracker=tracker, **settings)
    tuner.search(X, Y, **FIT)
    return tuner


def runs_of(tuner):
    wandb.teardown()  # As at the end of a program: all is written then.
    return read_runs(Path(tuner.project_dir) / "wandb")


def too_large(hp):
    model = eager(hp)
    if hp.values["units"] > 24:
        raise RuntimeError("too large")
    return model


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory):
    """A search whose trials end one after the other, and its runs."""
    tuner = searched(tmp_path_factory.mktemp("one"), too_large, max_trials=5)
    return tuner, runs_of(tuner)


@pytest.fixture(scope="module")
def all_at_once(tmp_path_factory):
    """One whose trials end together, when all but the best have lost their weights."""
    together = {"executor": kt_hpo.Vectorized(6), "max_trials": 6, "keep_checkpoints": 1}
    tuner = searched(tmp_path_factory.mktemp("all"), build, **together)
    return tuner, runs_of(tuner)


@pytest.mark.parametrize("search", few(["one_by_one", "all_at_once"], "one_by_one"))
def test_a_run_a_trial_holds_what_the_record_holds(search, request):
    tuner, runs = request.getfixturevalue(search)
    assert set(runs) == {f"t-{trial.number:04d}" for trial in tuner.study.trials}
    for trial in tuner.study.get_trials(states=[optuna.trial.TrialState.COMPLETE]):
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


def test_the_best_model_is_an_artifact(one_by_one, tmp_path):
    tuner, runs = one_by_one
    bests, least = [], math.inf
    for trial in tuner.study.get_trials(states=[optuna.trial.TrialState.COMPLETE]):
        if trial.value < least:
            bests.append(f"t-{trial.number:04d}")
            least = trial.value
    assert [name for name, run in runs.items() if run.artifacts] == bests
    (artifact,) = runs[f"t-{tuner.study.best_trial.number:04d}"].artifacts
    assert (artifact.name, artifact.type) == ("t-best", "model")
    assert "best" in artifact.aliases
    (entry,) = artifact.manifest.contents
    assert entry.path == "model.keras"
    path = tmp_path / "model.keras"
    path.write_bytes(Path(entry.local_path).read_bytes())
    loss, _ = keras.models.load_model(path).evaluate(X[140:], Y[140:], verbose=0)
    assert loss == pytest.approx(tuner.study.best_value, rel=1e-5)


def test_a_failed_trial_is_a_failed_run_with_its_traceback(one_by_one):
    tuner, runs = one_by_one
    states = [trial.state.name for trial in tuner.study.trials]
    assert set(states) == {"FAIL", "COMPLETE"} and states.count("COMPLETE") > 1
    for trial in tuner.study.trials:
        run = runs[f"t-{trial.number:04d}"]
        failed = trial.state.name == "FAIL"
        assert run.exit_code == int(failed)
        assert ("RuntimeError: too large" in run.summary.get("traceback", "")) == failed


def test_a_model_that_is_best_only_within_its_group_has_no_version(all_at_once):
    tuner, runs = all_at_once
    logged = [name for name, run in runs.items() if run.artifacts]
    assert logged == [f"t-{tuner.study.best_trial.number:04d}"]


class Reporting(kt_hpo.RandomSearch):
    """Reports an epoch, without a model."""

    def run_trial(self, trial, *args, **kwargs):
        x = trial.hyperparameters.Float("x", 0, 1)
        self.report(trial, 0, {"val_loss": x})
        return {"val_loss": x}


def reported(folder, kind=Reporting, **kwargs):
    settings = {"tracker": "wandb", "directory": folder, "project_name": "t", "max_trials": 1}
    tuner = kind(objective="val_loss", **settings | kwargs)
    tuner.search(verbose=0)
    return tuner


def test_an_overwritten_search_takes_its_runs_along(tmp_path):
    assert len(runs_of(reported(tmp_path, max_trials=2))) == 2
    assert set(runs_of(reported(tmp_path, overwrite=True))) == {"t-0000"}


def test_settings_are_those_of_init(tmp_path):
    tracker = WandbTracker(project="mine", group="all", dir=str(tmp_path))
    searched(tmp_path, tracker=tracker, project_name="a b")
    wandb.teardown()
    (run,) = read_runs(tmp_path / "wandb").values()
    assert (run.project, run.group) == ("mine", "all")
    assert run.artifacts[0].name == "a-b-best"


def test_no_key_is_an_error_before_any_training(tmp_path, online):
    online.setenv("HOME", str(tmp_path))
    online.setenv("NETRC", str(tmp_path / "netrc"))
    with pytest.raises(wandb.errors.UsageError, match="No API key"):
        reported(tmp_path)
    assert not kt_hpo.open_study(tmp_path / "t").trials


def test_runs_stay_here_while_the_service_cannot_be_reached(tmp_path, online):
    online.setenv("WANDB_API_KEY", "0" * 40)
    online.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    # The service was there when the search began.
    online.setattr(wandb, "login", lambda: True)
    tracker = WandbTracker(settings=wandb.Settings(silent=True, console="off", init_timeout=2))
    with pytest.warns(UserWarning) as warned:
        tuner = reported(tmp_path, tracker=tracker, max_trials=2)
    (message,) = [str(one.message) for one in warned if "cannot be reached" in str(one.message)]
    assert "wandb sync" in message
    assert set(runs_of(tuner)) == {"t-0000", "t-0001"}
    assert [trial.state.name for trial in tuner.study.trials] == ["COMPLETE"] * 2


def test_the_runs_of_an_interrupted_search_are_ended(tmp_path):
    class Interrupted(Reporting):
        def run_trial(self, trial):
            self.report(trial, 0, {"val_loss": 1.0})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reported(tmp_path, Interrupted)
    wandb.teardown()
    (run,) = read_runs(tmp_path / "t" / "wandb").values()
    assert run.exit_code == 1 and run.history == [{"epoch": 0, "val_loss": 1}]
