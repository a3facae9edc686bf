"""How much faster two workers are than one, and how much memory four of them need.

    python benchmarks/workers.py [--repeats 5] [--trials 16] [--megabytes 1000]

Time: the same CPU-bound search, by one worker given one core and by two workers on two; medians of
whole searches, start-up included. Memory: four workers train on one array; what counts is their
proportional set size, in which a page that four share counts a quarter for each, beyond what the
same search needs with an array of a megabyte. Nothing else should run meanwhile: the load of the
machine, measured beside, says whether it did.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import kt_hpo

RESULTS = Path(__file__).parent / "results"
FEATURES = 256


def build(hp):
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


def data(samples):
    stream = np.random.default_rng(0)
    x = stream.standard_normal((samples, FEATURES), dtype="float32")
    return x, x[:, 0].copy()


def search(folder, workers, trials):
    """Searches; returns seconds."""
    tuner = kt_hpo.RandomSearch(
        build, "loss", max_trials=trials, seed=0, directory=folder, executor=workers
    )
    x, y = data(20_000)
    began = time.perf_counter()
    tuner.search(x, y, epochs=2, verbose=0)
    return time.perf_counter() - began


class Weighed(kt_hpo.RandomSearch):
    """A search that measures the memory of its workers while all of them train."""

    def on_epoch_end(self, trial, model, epoch, logs=None):
        if epoch == 1:
            self.annotate(trial, megabytes=proportional_set_size())


def proportional_set_size():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def weigh(folder, workers, megabytes):
    """Trains on an array; returns the megabytes of all workers together."""
    tuner = Weighed(build, "loss", max_trials=workers, seed=0, directory=folder, executor=workers)
    x, y = data(megabytes * 2**20 // (4 * FEATURES))
    tuner.search(x, y, epochs=3, batch_size=4096, steps_per_epoch=20, verbose=0)
    return sum(trial.user_attrs["megabytes"] for trial in tuner.study.trials)


def measure(case, cores, *arguments):
    """Runs a case in a process of its own on some cores; returns its number."""
    command = [sys.executable, __file__, "--case", case, *map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [*command, folder], capture_output=True, text=True, check=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )  # fmt: skip
    return float(done.stdout.split()[-1])


def run_case(case, *arguments):
    *numbers, folder = arguments
    function = {"search": search, "weigh": weigh}[case]
    print(function(folder, *map(int, numbers)))


def speed(repeats, trials):
    cores = sorted(os.sched_getaffinity(0))[:2]
    one, two = [], []
    for _ in range(repeats):
        one.append(measure("search", cores[:1], 1, trials))
        two.append(measure("search", cores, 2, trials))
        print(f"one worker {one[-1]:.1f} s, two workers {two[-1]:.1f} s", flush=True)
    return {
        "one_worker_seconds": statistics.median(one),
        "two_workers_seconds": statistics.median(two),
        "times_as_fast": statistics.median(one) / statistics.median(two),
    }


def memory(megabytes, workers=4):
    cores = os.sched_getaffinity(0)
    small, large = (measure("weigh", cores, workers, size) for size in (1, megabytes))
    return {"array_megabytes": megabytes, "workers": workers, "megabytes_more": large - small}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--case", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        run_case(*options.case)
        return
    results = {
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "load_before": os.getloadavg()[0],
        "memory": memory(options.megabytes),
        "speed": speed(options.repeats, options.trials),
    }
    print(json.dumps(results, indent=2))
    (RESULTS / "workers.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
