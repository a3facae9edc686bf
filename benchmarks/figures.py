"""The measured figures that README and the documentation quote, each from the results.

    python -m benchmarks.report

writes them anew where they stand, and the tests tell when that is due. A figure is a `{}` within
the words around it. Where a page says how many times something is as fast, it has to be one of
these.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from math import prod
from statistics import median
from typing import Any

from benchmarks import measuring
from benchmarks.real_data import TABLES

ROOT = measuring.RESULTS.parents[1]
TIMES = re.compile(r"\b(\d[\d.]*) times(?: (?:as (?:fast|long)|what|for|over|,)|[,)])")


@cache
def results(name: str) -> Any:
    """What is in `results/<name>.json`."""
    found = measuring.read(name)
    assert found is not None, f"`python -m benchmarks.{name}` has not been run"
    return found


def row(name: str, **values: Any) -> Any:
    """The row of some results that has these values."""
    rows = results(name)["rows"]
    return next(row for row in rows if all(row[key] == value for key, value in values.items()))


def search(name: str) -> list[str]:
    """Seconds of Keras Tuner and of ours, and how many times ours is as fast."""
    found = row("searches", search=name)
    seconds = [found["seconds"][who]["median"] for who in ("Keras Tuner", "kt_hpo")]
    return [f"{seconds[0]:.1f}", f"{seconds[1]:.1f}", f"{found['times faster']:.2f}"]


def search_times(name: str) -> list[str]:
    """How many times a search of ours is as fast."""
    return search(name)[2:]


def mean_times() -> list[str]:
    """Of all searches, in the geometric mean."""
    times = [found["times faster"] for found in results("searches")["rows"]]
    return [f"{prod(times) ** (1 / len(times)):.2f}"]


def vectorized_times(*cases: str) -> list[str]:
    """How many times vectorized trials are as fast as Keras Tuner's."""
    every = [row("throughput", case=case)["seconds a trial"] for case in cases]
    return [
        f"{one['Keras Tuner']['median'] / one['kt_hpo, Vectorized']['median']:.1f}" for one in every
    ]


def worker_times() -> list[str]:
    """How many times two workers are as fast as one."""
    return [f"{results('workers')['speed']['times as fast']:.2f}"]


def vectorized_and_workers(case: str) -> list[str]:
    """How many times vectorized trials, and two workers, are as fast as Keras Tuner."""
    seconds = row("throughput", case=case)["seconds a trial"]
    keras_tuner = seconds["Keras Tuner"]["median"]
    return [
        f"{keras_tuner / seconds[who]['median']:.1f}"
        for who in ("kt_hpo, Vectorized", "kt_hpo, Workers(2)")
    ]


def table(section: str, number: int = 0) -> list[list[str]]:
    """A table in a section of RESULTS.md: the names of its columns, then its rows."""
    text = (ROOT / "benchmarks/RESULTS.md").read_text()
    part = re.search(rf"^##+ {re.escape(section)}\n(.*?)(?=^##|\Z)", text, re.M | re.S)
    assert part, f"RESULTS.md has no section {section}"
    tables = re.findall(r"(?:^\|.*\n?)+", part[1], re.M)
    lines = [line.split("|")[1:-1] for line in tables[number].splitlines()]
    names, _, *rows = [[cell.strip(" *") for cell in line] for line in lines]
    return [names, *rows]


def cells(section: str, column: str, *firsts: str, number: int = 0) -> list[str]:
    """Of that table, a column of the rows that begin with these cells."""
    names, *rows = table(section, number)
    place = names.index(column)
    return [
        next(row[place] for row in rows if " | ".join(row).startswith(f"{first} |"))
        for first in firsts
    ]


def ranks(section: str, *names: str) -> list[str]:
    """The mean ranks of our searches, after the first one's how many searches there are."""
    first, *others = cells(section, "mean rank", *(f"kt_hpo {name}" for name in names))
    return [first, str(len(table(section)) - 1), *others]


