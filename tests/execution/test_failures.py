"""Trials that fail, and when they end the search."""

import keras
import pytest
from models import build, eager
from searches import FIT, searched

import kt_hpo
from kt_hpo.record.journal import Journal

ONE_BATCH = FIT | {"batch_size": 200}


@pytest.mark.slow
def test_a_trial_that_fails_fails_alone(tmp_path):
    def fails_when_wide(hp):
        if hp.Int("units", 1, 32) > 16:
            raise RuntimeError("too wide for this shop")
        return eager(hp)

    limits = {"max_trials": 5, "max_consecutive_failed_trials": 5}
    tuner = searched(tmp_path, hypermodel=fails_when_wide, fit=ONE_BATCH, **limits)
    for trial in tuner.study.trials:
        failed = trial.params["units"] > 16
        assert trial.state.name == ("FAIL" if failed else "COMPLETE")
        assert ("too wide for this shop" in trial.user_attrs.get("traceback", "")) == failed
    assert {trial.state.name for trial in tuner.study.trials} == {"FAIL", "COMPLETE"}


@pytest.mark.slow
def test_a_nan_fails_its_trial_and_says_when(tmp_path):
    def diverges(hp):
        model = build(hp)
        optimizer = keras.optimizers.SGD(hp.Choice("lr", [1e38, 1e-2]))
        model.compile(optimizer, loss="mse", run_eagerly=True)
        return model

    tuner = searched(
        tmp_path, hypermodel=diverges, objective="val_loss", max_trials=4, seed=2,
        fit=ONE_BATCH, max_consecutive_failed_trials=9,
    )  # fmt: skip
    states = {trial.params["lr"]: trial.state.name for trial in tuner.study.trials}
    assert states == {1e38: "FAIL", 1e-2: "COMPLETE"}
    message = next(t for t in tuner.study.trials if t.params["lr"] > 1).user_attrs["traceback"]
    assert "became" in message and "epoch 1" in message and "learning rate" in message


def test_a_model_that_is_too_large_fails(tmp_path):
    limits = {"max_trials": 5, "max_model_size": 60, "max_consecutive_failed_trials": 9}
    tuner = searched(tmp_path, hypermodel=eager, fit=ONE_BATCH, **limits)
    for trial in tuner.study.trials:
        assert (trial.state.name == "FAIL") == (6 * trial.params["units"] + 1 > 60)
    errors = [t.user_attrs.get("traceback", "") for t in tuner.study.trials]
    assert any("max_model_size=60" in error for error in errors)


def test_three_failures_at_the_start_stop_the_search(tmp_path):
    def broken(hp):
        if hp.Int("width", 1, 99, default=99) < 99:
            raise RuntimeError(f"bug {hp['width']}")
        return build(hp)

    with pytest.raises(RuntimeError, match="3 trials failed in a row") as error:
        searched(tmp_path, hypermodel=broken, max_trials=20)
    study = kt_hpo.open_study(tmp_path)
    assert len(study.trials) == 3
    assert f"bug {study.trials[0].params['width']}" in str(error.value)


class Box(kt_hpo.RandomSearch):
    """Fails in the trials of these numbers, before or after it asked for its value."""

    fails, asks_first = (), True

    def run_trial(self, trial):
        if self.asks_first:
            trial.hyperparameters.Float("x", 0, 1)
        if int(trial.trial_id) in self.fails:
            raise OSError(f"no answer in {trial.trial_id}")
        return trial.hyperparameters.Float("x", 0, 1)


def box(directory, fails, asks_first=True, **arguments):
    kind = type("Box", (Box,), {"fails": fails, "asks_first": asks_first})
    return kind(**{"max_trials": 5, "seed": 0, "directory": directory} | arguments)


def states(tuner):
    return [trial.state.name for trial in tuner.study.trials]


@pytest.mark.parametrize(("count", "asks_first"), [(1, False), (2, True)])
def test_a_search_of_which_all_trials_fail_says_so_however_few(count, asks_first, tmp_path):
    tuner = box(tmp_path, range(9), asks_first, max_trials=count)
    with pytest.raises(RuntimeError, match=r"(?s)trials? failed.*0000.*no answer in 0000"):
        tuner.search(verbose=0)
    assert states(tuner) == ["FAIL"] * count
    # Nor is it silent when it is run again; and it goes on after what was mended.
    with pytest.raises(RuntimeError, match="no answer in 0000"):
        box(tmp_path, range(9), asks_first, max_trials=count).search(verbose=0)
    more = box(tmp_path, (), asks_first, max_trials=count + 1)
    more.search(verbose=0)
    assert states(more) == ["FAIL"] * count + ["COMPLETE"]


