"""What a search of a ready space finds, and what one has in the same time without a search.

    python -m benchmarks.ready [--tasks NAME ...] [--seeds 0 1 2 3 4] [--minutes 0.5]

Tables: `kt_hpo.tune` as a user calls it, search and retraining and all, gradient boosting, ridge or
logistic regression, and a dense network of Keras, each as it is by default, within the same time.
Images, texts and a series: `tune`, and what one begins with there. What is measured is kept; a
second run goes on with what is missing.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd
from keras import layers
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

import kt_hpo
from benchmarks import measuring, regret
from benchmarks.real_data import LOADERS, TABLES, Parts, score, seasonal_naive

SEARCH, TREES, LINEAR, MLP = "kt_hpo.tune", "gradient boosting", "linear", "Keras MLP"
TFIDF, NAIVE, CNN = "TF-IDF, logistic regression", "seasonal naive", "keras.io's CNN"
# Of more categories than this HistGradientBoosting takes none.
MOST_CATEGORIES = 255
# What keras.io's first CNN is looked at after, in seconds.
EARLY = 20.0


class Limit(keras.callbacks.Callback):
    """Ends a training after some seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.end = time.perf_counter() + seconds

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if time.perf_counter() > self.end:
            self.model.stop_training = True


def metric_of(task: str) -> str:
    """What a task is measured by."""
    return TABLES[task].metric if task in TABLES else "r2" if task == "demand" else "accuracy"


def searched(task: str, seed: int, seconds: float) -> dict[str, Any]:
    """Searches, as a user does who says nothing but the time."""
    with tempfile.TemporaryDirectory() as directory:
        options = {"verbose": 0, "seed": seed, "directory": f"{directory}/search"}
        if task == "images":
            tuner = kt_hpo.tune("cnn", "mnist5k", seconds / 60, **options)
            found = tuner.study.user_attrs["test"]["accuracy"]
        else:
            parts = LOADERS[task](seed)
            data = (parts.x, parts.y), (parts.test_x, parts.test_y)
            tuner = kt_hpo.tune("auto", data, seconds / 60, **options)
            model = kt_hpo.load(tuner)
            rows = model.predict(parts.test_x).to_numpy()
            is_value = model.class_names is None
            predicted = rows[:, 0] if is_value else rows[:, 1:].astype(float)
            found = score(metric_of(task), parts.test_y, predicted, model.class_names)
        return {"score": found, "trials": len(tuner.study.get_trials(deepcopy=False))}


def trees(task: str, seed: int, seconds: float) -> dict[str, Any]:
    """Gradient boosting of scikit-learn, categories as such."""
    parts, is_value = LOADERS[task](seed), metric_of(task) == "r2"
    both = pd.concat([parts.x, parts.test_x], ignore_index=True)
    for name in both.select_dtypes(object):
        if both[name].nunique() > MOST_CATEGORIES:
            both[name] = OrdinalEncoder().fit_transform(both[[name]].astype(str))
        else:
            both[name] = both[name].astype("category")
    kind = HistGradientBoostingRegressor if is_value else HistGradientBoostingClassifier
    model = kind(categorical_features="from_dtype", random_state=seed)
    model.fit(both[: len(parts.y)], parts.y)
    return judged(task, model, parts._replace(test_x=both[len(parts.y) :]))


