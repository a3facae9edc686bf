"""What `AutoSearch` chooses, and that it says so."""

import keras_tuner
import pytest
from models import blobs, eager
from optuna.pruners import MedianPruner, NopPruner, SuccessiveHalvingPruner

import kt_hpo

X, Y = blobs()


class OwnFit(keras_tuner.HyperModel):
    def build(self, hp):
        return eager(hp)

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(*args, **{**kwargs, "epochs": hp.Int("epochs", 1, 2)})


class OwnTraining(kt_hpo.AutoSearch):
    def run_trial(self, trial):
        return trial.hyperparameters.Float("x", -1, 1) ** 2


@pytest.mark.parametrize(
    ("arguments", "algorithm", "pruner", "reason"),
    [
        ({}, "freeze_thaw", NopPruner, "epochs tell which trainings are worth more"),
        ({"pruner": "none"}, "freeze_thaw", NopPruner, "epochs tell"),
        ({"objective": "latency"}, "gaussian_process", NopPruner, "epochs tell nothing of latency"),
        ({"objective": ["val_loss", "parameters"]}, "nsga2", NopPruner, "several objectives"),
        ({"pruner": "asha"}, "tpe", SuccessiveHalvingPruner, "a pruner decides"),
        ({"constraint": "parameters < 1e5"}, "tpe", MedianPruner, "keep the constraint"),
        ({"hypermodel": OwnFit()}, "tpe", MedianPruner, "one of your own"),
        ({"cross_validation": 2}, "tpe", MedianPruner, "when all its folds have been trained"),
        ({"max_epochs": 1}, "gaussian_process", NopPruner, "an epoch is all there is"),
    ],
)
def test_the_first_rule_that_fits_holds(arguments, algorithm, pruner, reason, tmp_path):
    given = {"hypermodel": eager, "objective": "val_loss", "directory": tmp_path}
    tuner = kt_hpo.AutoSearch(**{**given, **arguments})
    assert tuner.choice.algorithm == algorithm and reason in tuner.choice.reason
    assert type(tuner.oracle.pruner) is pruner
    kinds = {
        "freeze_thaw": "FreezeThawSearchOracle",
        "gaussian_process": "GaussianProcessSearchOracle",
    }
    assert type(tuner.oracle).__name__ == kinds.get(algorithm, "OptunaSearchOracle")


def test_it_says_what_it_chose_and_why(tmp_path, capsys):
    tuner = kt_hpo.AutoSearch(
        eager, "val_loss", max_trials=2, max_epochs=2, seed=0, directory=tmp_path
    )
    tuner.search(X, Y, validation_split=0.25, batch_size=200, verbose=1)
    said = "Algorithm: freeze_thaw, because epochs tell which trainings are worth more."
    assert said in " ".join(capsys.readouterr().out.split())


def test_whole_trainings_have_all_epochs(tmp_path):
    tuner = kt_hpo.AutoSearch(
        eager, "val_loss", 1, max_epochs=2, pruner="median", seed=0, directory=tmp_path
    )
    tuner.search(X, Y, validation_split=0.25, batch_size=200, verbose=0)
    assert sorted(tuner.study.trials[0].intermediate_values) == [0, 1]


def test_a_training_of_the_users_own_runs_whole(tmp_path):
    tuner = OwnTraining(max_trials=6, seed=0, directory=tmp_path)
    tuner.search(verbose=0)
    assert len(tuner.study.trials) == 6
    assert tuner.choice.algorithm == "tpe"


def test_a_search_goes_on(tmp_path):
    def searched(max_trials):
        tuner = kt_hpo.AutoSearch(
            eager, "val_loss", max_trials, max_epochs=2, seed=0, directory=tmp_path
        )
        tuner.search(X, Y, validation_split=0.25, batch_size=200, verbose=0)
        return [trial.value for trial in tuner.study.trials]

    first = searched(1)
    assert len(first) == 2 and searched(3)[:2] == first
