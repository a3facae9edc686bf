"""Gaussian process search: whole trials, and proposals where more is to be expected."""

import optuna
import pytest
from conformance.searches import OBJECTIVE, end, opened
from keras_tuner.engine.trial import TrialStatus
from models import blobs, eager

import kt_hpo
from kt_hpo import oracles
from kt_hpo.space.hyperparameters import HyperParameters

X, Y = blobs()


def space():
    hp = HyperParameters()
    hp.Float("rate", 1e-4, 1.0, sampling="log")
    hp.Int("units", 8, 128, step=8)
    hp.Choice("kind", ["a", "b", "c"], ordered=False)
    return hp


def loss(values):
    far = abs(values["units"] - 88) / 80
    return far + {"a": 0.3, "b": 0.0, "c": 0.6}[values["kind"]] + (values["rate"] - 0.01) ** 2


def search(max_trials=30, seed=0):
    oracle = oracles.GaussianProcessSearchOracle(
        OBJECTIVE, max_trials, seed=seed, hyperparameters=space()
    )
    opened(oracle, optuna.storages.InMemoryStorage())
    while (trial := oracle.create_trial("tuner0")).status == TrialStatus.RUNNING:
        end(oracle, trial, loss(trial.hyperparameters.values))
    return oracle


@pytest.mark.parametrize("seed", range(3))
def test_it_finds_what_is_best_of_numbers_and_choices(seed):
    oracle = search(seed=seed)
    values = oracle.get_best_trials(1)[0].hyperparameters.values
    assert values["kind"] == "b" and values["units"] == 88 and 0.3 < values["rate"] / 0.01 < 10


def test_trials_are_counted_and_whole():
    oracle = search(max_trials=12)
    assert len(oracle.trials) == oracle.planned_trials == 12
    assert oracle.epoch_budget is None
    for trial in oracle.trials.values():
        assert trial.hyperparameters.values.keys() == {"rate", "units", "kind"}
        assert not oracle.may_be_continued(trial)


def test_more_trials_make_a_longer_search_of_the_same_beginning(tmp_path):
    def searched(max_trials):
        tuner = kt_hpo.GaussianProcessSearch(
            eager, "val_loss", max_trials, seed=0, pruner="median", directory=tmp_path
        )
        tuner.search(X, Y, validation_split=0.25, epochs=2, batch_size=200, verbose=0)
        return [trial.params for trial in tuner.study.trials]

    first = searched(3)
    again = searched(5)
    assert len(first) == 3 and len(again) == 5 and again[:3] == first