def prepared() -> Any:
    """Means for missing numbers, which are standardized, and categories one-hot."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_include=object)),
        sparse_threshold=0,
    )


def linear(task: str, seed: int, seconds: float) -> dict[str, Any]:
    """Ridge or logistic regression."""
    parts = LOADERS[task](seed)
    end = Ridge() if metric_of(task) == "r2" else LogisticRegression(max_iter=1000)
    model = make_pipeline(prepared(), end).fit(parts.x, parts.y)
    return judged(task, model, parts)


def judged(task: str, model: Any, parts: Parts) -> dict[str, Any]:
    """The score of a model of scikit-learn."""
    is_value = metric_of(task) == "r2"
    predicted = model.predict(parts.test_x) if is_value else model.predict_proba(parts.test_x)
    classes = None if is_value else model.classes_
    return {"score": score(metric_of(task), parts.test_y, predicted, classes)}


def mlp(task: str, seed: int, seconds: float) -> dict[str, Any]:
    """Two dense layers, Adam, 50 epochs; numbers to predict are standardized."""
    parts, is_value = LOADERS[task](seed), metric_of(task) == "r2"
    keras.utils.set_random_seed(seed)
    prepare = prepared().fit(parts.x)
    if is_value:
        classes, y = None, (parts.y - parts.y.mean()) / parts.y.std()
        end, loss = layers.Dense(1), "mse"
    else:
        classes, y = np.unique(parts.y, return_inverse=True)
        end = layers.Dense(len(classes), activation="softmax")
        loss = "sparse_categorical_crossentropy"
    model = keras.Sequential(
        [layers.Dense(64, activation="relu"), layers.Dense(64, activation="relu"), end]
    )
    model.compile("adam", loss)
    x = prepare.transform(parts.x)
    model.fit(x, y, epochs=50, verbose=0, callbacks=[Limit(seconds)])
    predicted = model.predict(prepare.transform(parts.test_x), verbose=0)
    if is_value:
        predicted = predicted[:, 0] * parts.y.std() + parts.y.mean()
    return {"score": score(metric_of(task), parts.test_y, predicted, classes)}


def first_cnn(task: str, seed: int, seconds: float) -> dict[str, Any]:
    """The model of keras.io's "Simple MNIST convnet", for as long as the search has."""
    train, validation, test = kt_hpo.datasets.load("mnist5k", seed=seed)
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    data, found = train.concatenate(validation).arrays, []
    for part in (EARLY, seconds - EARLY):
        model.fit(*data, batch_size=128, epochs=1000, verbose=0, callbacks=[Limit(part)])
        found.append(model.evaluate(*test.arrays, verbose=0)[1])
    return {"score": found[1], "early": found[0]}


def tf_idf(task: str, seed: int, seconds: float) -> dict[str, Any]:
    """Words weighed by how rare they are."""
    parts = LOADERS[task](seed)
    words, test_words = (rows.iloc[:, 0] for rows in (parts.x, parts.test_x))
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(words, parts.y)
    return judged(task, model, parts._replace(test_x=test_words))


def naive(task: str, seed: int, seconds: float) -> dict[str, Any]:
    """What was there a week before."""
    parts = LOADERS[task](seed)
    return {"score": score("r2", parts.test_y, seasonal_naive(parts))}


Contender = Callable[[str, int, float], dict[str, Any]]
OF_TABLES: dict[str, Contender] = {SEARCH: searched, TREES: trees, LINEAR: linear, MLP: mlp}
TASKS: dict[str, dict[str, Contender]] = {
    **dict.fromkeys(TABLES, OF_TABLES),
    "images": {SEARCH: searched, CNN: first_cnn},
    "reviews": {SEARCH: searched, TFIDF: tf_idf},
    "demand": {SEARCH: searched, NAIVE: naive},
}
# The images are searched as `make demo` does, whatever is said.
IMAGE_SECONDS = 90.0


def measure(
    process: Any, task: str, seed: int, seconds: float, known: dict[str, Any]
) -> dict[str, Any]:
    """Lets everyone do a task who has not yet, each in a process of its own."""
    row: dict[str, Any] = {"task": task, "seed": seed, "limit": seconds}
    for name, contender in TASKS[task].items():
        if name in known:
            row[name] = known[name]
            continue
        with measuring.timed() as took:
            row[name] = process(contender, task, seed, seconds)
        row[name]["seconds"] = took()
        print(f"  {name}: {row[name]['score']:.4f} in {took():.1f} s", flush=True)
    return row


def table_ranks(rows: Sequence[dict[str, Any]]) -> np.ndarray:
    """The rank of each contender at each split of each table: 1 is best, equals share theirs.

    Returns:
        Array of shape `(tables, splits, contenders)`: the splits that all tables have.
    """
    by_place = {(row["task"], row["seed"]): row for row in rows}
    names = dict.fromkeys(row["task"] for row in rows)
    seeds = [
        seed
        for seed in dict.fromkeys(row["seed"] for row in rows)
        if all((name, seed) in by_place for name in names)
    ]
    scores = [
        [[by_place[name, seed][one]["score"] for seed in seeds] for name in names]
        for one in OF_TABLES
    ]
    return np.moveaxis(regret.ranks(-np.round(scores, 6)), 0, -1)


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    rows = results["rows"]
    tables = [row for row in rows if row["task"] in TABLES]
    parts = [_tables(tables), _ranks(tables)] if tables else []
    return "\n\n".join([*parts, _others([row for row in rows if row["task"] not in TABLES])])


def _of(rows: Sequence[dict[str, Any]], name: str, what: str = "score") -> str:
    return measuring.told(measuring.spread([row[name][what] for row in rows]))


