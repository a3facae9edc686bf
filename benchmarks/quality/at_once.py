"""What TPE finds where it is asked for many trials before the first of them ends.

    python -m benchmarks.quality.at_once [--repeats 20]

Vectorized trials and workers ask so. All searches have the same number of trials, and `--repeats`
seeds; random search, which learns nothing, is what TPE is held against.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks import measuring
from benchmarks.quality.libraries import search
from benchmarks.quality.problems import FIRST, PROBLEMS
from benchmarks.quality.task import Task
from benchmarks.regret import anytime, bootstrap

# Other seeds than those that `run` and `defaults` compare with.
FIRST_SEED, APART = 2000, 1_000_003
COUNTS = (1, 2, 4, 8, 16)
SEARCHES = [("kt_hpo TPE", count) for count in COUNTS] + [("kt_hpo random", 1)]
# At these shares of a search's trials.
SHARES = (0.3, 0.5, 1.0)


def problems() -> list[str]:
    """The tables of NAS-Bench, and the first ones of ours."""
    return [name for name in PROBLEMS if name.startswith(("NAS-Bench", *FIRST))]


def regrets(name: str, at_once: int, problem: str, seed: int) -> np.ndarray:
    """The regret of a search after some shares of its trials."""
    task = Task(PROBLEMS[problem](), seed)
    search(name, task, APART * (seed + 1), at_once=at_once)
    return anytime(task.improvements, np.array(SHARES) * task.problem.budget, before=1.0)


def measured(seeds: int, among: list[str]) -> Iterator[dict[str, Any]]:
    """Makes the searches; gives a row for each way to ask."""
    alone: np.ndarray | None = None
    for name, at_once in SEARCHES:
        found = np.array(
            [
                [regrets(name, at_once, problem, FIRST_SEED + seed) for seed in range(seeds)]
                for problem in among
            ]
        )
        alone = found if alone is None else alone
        # Tables differ a hundredfold in their regret: each is measured by that of one at a time.
        scale = alone.mean(axis=1, keepdims=True)[..., -1:]
        ends = (found / scale)[..., -1]
        yield {
            "search": name,
            "at once": at_once,
            "regret": (found / scale).mean(axis=(0, 1)).tolist(),
            "interval": np.array(bootstrap(ends)).tolist(),
            "more than one at a time": np.array(
                bootstrap(ends - (alone / scale)[..., -1])
            ).tolist(),
            "by table": dict(zip(among, found[..., -1].mean(axis=1).tolist(), strict=True)),
        }


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    rows = [
        [
            row["search"].removeprefix("kt_hpo "),
            row["at once"],
            *(f"{regret:.2f}" for regret in row["regret"]),
            "{:.2f} to {:.2f}".format(*row["interval"]),
            "{:+.2f} to {:+.2f}".format(*row["more than one at a time"]),
        ]
        for row in results["rows"]
    ]
    columns = {
        "search": "l", "at once": "r", **{f"at {share:.0%}": "r" for share in SHARES},
        "95 %": "r", "more than one at a time, 95 %": "r",
    }  # fmt: skip
    return (
        f"On {', '.join(results['problems'])}; {results['seeds']} seeds of each. The mean regret "
        "after a share of the trials (100 in all, 50 on learning curves), as a multiple of what "
        "TPE leaves at the end that is asked for one at a time; the intervals, bootstraps over "
        f"seeds, are of the end.\n\n{measuring.markdown(columns, rows)}"
    )


def run(options: argparse.Namespace) -> None:
    load, seeds = measuring.load(), measuring.repeats_of(options)
    among = problems()[:1] if options.quick else problems()
    rows: list[dict[str, Any]] = []
    for row in measured(seeds, among):
        rows.append(row)
        results = {"problems": among, "seeds": seeds, "rows": rows}
        measuring.write("at_once", options, load, **results)
        print(section(results), flush=True)


if __name__ == "__main__":
    run(measuring.arguments(__doc__, repeats=20).parse_args())
