"""What training more trials at once brings: seconds a trial of digits MLPs by k.

    python -m benchmarks.vectorized [--repeats 3]

The same trials each time, in turns; k = 1 trains them one by one in the same graph.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks import contenders, measuring
from benchmarks.cases import CASES

CASE = "digits MLP, one architecture"
SIZES = (1, 4, 16, 64, 256)
TRIALS = 256


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    seconds = results["seconds a trial"]
    alone = seconds["1"]["median"]
    rows = [
        [k, f"**{alone / one['median']:.1f}**", *(f"{one[key]:.3f}" for key in one)]
        for k, one in seconds.items()
    ]
    columns = {"k": "r", "times as fast": "r", "median, s a trial": "r", "least": "r", "most": "r"}
    return f"{results['trials']} trials of {CASE}.\n\n{measuring.markdown(columns, rows)}"


def main() -> None:
    options = measuring.arguments(__doc__, repeats=3).parse_args()
    load, trials = measuring.load(), 8 if options.quick else TRIALS
    runs = {
        str(k): partial(
            contenders.seconds_a_trial,
            partial(contenders.vectorized, k=k),
            CASES[CASE],
            # One by one they take long, and each as long as the next.
            min(trials, 16 * k),
            [],
        )
        for k in SIZES
        if k <= trials
    }
    seconds = measuring.in_turns(runs, measuring.repeats_of(options))
    results = {"trials": trials, "seconds a trial": seconds}
    measuring.write("vectorized", options, load, **results)
    print(section(results))


if __name__ == "__main__":
    main()
