"""The order of the best trials, as it grows with each trial that ends."""

import numpy as np
import pytest
from keras_tuner import HyperParameters, Objective
from keras_tuner.engine.trial import Trial, TrialStatus
from optuna.storages import InMemoryStorage

import kt_hpo
from kt_hpo.objectives import make_objective
from kt_hpo.oracle.ranking import Ranking, best_first
from kt_hpo.oracle.trials import add_metrics, trial_id_of

ONE = [Objective("val_loss", "min"), Objective("val_accuracy", "max")]
SEVERAL = [
    [Objective("val_loss", "min"), Objective("seconds", "min")],
    [Objective("val_loss", "min"), Objective("val_accuracy", "max"), Objective("size", "min")],
]


def ended(number, objective, values, status=TrialStatus.COMPLETED):
    trial = Trial(HyperParameters(), trial_id=trial_id_of(number), status=status)
    names = [part.name for part in getattr(objective, "objectives", [objective])]
    add_metrics(trial, objective, dict(zip(names, values, strict=True)), 0)
    trial.score = objective.get_value(dict(zip(names, values, strict=True)))
    return trial


@pytest.mark.parametrize("given", [*ONE, *SEVERAL])
@pytest.mark.parametrize("levels", [4, 1000])
def test_trials_that_end_one_by_one_are_in_the_order_of_all_of_them_sorted(given, levels):
    objective = make_objective(given)
    stream = np.random.default_rng(levels)
    parts = len(given) if isinstance(given, list) else 1
    ranking, trials = Ranking(objective), []
    for number in range(60):
        values = stream.integers(levels, size=parts).astype(float)
        trials.append(ended(number, objective, values))
    for place in stream.permutation(len(trials)):
        ranking.add(trials[place])
    assert ranking.best(len(trials) + 1) == best_first(trials, objective)
    assert ranking.best(7) == best_first(trials, objective)[:7]
    assert ranking.best(0) == ranking.best(-1) == []


def test_only_completed_trials_count_and_each_once():
    objective = make_objective("val_loss")
    ranking = Ranking(objective)
    failed = ended(0, objective, [0.0], TrialStatus.FAILED)
    good = ended(1, objective, [1.0])
    for trial in (failed, good, good):
        ranking.add(trial)
    assert ranking.best(5) == [good]


class Box(kt_hpo.RandomSearch):
    def run_trial(self, trial):
        x = trial.hyperparameters.Float("x", -1, 1)
        if -0.1 < x < 0.1:
            raise RuntimeError("not here")
        return {"val_loss": x**2, "width": x + 2}


@pytest.mark.parametrize("constraint", [None, "width < 1.8"])
def test_a_search_and_the_search_reopened_know_the_same_best(constraint, tmp_path):
    def box():
        return Box(
            objective="val_loss", max_trials=30, seed=3, directory=tmp_path,
            constraint=constraint, max_consecutive_failed_trials=30,
        )  # fmt: skip

    tuner = box()
    tuner.search(verbose=0)
    best = tuner.oracle.get_best_trials(30)
    assert best == best_first(tuner.oracle.kept_trials(), tuner.oracle.objective)
    assert 0 < len(best) < 30
    again = [trial.trial_id for trial in box().oracle.get_best_trials(30)]
    assert again == [trial.trial_id for trial in best]


def test_trials_that_somebody_put_there_are_ranked_too():
    oracle = kt_hpo.oracles.RandomSearchOracle("val_loss")
    oracle.trials = {
        f"{number:04d}": ended(number, oracle.objective, [value])
        for number, value in enumerate([3.0, 1.0, 2.0])
    }
    assert [trial.score for trial in oracle.get_best_trials(2)] == [1.0, 2.0]


def test_what_a_search_asks_of_a_storage_does_not_grow(monkeypatch, tmp_path):
    """Whoever reads all trials at each end takes ever longer."""
    reads = []
    read_all = InMemoryStorage.get_all_trials
    monkeypatch.setattr(
        InMemoryStorage,
        "get_all_trials",
        lambda self, *args, **kwargs: reads.append(1) or read_all(self, *args, **kwargs),
    )
    counts = {}
    for trials in (10, 40):
        reads.clear()
        tuner = Box(
            objective="val_loss", max_trials=trials, seed=3, storage=InMemoryStorage(),
            directory=tmp_path, project_name=str(trials), max_consecutive_failed_trials=40,
        )  # fmt: skip
        tuner.search(verbose=0)
        counts[trials] = len(reads)
    assert counts[40] == counts[10]
