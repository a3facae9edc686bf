"""What a search of so many trials costs and finds, on the tables of learning curves.

    python -m benchmarks.quality.defaults

Pruned trials are cheap: how many of them are as dear as 20 full trainings, and what is gained.
"""

from __future__ import annotations

import argparse
import os
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks import measuring
from benchmarks.quality.libraries import search
from benchmarks.quality.problems import PROBLEMS
from benchmarks.quality.task import Exhausted, Task
from benchmarks.regret import bootstrap
from benchmarks.spaces import Values

# Other seeds than those that `run` compares with.
FIRST_SEED, APART = 1000, 1_000_003
TRIALS = (20, 50)
SEARCHES = ("kt_hpo random", "kt_hpo TPE", "kt_hpo random, median", "kt_hpo TPE, median")


class FirstTrials(Task):
    """Ends a search after so many trials."""

    def __init__(self, problem: Any, seed: int, trials: int) -> None:
        super().__init__(problem, seed)
        self._left = trials

    def epoch(self, values: Values, epoch: int) -> float:
        if epoch == 0:
            if not self._left:
                raise Exhausted
            self._left -= 1
        return super().epoch(values, epoch)


def first_trials(name: str, problem: str, trials: int, seed: int) -> tuple[float, float]:
    """What the first trials of a search cost, in full trainings, and the regret they leave."""
    task = FirstTrials(PROBLEMS[problem](), seed, trials)
    search(name, task, APART * (seed + 1))
    return task.spent / task.epochs, task.improvements[-1][1]


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    rows = []
    for one in results["rows"]:
        named = f"{one['search'].removeprefix('kt_hpo ')}, {one['trials']} trials"
        rows.append(
            [
                named,
                f"{one['trainings']:.1f}",
                f"{one['regret']:.4f}",
                "{:.4f} to {:.4f}".format(*one["interval"]),
            ]
        )
    columns = {"search": "l", "full trainings' worth of epochs": "r", "regret": "r", "95 %": "r"}
    return (
        f"On {', '.join(results['problems'])}; means of {results['seeds']} searches of each, the "
        "intervals bootstraps over seeds. By default `kt-hpo search` counts epochs, not trials: "
        "those of 20 full trainings, by freeze-thaw search (see the section above).\n\n"
        + measuring.markdown(columns, rows)
    )


def run(options: argparse.Namespace) -> None:
    load, seeds = measuring.load(), 1 if options.quick else 30
    problems = [name for name in PROBLEMS if PROBLEMS[name]().group == "learning curves"]
    rows = []
    for trials in TRIALS:
        for name in SEARCHES:
            # (problems, seeds, what it costs and what it leaves)
            found = np.array(
                [
                    [
                        first_trials(name, problem, trials, FIRST_SEED + seed)
                        for seed in range(seeds)
                    ]
                    for problem in problems
                ]
            )
            trainings, regret = found.mean(axis=(0, 1)).tolist()
            interval = np.array(bootstrap(found[..., 1])).tolist()
            rows.append({"search": name, "trials": trials, "trainings": trainings,
                         "regret": regret, "interval": interval})  # fmt: skip
            print(rows[-1], flush=True)
    measuring.write("defaults", options, load, problems=problems, seeds=seeds, rows=rows)


if __name__ == "__main__":
    run(measuring.arguments(__doc__).parse_args())
