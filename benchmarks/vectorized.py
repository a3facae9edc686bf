"""Trials a second: Keras Tuner, vectorised trials, and the compiled graph alone.

    python benchmarks/vectorized.py [case ...] [--repeats 5]

The same values, data and epochs for both, in turns, in one process; medians. Keras Tuner runs the
first few of the trials only, as each takes it about as long as the next. The graph alone is what
the compiled epochs take, nothing else: no implementation on these kernels can be faster.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_tuner
import numpy as np
import scipy.stats
from keras import layers
from keras_tuner.engine.trial import TrialStatus

import kt_hpo
from kt_hpo import space
from kt_hpo.hyperparameters import HyperParameters
from kt_hpo.training.vectorized import engine

RESULTS = Path(__file__).parent / "results"


def common(hp, model):
    rate = hp.Float("rate", 1e-4, 1e-2, sampling="log")
    model.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def mlp(hp, shape, depth, units, activation):
    model = keras.Sequential([keras.Input(shape), layers.Flatten()])
    for _ in range(depth):
        model.add(layers.Dense(units, activation=activation))
        model.add(layers.Dropout(hp.Float("dropout", 0.05, 0.5)))
    model.add(layers.Dense(10, activation="softmax"))
    return common(hp, model)


def digits_one(hp):
    return mlp(hp, (8, 8, 1), 1, 64, "relu")


def digits_twelve(hp):
    depth, units = hp.Int("depth", 1, 2), hp.Choice("units", [32, 64, 128])
    return mlp(hp, (8, 8, 1), depth, units, hp.Choice("activation", ["relu", "tanh"]))


def mnist_mlp(hp):
    return mlp(hp, (28, 28, 1), 1, 128, "relu")


def mnist_cnn(hp):
    model = keras.Sequential([keras.Input((28, 28, 1))])
    for filters in (8, 16):
        model.add(layers.Conv2D(filters, 3, activation="relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dropout(hp.Float("dropout", 0.05, 0.5)))
    model.add(layers.Dense(10, activation="softmax"))
    return common(hp, model)


@dataclass(frozen=True)
class Case:
    """A search to run both ways."""

    build: Callable
    data: str
    trials: int
    peer_trials: int
    epochs: int
    batch_size: int
    goal: float


CASES = {
    "digits MLP, one architecture": Case(digits_one, "digits", 64, 6, 10, 32, 50),
    "digits MLP, 12 architectures": Case(digits_twelve, "digits", 64, 6, 10, 32, 15),
    "mnist5k MLP": Case(mnist_mlp, "mnist5k", 32, 6, 10, 64, 4),
    "mnist5k CNN": Case(mnist_cnn, "mnist5k", 16, 3, 5, 64, 2),
}


class Listed(keras_tuner.Oracle):
    """Tries given values in turn."""

    def __init__(self, values):
        super().__init__(keras_tuner.Objective("val_accuracy", "max"), max_trials=len(values))
        self.listed = values

    def populate_space(self, trial_id):
        if len(self.trials) >= len(self.listed):
            return {"status": TrialStatus.STOPPED}
        return {"status": TrialStatus.RUNNING, "values": self.listed[len(self.trials)]}


def listed(case):
    hp = HyperParameters()
    case.build(hp)
    generator = np.random.default_rng(0)
    return [space.draw(hp, generator) for _ in range(case.trials)]


class Timed:
    """A program whose epochs are timed, but for the first of a shape, which compiles."""

    seconds = 0.0

    def __init__(self, run):
        self.run = run
        self.known = set()
        self.prepare = run.prepare

    def __call__(self, state, *rest):
        began = time.perf_counter()
        outcome = self.run(state, *rest)
        keras.ops.convert_to_numpy(outcome[0][0])
        shapes = tuple(str(column.shape) for column in state)
        if shapes in self.known:
            Timed.seconds += time.perf_counter() - began
        self.known.add(shapes)
        return outcome


def searched(case, kind, values, arguments, **kwargs):
    """Runs a search; gives its seconds and the scores of its trials."""
    with tempfile.TemporaryDirectory() as folder:
        tuner = kind(Listed(values), case.build, directory=folder, **kwargs)
        began = time.perf_counter()
        tuner.search(*arguments[:2], **arguments[2])
        seconds = time.perf_counter() - began
        trials = sorted(tuner.oracle.trials.values(), key=lambda trial: trial.trial_id)
        return seconds, [trial.score for trial in trials]


def measure(name, case, repeats):
    train, validation, _ = kt_hpo.datasets.load(case.data)
    fit = {"validation_data": validation.arrays, "epochs": case.epochs, "verbose": 0}
    arguments = (*train.arrays, {**fit, "batch_size": case.batch_size})
    values = listed(case)
    ours, peers, graphs, our_scores, peer_scores = [], [], [], [], []
    for _ in range(repeats):
        seconds, peer_scores = searched(
            case, keras_tuner.Tuner, values[: case.peer_trials], arguments
        )
        peers.append(seconds / case.peer_trials)
        Timed.seconds = 0.0
        executor = kt_hpo.Vectorized(k=64)
        seconds, our_scores = searched(
            case, kt_hpo.Tuner, values, arguments, executor=executor, early_stopping=None
        )
        assert not executor.notes, executor.notes
        ours.append(seconds / case.trials)
        graphs.append(Timed.seconds * case.epochs / (case.epochs - 1) / case.trials)
    peer, our, graph = map(statistics.median, (peers, ours, graphs))
    return {
        "case": name,
        "ratio": peer / our,
        "goal": case.goal,
        "ratio of the graph alone": peer / graph,
        "seconds a trial": {"keras_tuner": peer, "vectorized": our, "graph": graph},
        "spread": {"keras_tuner": [min(peers), max(peers)], "vectorized": [min(ours), max(ours)]},
        "trials": {"keras_tuner": case.peer_trials, "vectorized": case.trials},
        "epochs": case.epochs,
        "mean difference of paired scores": float(
            np.mean(np.subtract(our_scores[: case.peer_trials], peer_scores))
        ),
        "Kolmogorov-Smirnov p": float(
            scipy.stats.ks_2samp(our_scores[: case.peer_trials], peer_scores).pvalue
        ),
    }


def table(rows):
    lines = [
        "| case | times faster than Keras Tuner | goal | the graph alone | Keras Tuner, s a trial "
        "| vectorised, s a trial | graph, s a trial | paired scores: mean difference, KS p |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        seconds = row["seconds a trial"]
        lines.append(
            f"| {row['case']} | **{row['ratio']:.1f}** | {row['goal']:g} "
            f"| {row['ratio of the graph alone']:.1f} | {seconds['keras_tuner']:.2f} "
            f"| {seconds['vectorized']:.3f} | {seconds['graph']:.3f} "
            f"| {row['mean difference of paired scores']:+.3f}, "
            f"{row['Kolmogorov-Smirnov p']:.2f} |"
        )
    return "\n".join(lines)


def stand_in_for_tensorboard():
    """Keras Tuner imports TensorBoard in every trial, and fails where it is not installed."""
    try:
        import tensorboard.plugins.hparams.api  # noqa: F401
    except ImportError:
        parts = ("tensorboard", "plugins", "hparams", "api")
        for count in range(1, len(parts) + 1):
            sys.modules[".".join(parts[:count])] = types.ModuleType(parts[count - 1])
        sys.modules["tensorboard.plugins.hparams"].api = sys.modules[
            "tensorboard.plugins.hparams.api"
        ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], default=list(CASES))
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    stand_in_for_tensorboard()
    made = engine.backend

    def timed_backend():
        backend = made()
        compile_ = backend.compile
        backend.compile = lambda learner, sizes: Timed(compile_(learner, sizes))
        return backend

    engine.backend = timed_backend
    file = RESULTS / "vectorized.json"
    known = json.loads(file.read_text())["rows"] if file.exists() else []
    rows = {row["case"]: row for row in known}
    for name in arguments.cases:
        rows[name] = measure(name, CASES[name], arguments.repeats)
        print(table([rows[name]]), flush=True)
        ordered = [rows[one] for one in CASES if one in rows]
        about = {
            "python": platform.python_version(),
            "backend": keras.backend.backend(),
            "keras": keras.__version__,
            "keras_tuner": keras_tuner.__version__,
            "cores": os.cpu_count(),
            "repeats": arguments.repeats,
        }
        RESULTS.mkdir(exist_ok=True)
        file.write_text(json.dumps({"about": about, "rows": ordered}, indent=2) + "\n")
        heading = ", ".join(f"{key} {value}" for key, value in about.items())
        (RESULTS / "vectorized.md").write_text(f"{heading}\n\n{table(ordered)}\n")


if __name__ == "__main__":
    main()