def test_failures_after_trials_that_went_well_are_no_error(tmp_path):
    box(tmp_path, (), max_trials=2).search(verbose=0)
    more = box(tmp_path, (2, 3), max_trials=4)
    more.search(verbose=0)
    assert states(more) == ["COMPLETE", "COMPLETE", "FAIL", "FAIL"]


@pytest.mark.parametrize("executor", [None, kt_hpo.Vectorized(3)])
@pytest.mark.parametrize("fails", [(0,), (0, 1)])
def test_first_trials_that_die_before_they_ask_for_a_value_end_nothing(fails, executor, tmp_path):
    tuner = box(tmp_path, fails, asks_first=False, executor=executor)
    tuner.search(verbose=0)
    assert states(tuner) == ["FAIL"] * len(fails) + ["COMPLETE"] * (5 - len(fails))
    assert len({trial.params.get("x") for trial in tuner.study.trials[len(fails) :]}) > 1


@pytest.mark.parametrize(
    "kind", [kt_hpo.Hyperband, kt_hpo.OptunaSearch, kt_hpo.BayesianOptimization]
)
def test_engines_go_on_after_a_first_trial_that_asked_for_nothing(kind, tmp_path):
    class Search(kind):
        def run_trial(self, trial):
            if trial.trial_id == "0000":
                raise OSError("no answer")
            return trial.hyperparameters.Float("x", 0, 1)

    arguments = {"max_epochs": 4} if kind is kt_hpo.Hyperband else {"max_trials": 4}
    tuner = Search(directory=tmp_path, seed=0, **arguments)
    tuner.search(verbose=0)
    assert states(tuner)[0] == "FAIL" and states(tuner).count("COMPLETE") > 2


def test_three_first_trials_that_ask_for_nothing_stop_the_search(tmp_path):
    with pytest.raises(RuntimeError, match=r"(?s)3 trials failed in a row.*no answer in 0000"):
        box(tmp_path, range(9), asks_first=False).search(verbose=0)


def test_a_function_without_hyperparameters_runs_once(tmp_path):
    class Constant(kt_hpo.RandomSearch):
        def run_trial(self, trial):
            return 1.0

    tuner = Constant(max_trials=5, directory=tmp_path)
    tuner.search(verbose=0)
    assert states(tuner) == ["COMPLETE"]


def test_a_record_that_cannot_be_written_is_what_the_user_is_told(monkeypatch, tmp_path):
    """At whichever write the disk is full: the search stops, and it is no trial's failure."""
    whole = box(tmp_path, (1,), project_name="whole", max_trials=3)
    written = []
    write = Journal._write
    monkeypatch.setattr(
        Journal, "_write", lambda self, logs: (written.append(1), write(self, logs))
    )
    whole.search(verbose=0)
    for last in range(len(written)):
        tuner = box(tmp_path, (1,), project_name=str(last), max_trials=3)
        left = iter(range(last))

        def full(self, logs, left=left):
            if next(left, None) is None:
                raise kt_hpo.RecordError("No space left. Make room.")
            write(self, logs)

        monkeypatch.setattr(Journal, "_write", full)
        with pytest.raises(kt_hpo.RecordError, match="Make room"):
            tuner.search(verbose=0)
        monkeypatch.setattr(Journal, "_write", write)
        again = box(tmp_path, (1,), project_name=str(last), max_trials=3)
        again.search(verbose=0)
        assert states(again) == states(whole)
        assert [t.params for t in again.study.trials] == [t.params for t in whole.study.trials]


def test_a_hypermodel_that_never_builds_is_an_early_error(tmp_path):
    def broken(hp):
        hp.Int("units", 1, 9)
        raise RuntimeError("always")

    with pytest.raises(ValueError, match=r"(?s)any values.*always"):
        kt_hpo.RandomSearch(broken, "val_loss", directory=tmp_path)
