"""What a search of 10,000 trials takes: seconds of the processor, with room for a busy machine."""

import os
import time
from itertools import pairwise
from statistics import median

import keras_tuner
import pytest

import kt_hpo
from kt_hpo import cli, oracles
from kt_hpo.space.hyperparameters import HyperParameters

TRIALS = 10_000


class Quick(kt_hpo.Tuner):
    def run_trial(self, trial):
        moments.append(time.process_time())
        values = trial.hyperparameters.values
        return {"score": values["rate"] + values["units"] / 1000 + (values["kind"] == "b")}


moments: list[float] = []


def searched(folder, kind, trials, **options):
    hp = HyperParameters()
    hp.Float("rate", 1e-4, 1.0, sampling="log")
    hp.Int("units", 1, 512)
    hp.Choice("kind", ["a", "b", "c"])
    oracle = kind(
        keras_tuner.Objective("score", "min"), trials, seed=0, hyperparameters=hp, **options
    )
    return Quick(oracle, directory=folder, project_name="p")


def seconds_a_trial():
    return median(after - before for before, after in pairwise(moments))


@pytest.fixture(scope="module")
def ten_thousand(tmp_path_factory):
    folder = tmp_path_factory.mktemp("long")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)  # Nobody pulls the plug here.
        searched(folder, oracles.RandomSearchOracle, TRIALS).search(verbose=0)
    return folder


@pytest.mark.slow
def test_it_is_opened_again_and_its_status_is_said_in_seconds(ten_thousand, capsys):
    started = time.process_time()
    tuner = searched(ten_thousand, oracles.RandomSearchOracle, TRIALS)
    assert time.process_time() - started < 10  # Below five with nothing else on the machine.
    assert len(tuner.oracle.trials) == TRIALS
    started = time.process_time()
    assert cli.main(["status", str(ten_thousand / "p")]) == cli.OK
    assert time.process_time() - started < 4  # Below two, likewise.
    assert "10000 of 10000" in capsys.readouterr().out.replace(",", "")


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["tpe", "cmaes", "nsga2", "random"])
@pytest.mark.filterwarnings("ignore:.*draws kind at random")
def test_a_trial_takes_milliseconds(sampler, ten_thousand):
    before = len(searched(ten_thousand, oracles.RandomSearchOracle, TRIALS).oracle.trials)
    moments.clear()
    tuner = searched(ten_thousand, oracles.OptunaSearchOracle, before + 40, sampler=sampler)
    tuner.search(verbose=0)
    assert len(moments) == 40
    assert seconds_a_trial() < 0.015  # Below five milliseconds on a machine with nothing else.
