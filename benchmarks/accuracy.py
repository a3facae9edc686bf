"""Seconds until a search reaches an accuracy on mnist5k's validation split.

    python -m benchmarks.accuracy [--tasks NAME ...] [--searches NAME ...] [--repeats 9]

Small CNNs up to 97 %, and CNNs like the one of keras.io's first example up to what that one reaches
at the end of its training. Every library at its documented defaults, the same space and epochs; a
new seed each time, in turns. The clock stops at the end of the first epoch that reaches it, or of
the search where none does.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_tuner
import optuna
from keras import layers

import kt_hpo
from benchmarks import measuring

EPOCHS, TRIALS = 20, 30
# Those of keras.io's example.
EXAMPLE_EPOCHS, EXAMPLE_BATCH = 15, 128


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


def build_small(hp: keras_tuner.HyperParameters) -> keras.Model:
    filters = hp.Choice("filters", [4, 8, 16])
    dropout = hp.Float("dropout", 0.0, 0.5)
    rate = hp.Float("learning_rate", 1e-5, 1e-1, sampling="log")
    return cnn([filters, 2 * filters], dropout, rate)


def build_like_example(hp: keras_tuner.HyperParameters) -> keras.Model:
    filters = [hp.Choice("filters_0", [16, 32, 64]), hp.Choice("filters_1", [32, 64, 128])]
    dropout = hp.Float("dropout", 0.0, 0.5)
    rate = hp.Float("learning_rate", 1e-4, 1e-2, sampling="log")
    return cnn(filters, dropout, rate)


def cnn(filters: list[int], dropout: float, rate: float) -> keras.Model:
    """The model of keras.io's "Simple MNIST convnet", with these numbers."""
    model = keras.Sequential([keras.Input((28, 28, 1))])
    for count in filters:
        model.add(layers.Conv2D(count, 3, activation="relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dropout(dropout))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def draw_small(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "filters": trial.suggest_categorical("filters", [4, 8, 16]),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
        "learning_rate": trial.suggest_float("learning_rate", 1e-5, 1e-1, log=True),
    }


def draw_like_example(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "filters_0": trial.suggest_categorical("filters_0", [16, 32, 64]),
        "filters_1": trial.suggest_categorical("filters_1", [32, 64, 128]),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
        "learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True),
    }


def accuracy_of_example() -> float:
    """What keras.io's example reaches on mnist5k's validation split, the median of three."""
    arrays, fit = data()
    found = []
    for seed in range(3):
        keras.utils.set_random_seed(seed)
        model = cnn([32, 64], 0.5, 1e-3)
        model.fit(*arrays, batch_size=EXAMPLE_BATCH, epochs=EXAMPLE_EPOCHS, verbose=0)
        found.append(model.evaluate(*fit["validation_data"], verbose=0)[1])
    return median(found)


@dataclass(frozen=True)
class Task:
    """What is to be reached.

    Attributes:
        about: In words.
        build: The hypermodel.
        draw: Draws its values with Optuna.
        goal: Gives the accuracy.
    """

    about: str
    build: Callable[[keras_tuner.HyperParameters], keras.Model]
    draw: Callable[[optuna.Trial], dict[str, Any]]
    goal: Callable[[], float]


TASKS = {
    "small": Task("CNNs of 4 to 32 filters", build_small, draw_small, lambda: 0.97),
    "example": Task(
        "keras.io's example, with 16 to 128 filters",
        build_like_example,
        draw_like_example,
        accuracy_of_example,
    ),
}


def data() -> tuple[tuple[Any, Any], dict[str, Any]]:
    train, validation, _ = kt_hpo.datasets.load("mnist5k")
    return train.arrays, {"validation_data": validation.arrays, "epochs": EPOCHS, "verbose": 0}


def with_keras_tuner(kind: Any, task: Task, goal: float, seed: int) -> None:
    limit = {"max_epochs": EPOCHS} if "Hyperband" in kind.__name__ else {"max_trials": TRIALS}
    arrays, fit = data()
    with tempfile.TemporaryDirectory() as folder:
        tuner = kind(task.build, "val_accuracy", directory=folder, seed=seed, **limit)
        tuner.search(*arrays, callbacks=[Goal(goal)], **fit)


def with_ours(
    kind: Any, limit: dict[str, int], task: Task, goal: float, seed: int, executor: Any = None
) -> None:
    class Watched(kind):
        def report(self, trial: Any, epoch: int, metrics: dict[str, float]) -> bool:
            check(metrics, goal)
            return super().report(trial, epoch, metrics)

    arrays, fit = data()
    with tempfile.TemporaryDirectory() as folder:
        tuner = Watched(
            task.build, "val_accuracy", directory=folder, seed=seed, executor=executor, **limit
        )
        tuner.search(*arrays, **fit)


def with_optuna(task: Task, goal: float, seed: int) -> None:
    arrays, fit = data()

    def objective(trial: optuna.Trial) -> float:
        keras.utils.clear_session()
        hp = keras_tuner.HyperParameters()
        hp.values = task.draw(trial)
        model = task.build(hp)
        model.fit(*arrays, callbacks=[Goal(goal)], **fit)
        return model.evaluate(*fit["validation_data"], verbose=0)[1]

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed)
    optuna.create_study(direction="maximize", sampler=sampler).optimize(objective, n_trials=TRIALS)


