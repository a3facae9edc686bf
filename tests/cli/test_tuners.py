"""The tuner that settings make."""

import keras_tuner
import optuna
import pytest
from models import eager

import kt_hpo
from kt_hpo.cli.settings import complete
from kt_hpo.cli.tuners import tuner_for


def tuner_of(folder, **given):
    needed = {"data": "models:blobs", "model": "models:eager", "directory": str(folder / "one")}
    given = {"max_epochs": "20"} | given
    return tuner_for(complete(needed | given), eager, "val_accuracy", folder / "one", False)


def test_nothing_said_is_what_benchmarks_best(tmp_path):
    tuner = tuner_of(tmp_path)
    assert type(tuner) is kt_hpo.AutoSearch
    assert tuner.choice.algorithm == "freeze_thaw"
    assert tuner.oracle.budget == 20 * 20


def test_the_first_trial_tries_the_defaults_of_a_ready_model_unless_told_otherwise(tmp_path):
    class Ready(keras_tuner.HyperModel):
        tries_defaults = True

        def build(self, hp):
            return eager(hp)

    def tries(**given):
        settings = complete({"data": "models:blobs", "model": "mlp", "max_epochs": "20", **given})
        return tuner_for(settings, Ready(), "val_loss", tmp_path / "one", True).try_defaults

    assert tries() and not tries(no_defaults="true")
    assert not tuner_of(tmp_path / "own").try_defaults


@pytest.mark.parametrize(
    ("given", "pruner"),
    [
        ({"algorithm": "random"}, optuna.pruners.MedianPruner),
        ({"algorithm": "tpe", "objective": "generalization_gap"}, optuna.pruners.MedianPruner),
        ({"constraint": "parameters < 1e5"}, optuna.pruners.MedianPruner),
        ({}, optuna.pruners.NopPruner),
        ({"pruner": "asha"}, optuna.pruners.SuccessiveHalvingPruner),
        ({"pruner": "none"}, optuna.pruners.NopPruner),
        ({"objective": "val_accuracy,parameters"}, optuna.pruners.NopPruner),
        ({"objective": "latency"}, optuna.pruners.NopPruner),
        ({"algorithm": "hyperband"}, optuna.pruners.NopPruner),
        ({"algorithm": "pbt"}, optuna.pruners.NopPruner),
        ({"algorithm": "bohb"}, optuna.pruners.HyperbandPruner),
    ],
)
def test_trials_are_pruned_wherever_epochs_can_be_compared(given, pruner, tmp_path):
    assert type(tuner_of(tmp_path, **given).oracle.pruner) is pruner


def test_a_pruner_that_was_asked_for_and_cannot_work_is_refused(tmp_path):
    with pytest.raises(ValueError, match="several"):
        tuner_of(tmp_path, objective="val_accuracy,parameters", pruner="median")
