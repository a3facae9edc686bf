"""Seconds until a search of small CNNs reaches 97 % on mnist5k's validation split.

    python -m benchmarks.accuracy [--repeats 5]

Every library at its documented defaults, the same space and epochs; a new seed each time, in turns.
The clock stops at the end of the first epoch that reaches it, or of the search where none does.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_tuner
import optuna
from keras import layers

import kt_hpo
from benchmarks import measuring

GOAL, EPOCHS, TRIALS = 0.97, 20, 30


class Reached(BaseException):
    """The goal is reached: nobody but the clock may catch it."""


class Goal(keras.callbacks.Callback):
    """Ends everything at the end of an epoch that reaches the goal."""

    def __init__(self, goal: float) -> None:
        super().__init__()
        self.goal = goal

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        check(logs, self.goal)


def check(logs: dict[str, float], goal: float) -> None:
    if logs["val_accuracy"] >= goal:
        raise Reached


def build(hp: keras_tuner.HyperParameters) -> keras.Model:
    model = keras.Sequential([keras.Input((28, 28, 1))])
    filters = hp.Choice("filters", [4, 8, 16])
    for factor in (1, 2):
        model.add(layers.Conv2D(factor * filters, 3, activation="relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dropout(hp.Float("dropout", 0.0, 0.5)))
    model.add(layers.Dense(10, activation="softmax"))
    rate = hp.Float("learning_rate", 1e-5, 1e-1, sampling="log")
    model.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def data() -> tuple[tuple[Any, Any], dict[str, Any]]:
    train, validation, _ = kt_hpo.datasets.load("mnist5k")
    return train.arrays, {"validation_data": validation.arrays, "epochs": EPOCHS, "verbose": 0}


def with_keras_tuner(kind: Any, goal: float, seed: int) -> None:
    limit = {"max_epochs": EPOCHS} if "Hyperband" in kind.__name__ else {"max_trials": TRIALS}
    arrays, fit = data()
    with tempfile.TemporaryDirectory() as folder:
        tuner = kind(build, "val_accuracy", directory=folder, seed=seed, **limit)
        tuner.search(*arrays, callbacks=[Goal(goal)], **fit)


def with_ours(kind: Any, goal: float, seed: int, **options: Any) -> None:
    class Watched(kind):
        def report(self, trial: Any, epoch: int, metrics: dict[str, float]) -> bool:
            check(metrics, goal)
            return super().report(trial, epoch, metrics)

    limit = {"max_epochs": EPOCHS} if kind is kt_hpo.Hyperband else {"max_trials": TRIALS}
    arrays, fit = data()
    with tempfile.TemporaryDirectory() as folder:
        tuner = Watched(build, "val_accuracy", directory=folder, seed=seed, **limit, **options)
        tuner.search(*arrays, **fit)


def with_optuna(goal: float, seed: int) -> None:
    arrays, fit = data()

    def objective(trial: optuna.Trial) -> float:
        keras.utils.clear_session()
        hp = keras_tuner.HyperParameters()
        hp.values = {
            "filters": trial.suggest_categorical("filters", [4, 8, 16]),
            "dropout": trial.suggest_float("dropout", 0.0, 0.5),
            "learning_rate": trial.suggest_float("learning_rate", 1e-5, 1e-1, log=True),
        }
        model = build(hp)
        model.fit(*arrays, callbacks=[Goal(goal)], **fit)
        return model.evaluate(*fit["validation_data"], verbose=0)[1]

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed)
    optuna.create_study(direction="maximize", sampler=sampler).optimize(objective, n_trials=TRIALS)


SEARCHES: dict[str, Callable[[float, int], None]] = {
    "Keras Tuner, RandomSearch": partial(with_keras_tuner, keras_tuner.RandomSearch),
    "Keras Tuner, BayesianOptimization": partial(
        with_keras_tuner, keras_tuner.BayesianOptimization
    ),
    "Keras Tuner, Hyperband": partial(with_keras_tuner, keras_tuner.Hyperband),
    "Optuna + Keras, TPE": with_optuna,
    "kt_hpo, OptunaSearch (TPE)": partial(with_ours, kt_hpo.OptunaSearch),
    "kt_hpo, OptunaSearch, vectorized": partial(
        with_ours, kt_hpo.OptunaSearch, executor=kt_hpo.Vectorized(k=8)
    ),
    "kt_hpo, Hyperband": partial(with_ours, kt_hpo.Hyperband),
}


def seconds_until(search: Callable[[float, int], None], goal: float, seeds: Iterator[int]) -> float:
    keras.utils.clear_session()
    with measuring.timed() as seconds:
        try:
            search(goal, next(seeds))
        except Reached:
            return seconds()
    return float("inf")


def far_apart() -> Iterator[int]:
    yield from range(1_000_003, 2**31, 1_000_003)


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    rows = [
        [name, *(f"{one[key]:.1f}" for key in ("median", "least", "most"))]
        for name, one in sorted(results["seconds"].items(), key=lambda pair: pair[1]["median"])
    ]
    columns = {"search": "l", "median, s": "r", "least": "r", "most": "r"}
    return (
        f"Until {results['goal']:.0%}; `inf` where the search ended before. Both TPEs are one "
        "algorithm, with other random numbers: what is between them is chance. Ray Tune has no "
        "default search to compare: it is timed in the throughput.\n\n"
        + measuring.markdown(columns, rows)
    )


def main() -> None:
    options = measuring.arguments(__doc__).parse_args()
    load, goal = measuring.load(), 0.5 if options.quick else GOAL
    runs = {
        name: partial(seconds_until, search, goal, far_apart()) for name, search in SEARCHES.items()
    }
    seconds = measuring.in_turns(runs, measuring.repeats_of(options))
    results = {"goal": goal, "seconds": seconds}
    measuring.write("accuracy", options, load, **results)
    print(section(results))


if __name__ == "__main__":
    main()
