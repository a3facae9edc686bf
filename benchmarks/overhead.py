"""Milliseconds that a trial costs beside its training: asking for values, telling the result.

    python -m benchmarks.overhead [--counts 10 100 1000 10000] [--minutes 1]

By engine and storage, each in a process of its own, of a function of five hyperparameters that
takes no time itself: the median over the ten trials before each count; what the process has grown
by at 1,000 trials, and what is on disk a trial. An engine that cannot come to the next count in its
minutes stops there. Then what the Gaussian process of Keras Tuner takes there and here, trial for
trial in turns.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras_tuner
import optuna
from keras_tuner.engine.trial import TrialStatus
from optuna.samplers import TPESampler

import kt_hpo
from benchmarks import measuring
from kt_hpo import oracles

COUNTS = (10, 100, 1000, 10_000)
WINDOW = 10
OBJECTIVE = keras_tuner.Objective("score", "min")
ENGINES: dict[str, Callable[..., Any]] = {
    "RandomSearch": oracles.RandomSearchOracle,
    "OptunaSearch (TPE)": oracles.OptunaSearchOracle,
    "OptunaSearch (CMA-ES)": partial(oracles.OptunaSearchOracle, sampler="cmaes"),
    "OptunaSearch (NSGA-II)": partial(oracles.OptunaSearchOracle, sampler="nsga2"),
    "EvolutionarySearch": oracles.EvolutionarySearchOracle,
    "HyperoptSearch": oracles.HyperoptSearchOracle,
    "BayesianOptimization": oracles.BayesianOptimizationOracle,
    "BayesOptSearch": oracles.BayesOptSearchOracle,
}
STORAGES = ("memory", "journal", "SQLite")
ALONE = "Optuna alone, the same TPE"


def space() -> keras_tuner.HyperParameters:
    hp = kt_hpo.HyperParameters()
    hp.Float("rate", 1e-5, 1e-1, sampling="log")
    hp.Float("dropout", 0.0, 0.5)
    hp.Int("units", 8, 512, sampling="log")
    hp.Choice("optimizer", ["adam", "sgd"])
    with hp.conditional_scope("optimizer", ["sgd"]):
        hp.Float("momentum", 0.0, 0.99)
    return hp


def opened(kind: Callable[..., Any], storage: str, folder: str) -> Any:
    oracle = kind(objective=OBJECTIVE, max_trials=100_000, seed=0, hyperparameters=space())
    if storage == "memory":
        oracle.storage = optuna.storages.InMemoryStorage()
    elif storage == "SQLite":
        oracle.storage = f"sqlite:///{folder}/trials.db"
    oracle._set_project_dir(folder, "overhead")
    oracle.reload()
    return oracle


def one_trial(oracle: Any) -> float:
    """Asks and tells once; returns seconds."""
    with measuring.timed() as seconds:
        trial = oracle.create_trial("tuner0")
        values = trial.hyperparameters.values
        score = values["dropout"] + values.get("momentum", 0.5)
        oracle.update_trial(trial.trial_id, {"score": score})
        trial.status = TrialStatus.COMPLETED
        oracle.end_trial(trial)
    return seconds()


def one_trial_of_optuna(study: optuna.Study) -> float:
    """The same with Optuna alone; returns seconds."""
    with measuring.timed() as seconds:
        trial = study.ask()
        trial.suggest_float("rate", 1e-5, 1e-1, log=True)
        loss = trial.suggest_float("dropout", 0.0, 0.5)
        trial.suggest_int("units", 8, 512, log=True)
        sgd = trial.suggest_categorical("optimizer", ["adam", "sgd"]) == "sgd"
        loss += trial.suggest_float("momentum", 0.0, 0.99) if sgd else 0.5
        study.tell(trial, loss)
    return seconds()


def megabytes() -> float:
    """What this process holds in memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(one: Callable[[], float], folder: str, counts: list[int], minutes: float) -> dict:
    """Runs trials; tells what one takes at each count that is reached in time."""
    before, end = megabytes(), time.monotonic() + 60 * minutes
    seconds: list[float] = []
    grown = {}
    for count in sorted(counts):
        while len(seconds) < count and _in_time(seconds, count, end):
            seconds.append(one())
        if len(seconds) == count:
            grown[str(count)] = megabytes() - before
    size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
    return {
        "milliseconds": {
            str(count): 1000 * median(seconds[max(count - WINDOW, 0) : count])
            for count in counts
            if count <= len(seconds)
        },
        "trials": len(seconds),
        "megabytes": grown,
        "kilobytes on disk a trial": size / len(seconds) / 1000,
    }