def regrets(*names: str) -> list[str]:
    """Regrets of our searches on learning curves, early and at the end."""
    columns = ("regret at a quarter", "at the end")
    return [cells(CURVES, column, f"kt_hpo {name}")[0] for name in names for column in columns]


def freeze_thaw() -> list[str]:
    """Its rank and that of the best peer, and how much regret it leaves early and at the end."""
    ranks = cells(CURVES, "mean rank", "kt_hpo freeze-thaw", "Optuna TPE, median")
    return [ranks[0], str(len(table(CURVES)) - 1), ranks[1], *regrets("freeze-thaw")]


def freeze_thaw_elsewhere() -> list[str]:
    """Its rank on the other tables of learning curves, and that of the next search."""
    ours, others = [], []
    for section in OTHER_CURVES:
        ranks = {row[0]: row[1] for row in table(section)[1:]}
        ours.append(ranks.pop("kt_hpo freeze-thaw"))
        others.append(min(ranks.values(), key=float))
    return [ours[0], str(len(table(OTHER_CURVES[0])) - 1), ours[1], *others]


def around(engine: str) -> list[str]:
    """Milliseconds around a trial at 100 and at 1,000 trials."""
    columns = ("ms at 100", "ms at 1,000")
    return [cells(OVERHEAD, column, f"{engine} | journal")[0] for column in columns]


def default(search: str) -> list[str]:
    """What a search costs, and finds."""
    section = "What a search costs and finds by default"
    columns = ("full trainings' worth of epochs", "regret")
    return [cells(section, column, search)[0] for column in columns]


def preset(space: str) -> list[str]:
    """What a ready space's defaults reach, and the quartiles of its small and wide ranges."""
    columns = ("epochs", "defaults", "small: quartiles", "wide: quartiles")
    every = [cells("Ready spaces, small and wide", column, space)[0] for column in columns]
    return ", ".join(every).replace("*", "").split(", ")


def ready_scores(task: str) -> list[str]:
    """The median score of everyone who did a task of the ready spaces."""
    rows = [row for row in results("ready")["rows"] if row["task"] == task]
    contenders = [name for name, one in rows[0].items() if isinstance(one, dict)]
    return [f"{median(row[name]['score'] for row in rows):.3f}" for name in contenders]


def ready_ranks() -> list[str]:
    """The mean ranks of everyone on the tables."""
    names, *rows = table(READY, 1)
    return [row[names.index("mean rank")].split()[0] for row in rows]


def ray_times(*who: str) -> list[str]:
    """How many times as long as two workers."""
    seconds = results("cluster")["rows"][0]["seconds"]
    return [f"{seconds[one]['median'] / seconds['Workers(2)']['median']:.2f}" for one in who]


