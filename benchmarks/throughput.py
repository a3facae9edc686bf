"""Seconds a trial: ours, the peers, a loop by hand, and the compiled graph alone.

    python -m benchmarks.throughput [--cases NAME ...] [--repeats 3]

The same values, data and epochs for all, in turns, in one process; medians. Who trains one trial
after the other runs the first few only, as each takes about as long as the next; two at once run
twice as many, their start included. The graph alone is what the compiled epochs of vectorized
trials take, nothing else: no implementation on these kernels can be quicker.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import scipy.stats

from benchmarks import contenders, measuring
from benchmarks.cases import CASES, Case

# What a contender needs, where that may be missing.
PACKAGES = {
    "Optuna + Keras": "optuna_integration",
    "Ray Tune": "ray",
    "kt_hpo, Ray(2)": "ray",
    "Keras Tuner": "tensorboard",
}
QUICK = {"peer_trials": 1, "trials": 8, "epochs": 3}


def there(name: str) -> bool:
    package = PACKAGES.get(name)
    return package is None or package in sys.modules or find_spec(package) is not None


def measure(name: str, case: Case, repeats: int, processes: bool = True) -> dict[str, Any]:
    """Lets everyone train the trials of a case, also those who start processes if wanted."""
    scores: dict[str, list[float]] = {}
    trials: dict[str, int] = {}
    runs: dict[str, Callable[[], float]] = {}
    groups = (
        (contenders.ONE_BY_ONE, case.peer_trials),
        (contenders.TWO_AT_ONCE if processes else {}, 2 * case.peer_trials),
        (contenders.ALL_AT_ONCE, case.trials),
    )
    for members, count in groups:
        for one, run in members.items():
            if there(one):
                scores[one], trials[one] = [], count
                runs[one] = partial(contenders.seconds_a_trial, run, case, count, scores[one])
    runs["the graph alone"] = partial(graph, case)
    trials["the graph alone"] = case.trials
    seconds = measuring.in_turns(runs, repeats)
    return {
        "case": name,
        "goal": case.goal,
        "epochs": case.epochs,
        "seconds a trial": seconds,
        "trials": trials,
        "not installed": [one for one in PACKAGES if not there(one)],
        **agreement(scores, case.peer_trials),
    }


def graph(case: Case) -> float:
    return contenders.graph(case, case.values(case.trials)) / case.trials


def agreement(scores: dict[str, list[float]], trials: int) -> dict[str, float]:
    """Whether vectorized trials score as Keras Tuner's do, values by values."""
    if "Keras Tuner" not in scores:
        return {}
    ours, theirs = scores["kt_hpo, Vectorized"][:trials], scores["Keras Tuner"][:trials]
    return {
        "mean difference of paired scores": float(np.mean(np.subtract(ours, theirs))),
        "Kolmogorov-Smirnov p": float(scipy.stats.ks_2samp(ours, theirs).pvalue),
    }


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    parts = [
        "Times faster than Keras Tuner, and seconds a trial: the median, and in brackets the least "
        "and the most."
    ]
    for row in results["rows"]:
        seconds = row["seconds a trial"]
        base = seconds.get("Keras Tuner", seconds["loop by hand"])["median"]
        lines = [
            [
                name,
                f"**{base / one['median']:.1f}**",
                measuring.told(one),
                row["trials"][name],
                row["epochs"],
            ]
            for name, one in sorted(seconds.items(), key=lambda pair: -pair[1]["median"])
        ]
        lines += [[name, "not installed", "", "", ""] for name in row["not installed"]]
        columns = {"who": "l", "times faster": "r", "s a trial": "r", "trials": "r", "epochs": "r"}
        parts += [f"### {row['case']}", f"`{row['command']}`", measuring.markdown(columns, lines)]
        if "Kolmogorov-Smirnov p" in row:
            parts.append(
                f"Goal for vectorized trials: {row['goal']:g} times. Their scores less Keras "
                f"Tuner's: {row['mean difference of paired scores']:+.3f} in the mean, "
                f"Kolmogorov-Smirnov p = {row['Kolmogorov-Smirnov p']:.2f}."
            )
    return "\n\n".join(parts)


def main() -> None:
    parser = measuring.arguments(__doc__, repeats=3)
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES))
    options = parser.parse_args()
    load, rows = measuring.load(), []
    cases = options.cases[:1] if options.quick else options.cases
    for name in cases:
        print(name, flush=True)
        case = replace(CASES[name], **QUICK) if options.quick else CASES[name]
        # Quickly, `cluster` lets those with processes work, and that is enough.
        row = measure(name, case, measuring.repeats_of(options), not options.quick)
        rows = measuring.write_row("throughput", options, load, row, "case", order=CASES)
    print(section({"rows": [row for row in rows if row["case"] in cases]}))


if __name__ == "__main__":
    main()