def _in_time(seconds: list[float], count: int, end: float) -> bool:
    """Whether a count can be reached, if trials take no longer than the last."""
    latest = median(seconds[-WINDOW:]) if seconds else 0.0
    return time.monotonic() + (count - len(seconds)) * latest < end


class AsKerasTuner(oracles.BayesianOptimizationOracle):
    """Our record, and the thinking that Keras Tuner does."""

    _make_gpr = keras_tuner.oracles.BayesianOptimizationOracle._make_gpr

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        return keras_tuner.oracles.BayesianOptimizationOracle.populate_space(self, trial_id)


def gaussian_processes(trials: int) -> dict[str, Any]:
    """Ours and Keras Tuner's, trial for trial in turns; the second half counts."""
    kinds = {"kt_hpo": oracles.BayesianOptimizationOracle, "Keras Tuner": AsKerasTuner}
    with tempfile.TemporaryDirectory() as folder:
        found = {name: opened(kind, "memory", folder) for name, kind in kinds.items()}
        rounds = [{name: one_trial(one) for name, one in found.items()} for _ in range(trials)]
    late = rounds[trials // 2 :]
    return {
        "trials": trials,
        "ratio": median(one["Keras Tuner"] / one["kt_hpo"] for one in late),
        **{name: measuring.spread([1000 * one[name] for one in late]) for name in kinds},
    }


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    rows = results["rows"]
    counts = sorted({int(count) for row in rows for count in row["milliseconds"]})
    cells = [
        [row["engine"], row["storage"],
         *(_told(row["milliseconds"].get(str(count))) for count in counts),
         _told(row["megabytes"].get("1000")), f"{row['kilobytes on disk a trial']:.1f}"]
        for row in rows
    ]  # fmt: skip
    columns = {"engine": "l", "storage": "l", **{f"ms at {c:,}": "r" for c in counts},
               "MB at 1,000": "r", "kB on disk a trial": "r"}  # fmt: skip
    two = results["gaussian processes"]
    return (
        f"Empty where it takes longer than {results['minutes']:g} minutes.\n\n"
        f"{measuring.markdown(columns, cells)}\n\nGaussian process, trials {two['trials'] // 2} to "
        f"{two['trials']}: {two['kt_hpo']['median']:.0f} ms, Keras Tuner's "
        f"{two['Keras Tuner']['median']:.0f} ms, **{two['ratio']:.1f} times** as long."
    )


def _told(amount: float | None) -> str:
    return "" if amount is None else f"{amount:.1f}"


def row(engine: str, storage: str, counts: list[int], minutes: float) -> dict[str, Any]:
    """Measures an engine with a storage."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        if engine == ALONE:
            study = optuna.create_study(sampler=TPESampler(multivariate=True, group=True))
            one = partial(one_trial_of_optuna, study)
        else:
            one = partial(one_trial, opened(ENGINES[engine], storage, folder))
        return {"engine": engine, "storage": storage, **measure(one, folder, counts, minutes)}


def run(options: argparse.Namespace) -> None:
    load = measuring.load()
    counts = [10] if options.quick else options.counts
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["keras_tuner", "kt_hpo.oracles"])
    pairs = [(ALONE, "memory"), *itertools.product(ENGINES, STORAGES)]
    rows = []
    with ProcessPoolExecutor(1, processes, max_tasks_per_child=1) as process:
        for engine, storage in pairs:
            rows.append(process.submit(row, engine, storage, counts, options.minutes).result())
            print(rows[-1], flush=True)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    results = {"rows": rows, "minutes": options.minutes}
    results["gaussian processes"] = gaussian_processes(8 if options.quick else 40)
    measuring.write("overhead", options, load, **results)
    print(section(results))


def main() -> None:
    parser = measuring.arguments(__doc__)
    parser.add_argument("--counts", nargs="+", type=int, default=list(COUNTS))
    parser.add_argument("--minutes", type=float, default=1.0)
    run(parser.parse_args())


if __name__ == "__main__":
    main()