CASES = (
    "digits MLP, one architecture",
    "digits MLP, 12 architectures",
    "mnist5k MLP",
    "mnist5k CNN",
)
GUIDE = "getting-started"
READY = "Ready spaces beside what one has without a search"
CURVES, OVERHEAD = "learning curves", "Overhead of a trial"
OTHER_CURVES = "learning curves of other kinds", "learning curves kept aside"
SIMULATED, ACCURACY = "Many workers, simulated", "CNNs of 4 to 32 filters, until 97.0%"
# By page, the words around some figures, and what gives them.
FIGURES: dict[str, list[tuple[str, Callable[[], list[str]]]]] = {
    "README.md": [
        ("own guide runs {} times as fast", lambda: search_times(GUIDE)),
        ("| Keras Tuner's guide: an MLP | {} | {} | **{}** |", lambda: search(GUIDE)),
        (
            "| TensorFlow's tutorial, Hyperband | {} | {} | **{}** |",
            lambda: search("tutorial-hyperband"),
        ),
        ("| A CNN | {} | {} | **{}** |", lambda: search("cnn")),
        ("| Our `CNNHyperModel` | {} | {} | **{}** |", lambda: search("cnn-hypermodel")),
        ("| Our `MLPHyperModel`, a table | {} | {} | **{}** |", lambda: search("mlp-hypermodel")),
        ("| An LSTM or a GRU | {} | {} | **{}** |", lambda: search("recurrent")),
        (
            "| A regression with three inputs | {} | {} | **{}** |",
            lambda: search("several-inputs"),
        ),
        ("| A frozen base, a new head | {} | {} | **{}** |", lambda: search("transfer")),
        (
            "| Keras Tuner's guide by Hyperband | {} | {} | **{}** |",
            lambda: search("getting-started-hyperband"),
        ),
        ("| Geometric mean | | | **{}** |", mean_times),
        ("vectorized trials are {} times as fast", lambda: vectorized_times(CASES[0])),
        ("Two workers finish a search {} times as fast", worker_times),
    ],
    "docs/index.md": [("own guide then runs {} times as fast", lambda: search_times(GUIDE))],
    "docs/choosing.md": [
        (
            "it has rank {} of {}, Optuna's TPE with its median pruner {}; regret at a quarter of "
            "the budget {}, at the end {};",
            freeze_thaw,
        ),
        (
            "other kinds rank {} of {}, and on two kept aside {}, where the next search has {} and "
            "{} |",
            freeze_thaw_elsewhere,
        ),
        (
            "ASHA has rank {} of {}, the median pruner {}, no pruner {}; random search without "
            "one {} |",
            lambda: ranks(CURVES, "TPE, asha", "TPE, median", "TPE", "random"),
        ),
        (
            "regret at a quarter of the budget {}, at the end {}; with ASHA {} and {} |",
            lambda: regrets("TPE, median", "TPE, asha"),
        ),
        (
            "HPOBench: rank {} of {}, `OptunaSearch` {}, random search {} |",
            lambda: ranks("HPOBench-MLP", "GaussianProcessSearch", "TPE", "random"),
        ),
        (
            "NAS-Bench-201: rank {} of {}; `BayesOptSearch` {}, `OptunaSearch` {}, "
            "`EvolutionarySearch` {}, random search {} |",
            lambda: ranks(
                "NAS-Bench-201", "GaussianProcessSearch", "bayesopt", "TPE", "evolution", "random"
            ),
        ),
        ("| random, 20 trials | {} | {} |", lambda: default("random, 20 trials")),
        ("| TPE, 20 trials | {} | {} |", lambda: default("TPE, 20 trials")),
        ("| TPE, median, 50 trials | {} | {} |", lambda: default("TPE, median, 50 trials")),
        ("| TPE, 50 trials | {} | {} |", lambda: default("TPE, 50 trials")),
        ("| `RandomSearch` | {} | {} |", lambda: around("RandomSearch")),
        ("| `Hyperband` | {} | {} |", lambda: around("Hyperband")),
        ("| `EvolutionarySearch` | {} | {} |", lambda: around("EvolutionarySearch")),
        ("| `OptunaSearch` (TPE) | {} | {} |", lambda: around("OptunaSearch (TPE)")),
        ("| `HyperoptSearch` | {} | {} |", lambda: around("HyperoptSearch")),
        ("| `BayesOptSearch` | {} | {} |", lambda: around("BayesOptSearch")),
        (
            "`BayesianOptimization` takes {} at 100",
            lambda: around("BayesianOptimization")[:1],
        ),
        ("| {} times as fast as Keras Tuner, in the geometric mean", mean_times),
        (
            "| {} times as fast as Keras Tuner (`python -m benchmarks.throughput`)",
            lambda: vectorized_times(CASES[0]),
        ),
        ("| {} times as fast |", lambda: vectorized_times(CASES[1])),
        ("| {} times as fast, Workers(2) {} |", lambda: vectorized_and_workers(CASES[3])),
        ("| two finish a search {} times as fast as one", worker_times),
        ("`Ray(2)` takes {} times as long as", lambda: ray_times("Ray(2)")),
        (
            "finish in {} s what one does in {} s, and idle {}% of the time",
            lambda: [
                *cells(SIMULATED, "makespan, s", "64 | Hyperband, ours", "1 | Hyperband, ours"),
                cells(SIMULATED, "idle", "64 | Hyperband, ours")[0].rstrip("%"),
            ],
        ),
        *(
            (f"| {name} | {{}} |", lambda row=row: cells(ACCURACY, "median, s", row))
            for name, row in {
                "kt_hpo, `OptunaSearch`, vectorized": "kt_hpo, OptunaSearch, vectorized",
                "kt_hpo, `OptunaSearch` (TPE)": "kt_hpo, OptunaSearch (TPE)",
                "kt_hpo, `Hyperband`": "kt_hpo, Hyperband",
                "Keras Tuner, `RandomSearch`": "Keras Tuner, RandomSearch",
                "Keras Tuner, `BayesianOptimization`": "Keras Tuner, BayesianOptimization",
                "Keras Tuner, `Hyperband`": "Keras Tuner, Hyperband",
            }.items()
        ),
    ],
    "docs/faq.md": [
        (
            "had {} MB after 20 trials and {} MB after 500",
            lambda: [f"{results('memory')['growth'][trials]:.0f}" for trials in ("20", "500")],
        ),
    ],
    "docs/ready-spaces.md": [
        (
            f"| {space} | {{}} | {{}} | {{}}, **{{}}**, {{}} | {{}}, **{{}}**, {{}} |",
            partial(preset, space),
        )
        for space in (
            "CNN, mnist5k",
            "CNN, digits",
            "MLP, digits",
            "MLP, breast_cancer",
            "MLP, wine",
        )
    ]
    + [(f"| {task} | {{}} | {{}} | {{}} | {{}} |", partial(ready_scores, task)) for task in TABLES]
    + [
        ("| mean rank | {} | {} | {} | {} |", ready_ranks),
        ("mnist5k, 90 seconds, accuracy | {} | {} |", partial(ready_scores, "images")),
        ("reviews of foods, accuracy | {} | {} |", partial(ready_scores, "reviews")),
        ("a day ahead, variance explained | {} | {} |", partial(ready_scores, "demand")),
    ],
    "docs/executors.md": [
        (
            "{} times as fast for a digits MLP of one architecture, {} times over 12 "
            "architectures, {} times for an MLP and {} times for a CNN",
            lambda: vectorized_times(*CASES),
        ),
    ],
    "docs/cluster.md": [
        (
            "took {} times as long with `Ray(2)`, which had started before (`python -m "
            "benchmarks.cluster`; with Ray Tune alone, a process a trial, {} times)",
            lambda: ray_times("Ray(2)", "Ray Tune by itself"),
        ),
    ],
}


