import importlib
import sys

import pytest
from models import blobs, build, eager

import kt_hpo
from kt_hpo.tracking import Tracker, make_trackers
from kt_hpo.tracking.tensorboard import TensorBoardTracker

X, Y = blobs()
EPOCHS = 2


class Heard(Tracker):
    """Keeps all it is told."""

    def __init__(self):
        self.events = []

    def open(self, search):
        super().open(search)
        self.events.append("open")

    def start(self, total, done):
        self.events.append(("start", total, done.total))

    def trial_started(self, trial_number, values):
        self.events.append(("began", trial_number, dict(values)))

    def epoch(self, trial_number, epoch, epochs, metrics):
        self.events.append(("epoch", trial_number, epoch, dict(metrics)))

    def trial_ended(self, trial_number, state, score, best):
        self.events.append(("ended", trial_number, state, score))

    def stop(self):
        self.events.append("stop")

    def epochs(self, number):
        return [event[2:] for event in self.events if event[:2] == ("epoch", number)]


class Broken(Tracker):
    def epoch(self, trial_number, epoch, epochs, metrics):
        raise OSError("The disk is full.")


class Reporting(kt_hpo.RandomSearch):
    """Reports some epochs, without a model."""

    def run_trial(self, trial):
        x = trial.hyperparameters.Float("x", 0, 1)
        for epoch in range(EPOCHS):
            self.report(trial, epoch, {"val_loss": x})
        return {"val_loss": x}


def make_tuner(tmp_path, tracker, kind=Reporting, hypermodel=None, **kwargs):
    settings = {"max_trials": 2, "seed": 0, "directory": tmp_path, "project_name": "t"} | kwargs
    return kind(hypermodel, "val_loss", tracker=tracker, **settings)


def trained(tmp_path, tracker, hypermodel, **kwargs):
    tuner = make_tuner(tmp_path, tracker, kt_hpo.RandomSearch, hypermodel, **kwargs)
    tuner.search(X, Y, validation_split=0.3, epochs=EPOCHS, batch_size=200, verbose=0)
    return tuner


@pytest.mark.parametrize(
    ("executor", "hypermodel"), [(kt_hpo.Inline(), eager), (kt_hpo.Vectorized(2), build)]
)
def test_every_epoch_is_told_whichever_executor_ran_the_trial(executor, hypermodel, tmp_path):
    heard = Heard()
    tuner = trained(tmp_path, heard, hypermodel, executor=executor, executions_per_trial=2)
    assert heard.events[:2] == ["open", ("start", 2, 0)] and heard.events[-1] == "stop"
    for trial in tuner.study.trials:
        assert ("began", trial.number, trial.params) in heard.events
        assert ("ended", trial.number, "COMPLETE", trial.value) in heard.events
        told = heard.epochs(trial.number)
        expected = []
        for execution, history in enumerate(trial.user_attrs["history"]):
            prefix = f"execution{execution}/" if execution else ""
            names = [name for name in history if name != "epoch"]
            expected += [
                (epoch, {f"{prefix}{name}": history[name][epoch] for name in names})
                for epoch in range(EPOCHS)
            ]
        assert len(told) == EPOCHS * 2
        for (epoch, metrics), (known_epoch, known) in zip(told, expected, strict=True):
            assert epoch == known_epoch
            assert metrics == pytest.approx(known)


def test_a_tracker_that_fails_is_told_of_once_and_fails_no_trial(tmp_path):
    heard = Heard()
    with pytest.warns(UserWarning) as warned:
        tuner = make_tuner(tmp_path, [Broken(), heard])
        tuner.search(verbose=0)
    messages = [str(one.message) for one in warned if "Broken" in str(one.message)]
    assert len(messages) == 2
    assert "OSError: The disk is full." in messages[0]
    assert messages[1] == "Broken failed 3 more times."
    assert [trial.state.name for trial in tuner.study.trials] == ["COMPLETE"] * 2
    assert len(heard.epochs(1)) == EPOCHS


def test_what_a_tracker_cannot_open_ends_the_search_before_any_training(tmp_path):
    class Shut(Tracker):
        def open(self, search):
            raise PermissionError("not yours")

    tuner = make_tuner(tmp_path, Shut())
    with pytest.raises(PermissionError, match="not yours"):
        tuner.search(verbose=0)
    assert not tuner.study.trials


@pytest.mark.slow
def test_a_tracker_may_load_the_model_of_a_trial(tmp_path):
    losses = []

    class Loads(Tracker):
        def trial_ended(self, trial_number, state, score, best):
            model = self.search.load_model(trial_number)
            losses.append((score, model.evaluate(X[140:], Y[140:], verbose=0)[0]))

    trained(tmp_path, Loads(), eager)
    assert len(losses) == 2
    for score, loss in losses:
        assert loss == pytest.approx(score, rel=1e-5)


def test_a_tuner_with_an_open_tracker_can_be_sent_to_another_process(tmp_path):
    heard = Heard()
    heard._file = (tmp_path / "open").open("w")
    make_tuner(tmp_path, heard).search(verbose=0)
    state = heard.__getstate__()
    assert "search" not in state and "_file" not in state and state["events"]


@pytest.mark.parametrize("wrong", ["tensorbord", 3, [Heard(), "mlflow"]])
def test_a_tracker_that_there_is_none_of(tmp_path, wrong):
    with pytest.raises(ValueError, match=r"'tensorboard' or 'wandb', an object of a subclass"):
        make_tuner(tmp_path, wrong)


def test_a_name_with_a_slip_is_corrected():
    with pytest.raises(ValueError, match="Did you mean 'tensorboard'"):
        make_trackers("tensorbord")
    assert isinstance(make_trackers(["tensorboard"])[0], TensorBoardTracker)


@pytest.mark.parametrize("name", ["tensorboard", "wandb"])
def test_a_package_that_is_missing_is_named_before_any_training(monkeypatch, tmp_path, name):
    for module in [*sys.modules]:
        if module.startswith((f"{name}.", f"kt_hpo.tracking.{name}")):
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf'pip install "kt-hpo\[{name}\]'):
        make_tuner(tmp_path, name)


def test_sweeps_without_the_package_name_it(monkeypatch):
    for module in [*sys.modules]:
        if module.startswith(("wandb.", "kt_hpo.wandb", "kt_hpo.integrations.wandb")):
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ImportError, match=r'pip install "kt-hpo\[wandb\]'):
        importlib.import_module("kt_hpo.wandb")