SEARCHES: dict[str, Callable[[Task, float, int], None]] = {
    "Keras Tuner, RandomSearch": partial(with_keras_tuner, keras_tuner.RandomSearch),
    "Keras Tuner, BayesianOptimization": partial(
        with_keras_tuner, keras_tuner.BayesianOptimization
    ),
    "Keras Tuner, Hyperband": partial(with_keras_tuner, keras_tuner.Hyperband),
    "Optuna + Keras, TPE": with_optuna,
    "kt_hpo, AutoSearch": partial(
        with_ours, kt_hpo.AutoSearch, {"max_trials": TRIALS, "max_epochs": EPOCHS}
    ),
    "kt_hpo, OptunaSearch (TPE)": partial(with_ours, kt_hpo.OptunaSearch, {"max_trials": TRIALS}),
    "kt_hpo, OptunaSearch, vectorized": partial(
        with_ours,
        kt_hpo.OptunaSearch,
        {"max_trials": TRIALS},
        executor=kt_hpo.Vectorized(k=8),
    ),
    "kt_hpo, Hyperband": partial(with_ours, kt_hpo.Hyperband, {"max_epochs": EPOCHS}),
}


def seconds_until(
    search: Callable[[Task, float, int], None], task: Task, goal: float, seeds: Iterator[int]
) -> float:
    keras.utils.clear_session()
    with measuring.timed() as seconds:
        try:
            search(task, goal, next(seeds))
        except Reached:
            return seconds()
    return float("inf")


def far_apart() -> Iterator[int]:
    yield from range(1_000_003, 2**31, 1_000_003)


def measure(task: Task, goal: float, searches: list[str], repeats: int) -> dict[str, Any]:
    """Times searches until they reach a goal."""
    runs = {
        name: partial(seconds_until, SEARCHES[name], task, goal, far_apart()) for name in searches
    }
    seconds = measuring.in_turns(runs, repeats)
    return {
        "about": task.about,
        "goal": goal,
        "repeats": repeats,
        "seconds": seconds,
    }


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    texts = [
        "`inf` where the search ended before. Both TPEs are one algorithm, with other random "
        "numbers: what is between them is chance. Ray Tune has no default search to compare: it is "
        "timed in the throughput."
    ]
    columns = {"search": "l", "median, s": "r", "least": "r", "most": "r"}
    for row in results["rows"]:
        told = [
            [name, *(f"{one[key]:.1f}" for key in ("median", "least", "most"))]
            for name, one in sorted(row["seconds"].items(), key=lambda pair: pair[1]["median"])
        ]
        texts.append(f"### {row['about']}, until {row['goal']:.1%}")
        texts.append(f"`{row['command']}`, {row['repeats']} rounds.")
        texts.append(measuring.markdown(columns, told))
    return "\n\n".join(texts)


def main() -> None:
    parser = measuring.arguments(__doc__, repeats=9)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--searches", nargs="+", choices=SEARCHES, default=list(SEARCHES))
    options = parser.parse_args()
    load, rows = measuring.load(), []
    for name in options.tasks[:1] if options.quick else options.tasks:
        task = TASKS[name]
        goal = 0.5 if options.quick else task.goal()
        found = measure(task, goal, options.searches, measuring.repeats_of(options))
        row = {"task": name} | found
        rows = measuring.write_row("accuracy", options, load, row, "task", order=TASKS)
    print(section({"rows": rows}))


if __name__ == "__main__":
    main()
