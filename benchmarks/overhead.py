"""Milliseconds that a trial costs beside its training: asking for values, telling the result.

Run it: `.venv/bin/python benchmarks/overhead.py`. It prints a table by engine and storage, at 10,
100 and 1,000 trials, of a function of five hyperparameters that takes no time itself; then what the
Gaussian process of Keras Tuner takes there and here, trial for trial in turns.
"""

from __future__ import annotations

import tempfile
import time
from functools import partial
from statistics import median

import keras_tuner
import optuna
from keras_tuner.engine.trial import TrialStatus
from optuna.samplers import TPESampler

import kt_hpo
from kt_hpo import oracles

COUNTS = (10, 100, 1000)
WINDOW = 10
OBJECTIVE = keras_tuner.Objective("score", "min")


def space():
    hp = kt_hpo.HyperParameters()
    hp.Float("rate", 1e-5, 1e-1, sampling="log")
    hp.Float("dropout", 0.0, 0.5)
    hp.Int("units", 8, 512, sampling="log")
    hp.Choice("optimizer", ["adam", "sgd"])
    with hp.conditional_scope("optimizer", ["sgd"]):
        hp.Float("momentum", 0.0, 0.99)
    return hp


def one_trial(oracle):
    """Asks and tells once; returns seconds."""
    began = time.perf_counter()
    trial = oracle.create_trial("tuner0")
    values = trial.hyperparameters.values
    oracle.update_trial(trial.trial_id, {"score": values["dropout"] + values.get("momentum", 0.5)})
    trial.status = TrialStatus.COMPLETED
    oracle.end_trial(trial)
    return time.perf_counter() - began


def one_trial_of_optuna(study):
    """The same with Optuna alone; returns seconds."""
    began = time.perf_counter()
    trial = study.ask()
    trial.suggest_float("rate", 1e-5, 1e-1, log=True)
    loss = trial.suggest_float("dropout", 0.0, 0.5)
    trial.suggest_int("units", 8, 512, log=True)
    sgd = trial.suggest_categorical("optimizer", ["adam", "sgd"]) == "sgd"
    loss += trial.suggest_float("momentum", 0.0, 0.99) if sgd else 0.5
    study.tell(trial, loss)
    return time.perf_counter() - began


def milliseconds(one, counts):
    """The median over the last trials before each count."""
    seconds = [one() for _ in range(max(counts))]
    return [1000 * median(seconds[max(count - WINDOW, 0) : count]) for count in counts]


def opened(kind, storage, **options):
    oracle = kind(
        objective=OBJECTIVE, max_trials=10_000, seed=0, hyperparameters=space(), **options
    )
    oracle.storage = storage
    oracle._set_project_dir(tempfile.mkdtemp(), "overhead")
    oracle.reload()
    return oracle


ENGINES = {
    "RandomSearch": (oracles.RandomSearchOracle, {}),
    "OptunaSearch (TPE)": (oracles.OptunaSearchOracle, {}),
    "OptunaSearch (CMA-ES)": (oracles.OptunaSearchOracle, {"sampler": "cmaes"}),
    "OptunaSearch (NSGA-II)": (oracles.OptunaSearchOracle, {"sampler": "nsga2"}),
}


class AsKerasTuner(oracles.BayesianOptimizationOracle):
    """Our record, and the thinking that Keras Tuner does."""

    _make_gpr = keras_tuner.oracles.BayesianOptimizationOracle._make_gpr

    def populate_space(self, trial_id):
        return keras_tuner.oracles.BayesianOptimizationOracle.populate_space(self, trial_id)


def compare_gaussian_processes(trials=40):
    storages = [optuna.storages.InMemoryStorage() for _ in range(2)]
    kinds = (oracles.BayesianOptimizationOracle, AsKerasTuner)
    ours, theirs = (opened(*pair) for pair in zip(kinds, storages, strict=True))
    seconds = [(one_trial(ours), one_trial(theirs)) for _ in range(trials)][-20:]
    here, there = (median(column) for column in zip(*seconds, strict=True))
    ratio = median(their / our for our, their in seconds)
    print(
        f"\nGaussian process, 20 to {trials} trials: {1000 * here:.0f} ms, "
        f"Keras Tuner's {1000 * there:.0f} ms, {ratio:.1f} times as long"
    )


def main():
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print("| engine | storage | " + " | ".join(f"{count:,} trials" for count in COUNTS) + " |")
    print("| --- | --- |" + " ---: |" * len(COUNTS))
    # First of all: kt_hpo makes every TPE of its process quicker.
    study = optuna.create_study(sampler=TPESampler(multivariate=True, group=True))
    cells = [f"{ms:.1f}" for ms in milliseconds(partial(one_trial_of_optuna, study), COUNTS)]
    print("| Optuna alone, the same TPE | memory | " + " | ".join(cells) + " |", flush=True)
    for name, (kind, options) in ENGINES.items():
        rows = {"memory": optuna.storages.InMemoryStorage(), "journal": None}
        for label, storage in rows.items():
            counts = COUNTS if label == "memory" else COUNTS[:2]
            one = partial(one_trial, opened(kind, storage, **options))
            cells = [f"{ms:.1f}" for ms in milliseconds(one, counts)]
            cells += [""] * (len(COUNTS) - len(cells))
            print(f"| {name} | {label} | " + " | ".join(cells) + " |", flush=True)
    compare_gaussian_processes()


if __name__ == "__main__":
    main()
