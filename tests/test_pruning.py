"""Pruning in real searches."""

from pathlib import Path

import optuna
import pytest
from models import blobs, eager

import kt_hpo
from kt_hpo.pruning import make_pruner

X, Y = blobs()
FIT = {"validation_split": 0.25, "epochs": 3, "batch_size": 200, "verbose": 0}


class EveryOther(optuna.pruners.BasePruner):
    """Stops every other trial after its second epoch."""

    def prune(self, study, trial):
        return trial.number % 2 == 1 and trial.last_step >= 1


def searched(folder, **kwargs):
    arguments = {"max_trials": 4, "seed": 0, "directory": folder, "pruner": EveryOther()}
    tuner = kt_hpo.RandomSearch(eager, "val_accuracy", **(arguments | kwargs))
    tuner.search(X, Y, **FIT)
    return tuner


def test_a_pruned_trial_stops_and_keeps_its_best_value(tmp_path):
    tuner = searched(tmp_path)
    for trial in tuner.study.trials:
        history = trial.user_attrs["history"][0]
        pruned = trial.number % 2 == 1
        assert trial.state.name == ("PRUNED" if pruned else "COMPLETE")
        assert history["epoch"] == ([0, 1] if pruned else [0, 1, 2])
        assert trial.user_attrs["metrics"]["val_accuracy"] == max(history["val_accuracy"])
        folder = Path(tuner.project_dir) / f"trial_{trial.number:04d}"
        assert folder.exists() != pruned
    assert {t.trial_id for t in tuner.oracle.get_best_trials(9)} == {"0000", "0002"}
    assert list(tuner.to_dataframe()["state"]) == ["completed", "pruned"] * 2
    assert searched(tmp_path).study.trials == tuner.study.trials


@pytest.mark.slow
def test_the_other_executions_of_a_pruned_trial_are_not_run(tmp_path):
    tuner = searched(tmp_path, max_trials=2, executions_per_trial=2)
    assert [len(t.user_attrs["history"]) for t in tuner.study.trials] == [2, 1]


def test_a_run_trial_of_ones_own_may_ask(tmp_path):
    class Steps(kt_hpo.RandomSearch):
        def run_trial(self, trial):
            x = trial.hyperparameters.Float("x", 0, 1)
            for epoch in range(5):
                if not self.report(trial, epoch, {"default_objective": x + epoch}):
                    return None
            return x

    tuner = Steps(max_trials=4, seed=0, directory=tmp_path, pruner=EveryOther())
    tuner.search(verbose=0)
    assert [t.state.name for t in tuner.study.trials] == ["COMPLETE", "PRUNED"] * 2
    pruned = tuner.study.trials[1]
    assert pruned.user_attrs["metrics"]["default_objective"] == pruned.params["x"]


def test_pruning_saves_epochs_and_finds_as_good_a_model(tmp_path):
    class Curves(kt_hpo.RandomSearch):
        """Losses that fall from 1, faster and slower, to what they end with."""

        epochs = 0

        def run_trial(self, trial):
            last = trial.hyperparameters.Float("last", 0.1, 0.9)
            for epoch in range(8):
                self.epochs += 1
                loss = last + (1 - last) * 0.5**epoch
                if not self.report(trial, epoch, {"default_objective": loss}):
                    return None
            return loss

    results = {}
    for pruner in (None, "asha"):
        tuner = Curves(
            max_trials=20, seed=2, directory=tmp_path, pruner=pruner, project_name=str(pruner)
        )
        tuner.search(verbose=0)
        results[pruner] = (tuner.epochs, tuner.study.best_value)
    assert results["asha"][0] < 0.7 * results[None][0]
    assert results["asha"][1] == pytest.approx(results[None][1], rel=0.15)


def test_what_cannot_prune_is_refused_early(tmp_path):
    with pytest.raises(ValueError, match="both decide"):
        kt_hpo.Hyperband(eager, "val_loss", pruner="asha", directory=tmp_path)
    with pytest.raises(ValueError, match="several"):
        kt_hpo.RandomSearch(eager, ["val_loss", "val_accuracy"], pruner="asha", directory=tmp_path)
    with pytest.raises(ValueError, match="Did you mean 'median'"):
        make_pruner("medain")
    with pytest.raises(TypeError, match="optuna"):
        make_pruner(3)
