"""Milliseconds that a trial costs beside its training: asking for values, telling the result.

Run it: `.venv/bin/python benchmarks/overhead.py`. It prints a table by engine and storage, at 10,
100 and 1,000 trials, of a function of five hyperparameters that takes no time itself.
"""

from __future__ import annotations

import tempfile
import time
from functools import partial
from statistics import median

import keras_tuner
import optuna
from keras_tuner.engine.trial import TrialStatus

import kt_hpo
from kt_hpo import oracles
from kt_hpo.oracles.samplers import tpe

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


def main():
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print("| engine | storage | " + " | ".join(f"{count:,} trials" for count in COUNTS) + " |")
    print("| --- | --- |" + " ---: |" * len(COUNTS))
    for name, (kind, options) in ENGINES.items():
        rows = {"memory": optuna.storages.InMemoryStorage(), "journal": None}
        for label, storage in rows.items():
            counts = COUNTS if label == "memory" else COUNTS[:2]
            one = partial(one_trial, opened(kind, storage, **options))
            cells = [f"{ms:.1f}" for ms in milliseconds(one, counts)]
            cells += [""] * (len(COUNTS) - len(cells))
            print(f"| {name} | {label} | " + " | ".join(cells) + " |", flush=True)
    study = optuna.create_study(sampler=tpe())
    cells = [f"{ms:.1f}" for ms in milliseconds(partial(one_trial_of_optuna, study), COUNTS)]
    print("| Optuna alone, the same TPE | memory | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