def _tables(rows: Sequence[dict[str, Any]]) -> str:
    lines = []
    for name, table in TABLES.items():
        if found := [row for row in rows if row["task"] == name]:
            medians = [np.median([row[one]["score"] for row in found]) for one in OF_TABLES]
            cells = [
                f"**{_of(found, one)}**" if median == max(medians) else _of(found, one)
                for one, median in zip(OF_TABLES, medians, strict=True)
            ]
            took = [np.median([row[one]["seconds"] for row in found]) for one in OF_TABLES]
            lines.append(
                [name, table.metric, len(found), *cells, ", ".join(f"{s:.0f}" for s in took)]
            )
    columns = {"table": "l", "measured by": "l", "seeds": "r", **dict.fromkeys(OF_TABLES, "r"),
               "seconds": "r"}  # fmt: skip
    return (
        f"Tables, each contender with {rows[0]['limit']:g} seconds at most: the median over "
        "splits, and in brackets the least and the most.\n\n" + measuring.markdown(columns, lines)
    )


def _ranks(rows: Sequence[dict[str, Any]]) -> str:
    found = table_ranks(rows)
    lines = []
    for place, name in enumerate(OF_TABLES):
        behind = "" if place == 0 else _interval(found[..., place] - found[..., 0])
        lines.append([name, _interval(found[..., place]), behind])
    columns = {"contender": "l", "mean rank": "r", f"ranks behind {SEARCH}": "r"}
    return (
        f"Mean ranks over tables and {found.shape[1]} splits, 1 is best; in brackets 95 % "
        "intervals of a bootstrap over splits, which are the same for all: differences are paired."
        "\n\n" + measuring.markdown(columns, lines)
    )


def _interval(numbers: np.ndarray, digits: int = 2, sign: str = "") -> str:
    mean, low, high = (
        f"{one:{sign}.{digits}f}" for one in (numbers.mean(), *regret.bootstrap(numbers))
    )
    return f"{mean} ({low} to {high})"


def _others(rows: Sequence[dict[str, Any]]) -> str:
    lines = []
    for task in TASKS:
        found = [row for row in rows if row["task"] == task]
        if task in TABLES or not found:
            continue
        for name in TASKS[task]:
            ahead = "" if name == SEARCH else _ahead(found, name)
            scores, seconds = _of(found, name), _of(found, name, "seconds")
            lines.append([task, len(found), name, scores, ahead, seconds])
            if name == CNN:
                told = f"{CNN}, after {EARLY:g} s"
                early, ahead = _of(found, name, "early"), _ahead(found, name, "early")
                lines.append([task, len(found), told, early, ahead, f"{EARLY:g}"])
    columns = {"data": "l", "seeds": "r", "contender": "l", "test": "r",
               f"{SEARCH} is ahead by": "r", "seconds": "r"}  # fmt: skip
    return (
        "Images (mnist5k) and texts (reviews of fine foods) by accuracy, the series (England's "
        "electricity a day ahead) by the share of the variance explained: medians, and the mean of "
        "the paired differences with its 95 % interval.\n\n" + measuring.markdown(columns, lines)
    )


def _ahead(rows: Sequence[dict[str, Any]], name: str, what: str = "score") -> str:
    """How much more the search scores than another, split by split."""
    differences = [row[SEARCH]["score"] - row[name][what] for row in rows]
    return _interval(np.array([differences]), digits=3, sign="+")


def main() -> None:
    parser = measuring.arguments(__doc__)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(5)))
    parser.add_argument("--minutes", type=float, default=0.5, help="what each has for a table")
    options = parser.parse_args()
    tasks, seeds = (["iris"], [0]) if options.quick else (options.tasks, options.seeds)
    load, before = measuring.load(), measuring.read("ready") or {"rows": []}
    rows = {(row["task"], row["seed"]): row for row in before["rows"]}
    with measuring.fresh_process(
        "benchmarks.real_data", "kt_hpo.tuning", "sklearn.ensemble"
    ) as process:
        for task, seed in [(task, seed) for seed in seeds for task in tasks]:
            known = rows.get((task, seed), {})
            if all(name in known for name in TASKS[task]):
                continue
            print(task, seed, flush=True)
            whole = IMAGE_SECONDS if task == "images" else 60 * options.minutes
            limit = 10.0 if options.quick else whole
            row = measure(process, task, seed, limit, known)
            rows[task, seed] = row
            measuring.write_row("ready", options, load, row, "task", "seed", order=TASKS)
    print(section({"rows": list(rows.values())}))


if __name__ == "__main__":
    main()