def pattern(words: str) -> re.Pattern[str]:
    """Finds words, wherever their lines break, and the figures within."""
    known = re.sub(r"(?:\\ |\s)+", r"\\s+", re.escape(words))
    return re.compile(known.replace(r"\{\}", r"(\d[\d.,]*\d|\d)"))


def quoted(page: str) -> Iterator[tuple[str, re.Match[str] | None, list[str]]]:
    """The figures of a page: the words, where they stand, and what they have to be."""
    text = (ROOT / page).read_text()
    for words, figures in FIGURES[page]:
        yield words, pattern(words).search(text), figures()


def renew(page: str) -> None:
    """Writes the figures of a page anew."""
    text = (ROOT / page).read_text()
    for words, figures in FIGURES[page]:
        if found := pattern(words).search(text):
            for group, figure in reversed([*enumerate(figures(), 1)]):
                start, end = found.span(group)
                text = text[:start] + figure + text[end:]
    (ROOT / page).write_text(text)


def others(page: str) -> list[str]:
    """What a page says to be some times as fast, and is none of its figures."""
    text = (ROOT / page).read_text()
    known = [found for words, _ in FIGURES.get(page, []) if (found := pattern(words).search(text))]
    spans = [found.span() for found in known]
    return [
        found[0]
        for found in TIMES.finditer(text)
        if not any(start <= found.start() < end for start, end in spans)
    ]
