"""How much faster two workers are than one, and how much memory four of them need.

    python -m benchmarks.workers [--repeats 5] [--trials 16] [--megabytes 1000]

Time: the same CPU-bound search, by one worker given one core and by two workers on two; medians of
whole searches, start-up included. Memory: four workers train on one array; what counts is their
proportional set size, in which a page that four share counts a quarter for each, beyond what the
same search needs with an array of a megabyte. Nothing else should run meanwhile: the load of the
machine, measured beside, says whether it did.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_tuner
import numpy as np

import kt_hpo
from benchmarks import measuring

FEATURES = 256


def build(hp: keras_tuner.HyperParameters) -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((FEATURES,)),
            keras.layers.Dense(512, activation="relu"),
            keras.layers.Dense(512, activation="relu"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.SGD(hp.Float("rate", 1e-4, 1e-2, sampling="log")), loss="mse")
    return model


def data(samples: int) -> tuple[np.ndarray, np.ndarray]:
    stream = np.random.default_rng(0)
    x = stream.standard_normal((samples, FEATURES), dtype="float32")
    return x, x[:, 0].copy()


def search(folder: str, workers: int, trials: int) -> float:
    """Searches; returns seconds."""
    tuner = kt_hpo.RandomSearch(
        build, "loss", max_trials=trials, seed=0, directory=folder, executor=workers
    )
    x, y = data(20_000)
    with measuring.timed() as seconds:
        tuner.search(x, y, epochs=2, verbose=0)
    return seconds()


class Weighed(kt_hpo.RandomSearch):
    """A search that measures the memory of its workers while all of them train."""

    def on_epoch_end(self, trial: Any, model: Any, epoch: int, logs: Any = None) -> None:
        if epoch == 1:
            self.annotate(trial, megabytes=proportional_set_size())


def proportional_set_size() -> float:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def weigh(folder: str, workers: int, megabytes: int) -> float:
    """Trains on an array; returns the megabytes of all workers together."""
    tuner = Weighed(build, "loss", max_trials=workers, seed=0, directory=folder, executor=workers)
    x, y = data(megabytes * 2**20 // (4 * FEATURES))
    tuner.search(x, y, epochs=3, batch_size=4096, steps_per_epoch=20, verbose=0)
    return sum(trial.user_attrs["megabytes"] for trial in tuner.study.trials)


def measure(case: str, cores: list[int], *numbers: int) -> float:
    """Runs a case in a process of its own on some cores; returns its number."""
    command = [sys.executable, "-m", "benchmarks.workers", "--case", case, *map(str, numbers)]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [*command, folder], capture_output=True, text=True, check=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )  # fmt: skip
    return float(done.stdout.split()[-1])


def run_case(case: str, *arguments: str) -> None:
    *numbers, folder = arguments
    function = {"search": search, "weigh": weigh}[case]
    print(function(folder, *map(int, numbers)))


def speed(repeats: int, trials: int) -> dict[str, Any]:
    cores = sorted(os.sched_getaffinity(0))[:2]
    runs = {
        str(count): partial(measure, "search", cores[:count], count, trials) for count in (1, 2)
    }
    seconds = measuring.in_turns(runs, repeats)
    return {
        "trials": trials,
        "seconds": seconds,
        "times as fast": seconds["1"]["median"] / seconds["2"]["median"],
    }


def memory(megabytes: int, workers: int) -> dict[str, float]:
    cores = sorted(os.sched_getaffinity(0))
    small, large = (measure("weigh", cores, workers, size) for size in (1, megabytes))
    return {"array megabytes": megabytes, "workers": workers, "megabytes more": large - small}


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    speed, memory = results["speed"], results["memory"]
    rows = [
        [workers, *(f"{seconds[key]:.1f}" for key in ("median", "least", "most"))]
        for workers, seconds in speed["seconds"].items()
    ]
    columns = {"workers": "r", "median, s": "r", "least": "r", "most": "r"}
    return (
        f"{speed['trials']} trials: two workers are **{speed['times as fast']:.2f} times** as fast "
        f"as one.\n\n{measuring.markdown(columns, rows)}\n\n{memory['workers']} workers that train "
        f"on one array of {memory['array megabytes']:,} MB need {memory['megabytes more']:,.0f} MB "
        "more than on one of a megabyte."
    )


def main() -> None:
    parser = measuring.arguments(__doc__)
    parser.add_argument("--trials", type=int)
    parser.add_argument("--megabytes", type=int)
    parser.add_argument("--case", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        run_case(*options.case)
        return
    load = measuring.load()
    trials = options.trials or (2 if options.quick else 16)
    results = {
        "speed": speed(measuring.repeats_of(options), trials),
        "memory": memory(
            options.megabytes or (20 if options.quick else 1000), 1 if options.quick else 4
        ),
    }
    measuring.write("workers", options, load, **results)
    print(section(results))


if __name__ == "__main__":
    main()
