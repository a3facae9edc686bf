"""The tuner that settings make."""

import optuna
import pytest
from models import eager

import kt_hpo
from kt_hpo.cli.settings import complete
from kt_hpo.cli.tuners import tuner_for


def tuner_of(folder, **given):
    needed = {"data": "models:blobs", "model": "models:eager", "directory": str(folder / "one")}
    return tuner_for(complete(needed | given), eager, "val_accuracy", folder / "one", False)


def test_nothing_said_is_what_benchmarks_best(tmp_path):
    tuner = tuner_of(tmp_path)
    assert type(tuner) is kt_hpo.OptunaSearch
    assert isinstance(tuner.oracle.sampler, optuna.samplers.TPESampler)
    assert isinstance(tuner.oracle.pruner, optuna.pruners.MedianPruner)


@pytest.mark.parametrize(
    ("given", "pruner"),
    [
        ({"algorithm": "random"}, optuna.pruners.MedianPruner),
        ({"objective": "generalization_gap"}, optuna.pruners.MedianPruner),
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
