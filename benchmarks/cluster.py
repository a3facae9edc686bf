"""What Ray costs beside workers: seconds of the same searches by Ray(n) and by Workers(n).

    python -m benchmarks.cluster [--repeats 5] [--trials 8 32]

Digits MLPs of five epochs, each trial on a core; Ray has started before, the processes of the
trials have not. Beside them Ray Tune as its documentation begins: a function, a process a trial.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# As the Ray that a search starts for itself.
os.environ.setdefault("RAY_worker_niceness", "0")

from benchmarks import contenders, measuring
from benchmarks.cases import CASES, Case
from kt_hpo.optional import require

CASE = replace(CASES["digits MLP, 12 architectures"], epochs=5)
MEMBERS: dict[str, Callable[..., contenders.Scores]] = {
    "Workers(1)": partial(contenders.workers, n=1),
    "Ray(1)": partial(contenders.on_ray, n=1),
    "Workers(2)": contenders.workers,
    "Ray(2)": contenders.on_ray,
    "Ray Tune by itself": contenders.with_ray,
}


def measure(trials: int, repeats: int) -> dict[str, Any]:
    """Times everyone on the same trials."""
    runs = {name: partial(seconds, run, CASE, trials) for name, run in MEMBERS.items()}
    return {"trials": trials, "seconds": measuring.in_turns(runs, repeats)}


def seconds(run: Callable[..., contenders.Scores], case: Case, trials: int) -> float:
    return contenders.seconds_a_trial(run, case, trials, []) * trials


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    parts = []
    for row in results["rows"]:
        base = row["seconds"]["Workers(2)"]["median"]
        lines = [
            [name, f"**{one['median'] / base:.2f}**", *(f"{one[key]:.1f}" for key in one)]
            for name, one in row["seconds"].items()
        ]
        columns = {"who": "l", "times Workers(2)": "r", "median, s": "r", "least": "r", "most": "r"}
        parts.append(f"{row['trials']} trials.\n\n{measuring.markdown(columns, lines)}")
    return "\n\n".join(parts)


def main() -> None:
    parser = measuring.arguments(__doc__)
    parser.add_argument("--trials", nargs="+", type=int, default=[8, 32])
    options = parser.parse_args()
    load, repeats = measuring.load(), measuring.repeats_of(options)
    ray = require("ray", "ray")
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        counts = [2] if options.quick else options.trials
        rows = [measure(trials, repeats) for trials in counts]
    finally:
        ray.shutdown()
    measuring.write("cluster", options, load, rows=rows)
    print(section({"rows": rows}))


if __name__ == "__main__":
    main()
