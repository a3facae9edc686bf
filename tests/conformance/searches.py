"""Spaces, scores and searches without training, to hold engines to their contract."""

import random
import tempfile
from pathlib import Path

import keras_tuner
import optuna
from keras_tuner.engine.trial import TrialStatus

from kt_hpo.oracle.trials import trial_id_of
from kt_hpo.space.hyperparameters import HyperParameters

OBJECTIVE = keras_tuner.Objective("score", "min")


def conditional_space():
    hp = HyperParameters()
    hp.Choice("model", ["mlp", "cnn"])
    with hp.conditional_scope("model", ["mlp"]):
        hp.Int("units", 8, 64, step=8)
    with hp.conditional_scope("model", ["cnn"]):
        hp.Float("dropout", 0, 0.5, step=0.1)
        hp.Boolean("pooling")
    hp.Float("rate", 1e-4, 1e-1, sampling="log")
    return hp


def finite_space():
    hp = HyperParameters()
    hp.Choice("model", ["mlp", "cnn"])
    with hp.conditional_scope("model", ["mlp"]):
        hp.Int("units", 1, 3)
    with hp.conditional_scope("model", ["cnn"]):
        hp.Boolean("pooling")
    hp.Choice("bias", [True, False])
    return hp


def space_of_all_kinds():
    hp = HyperParameters()
    hp.Int("plain", -3, 9)
    hp.Int("stepped", 2, 11, step=3)
    hp.Int("logarithmic", 1, 1000, sampling="log")
    hp.Int("doubling", 1, 64, step=2, sampling="log")
    hp.Float("linear", -0.5, 0.5)
    hp.Float("tenths", 0.0, 0.5, step=0.1)
    hp.Float("log", 1e-5, 1e-1, sampling="log")
    hp.Float("reverse", 0.5, 0.999, sampling="reverse_log")
    hp.Choice("word", ["a", "b", "c"])
    hp.Choice("number", [16, 32, 64])
    hp.Choice("flag", [True, False])
    hp.Boolean("switch")
    hp.Fixed("fixed", "adam")
    hp.Int("single", 3, 3)
    return hp


def score(values):
    numbers = (value for value in values.values() if isinstance(value, int | float))
    return sum(numbers) % 7


def opened(oracle, place=None):
    """An oracle as a tuner opens it, its record in a folder or a storage; else in memory."""
    folder = place if isinstance(place, Path) else Path(tempfile.gettempdir())
    if folder != place:
        oracle.storage = place or optuna.storages.InMemoryStorage()
    oracle._set_project_dir(folder, "search")
    oracle.reload()
    return oracle


def end(oracle, trial, value):
    oracle.update_trial(trial.trial_id, {"score": value})
    trial.status = TrialStatus.COMPLETED
    oracle.end_trial(trial)


def run(oracle, trials=None, fail=(), measure=score):
    """Runs trials as a tuner does, and returns the values of each."""
    count = 0
    while trials is None or count < trials:
        trial = oracle.create_trial("tuner0")
        if trial.status == TrialStatus.STOPPED:
            break
        if int(trial.trial_id) in fail:
            trial.status, trial.message = TrialStatus.FAILED, "Traceback\nRuntimeError: no"
            oracle.end_trial(trial)
        else:
            end(oracle, trial, measure(trial.hyperparameters.values))
        count += 1
    return proposed(oracle)


def run_compared(make, every=1, prunes=True):
    """Runs three workers; an oracle that has read the record just now would do the same.

    Trials end in any order; some fail, some are tried again, and some are pruned.
    """
    storage, chance, running = optuna.storages.InMemoryStorage(), random.Random(0), {}
    oracle = opened(make(), storage)
    while True:
        for worker in sorted({"a", "b", "c"} - running.keys()):
            expected = None
            if not oracle._to_run_again and len(oracle.trials) % every == 0:
                expected = what_another_would_do(opened(make(), copied(storage)), oracle)
            trial = oracle.create_trial(worker)
            if expected is not None and trial.status != TrialStatus.STOPPED:
                values = expected.pop("values", {})
                assert expected == {"status": trial.status}
                assert values == {name: trial.hyperparameters.values[name] for name in values}
            if trial.status == TrialStatus.RUNNING:
                running[worker] = trial
        if not running:
            return oracle
        end_somehow(oracle, running.pop(chance.choice(sorted(running))), chance, prunes)


def copied(storage):
    copy = optuna.storages.InMemoryStorage()
    optuna.copy_study(from_study_name="search", from_storage=storage, to_storage=copy)
    return copy


def what_another_would_do(other, oracle):
    """What an oracle proposes that has read the record of one that goes on."""
    other.ongoing_trials = {w: other.trials[t.trial_id] for w, t in oracle.ongoing_trials.items()}
    other._to_run_again = []
    assert other.checkpoints_needed() == oracle.checkpoints_needed()
    best = [[one.trial_id for one in each.get_best_trials(5)] for each in (other, oracle)]
    assert best[0] == best[1]
    return other.populate_space(trial_id_of(other.record.count))


def end_somehow(oracle, trial, chance, prunes):
    how = chance.choices(["well", "pruned", "failed", "tried again"], [8, 2 * prunes, 1, 1])[0]
    if how == "pruned":
        oracle._stopped.add(trial.trial_id)
    if how in ("well", "pruned"):
        end(oracle, trial, score(trial.hyperparameters.values))
    else:
        trial.status = TrialStatus.FAILED if how == "failed" else TrialStatus.INVALID
        trial.message = "Traceback\nRuntimeError: no"
        oracle.end_trial(trial)


def proposed(oracle):
    return [dict(trial.hyperparameters.values) for trial in oracle.trials.values()]


def own(values):
    """The hyperparameters among a trial's values."""
    return {name: value for name, value in values.items() if not name.startswith("tuner/")}
