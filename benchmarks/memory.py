"""Megabytes that searches as people write them take: ours as it is by default, and Keras Tuner's.

    python -m benchmarks.memory [--searches NAME ...] [--trials 500]

The most that a process takes which does nothing but one of the searches of `benchmarks.searches`;
then what a process has grown by in so many trials of Keras Tuner's guide, an epoch each, after the
first twenty.
"""

from __future__ import annotations

import os
import resource
import tempfile
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras_tuner

import kt_hpo
from benchmarks import measuring, overhead, searches

RUNS = {"kt_hpo": searches.ours, "Keras Tuner": searches.theirs}
# Trials after which what is kept for all of them is there.
WARM = 20


def peak(who: str, name: str) -> float:
    """The most megabytes of this process, after a search."""
    search = searches.SEARCHES[name]
    search.data()
    RUNS[who](search, [])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def growth(trials: int) -> dict[str, float]:
    """The megabytes of this process after some numbers of trials, in one search."""
    (x, y), validation = searches.digits()
    found = {}

    class Measured(kt_hpo.RandomSearch):
        def on_trial_end(self, trial: keras_tuner.engine.trial.Trial) -> None:
            super().on_trial_end(trial)
            count = len(self.oracle.end_order)
            if count % max(trials // 10, 1) == 0 or count == WARM:
                found[str(count)] = overhead.megabytes()

    with tempfile.TemporaryDirectory() as directory:
        tuner = Measured(
            searches.getting_started,
            "val_accuracy",
            max_trials=trials,
            seed=0,
            directory=directory,
            early_stopping=None,
        )
        tuner.search(x[:640], y[:640], validation_data=validation, epochs=1, verbose=0)
    return found


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    lines = [
        [
            searches.SEARCHES[row["search"]].about,
            *(f"{row['megabytes'][who]:.0f}" for who in RUNS),
            f"{row['megabytes']['kt_hpo'] / row['megabytes']['Keras Tuner']:.2f}",
        ]
        for row in results["rows"]
    ]
    columns = {"search": "l", "MB, kt_hpo": "r", "MB, Keras Tuner": "r", "of Keras Tuner's": "r"}
    grown = results["growth"]
    first, *_, last = grown
    return (
        "The most that a process took which did nothing but one search.\n\n"
        f"{measuring.markdown(columns, lines)}\n\n"
        f"One process in {last} trials of Keras Tuner's guide: {grown[first]:.0f} MB after "
        f"{first} trials, {grown[last]:.0f} MB after {last}."
    )


def main() -> None:
    parser = measuring.arguments(__doc__)
    parser.add_argument(
        "--searches", nargs="+", choices=searches.SEARCHES, default=list(searches.SEARCHES)
    )
    parser.add_argument("--trials", type=int, default=500)
    options = parser.parse_args()
    names, trials = options.searches, options.trials
    if options.quick:
        names, trials = names[:1], 2 * WARM
    load, rows = measuring.load(), []
    with measuring.fresh_process() as alone:
        for name in names:
            rows.append(
                {"search": name, "megabytes": {who: alone(peak, who, name) for who in RUNS}}
            )
            print(rows[-1], flush=True)
        grown = alone(growth, trials)
    measuring.write("memory", options, load, rows=rows, growth=grown)
    print(section({"rows": rows, "growth": grown}))


if __name__ == "__main__":
    main()
