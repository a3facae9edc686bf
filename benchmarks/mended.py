"""The worst spots that profiles of these benchmarks showed: as they were, and mended.

    python -m benchmarks.mended [--repeats 5]

Each in turns, as it was and as it is, in a fresh process. As it was means what stood there: the TPE
as Optuna has it, the Gaussian process as Keras Tuner calculates it, the differential evolution of
bayesian-optimization, one group of trials at a time, and garbage collections that look at
everything.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from optuna.storages import InMemoryStorage

from benchmarks import contenders, engines, measuring, overhead
from benchmarks.cases import CASES
from kt_hpo import oracles
from kt_hpo.engines import bayesopt_search, optuna_search
from kt_hpo.execution import inline as one_by_one
from kt_hpo.training.vectorized import engine

ONE, TWELVE = "digits MLP, one architecture", "digits MLP, 12 architectures"


def tpe(as_it_was: bool, trials: int = 1000) -> float:
    """Milliseconds of an ask and a tell."""
    if as_it_was:
        optuna_search.quick = lambda sampler: sampler
    return late_milliseconds(oracles.OptunaSearchOracle, trials)


def gaussian_process(as_it_was: bool, trials: int = 40) -> float:
    """Milliseconds of an ask and a tell."""
    kind = overhead.AsKerasTuner if as_it_was else oracles.BayesianOptimizationOracle
    return late_milliseconds(kind, trials)


def late_milliseconds(kind: Callable[..., Any], trials: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        engine = engines.Engine(engines.many(kind), InMemoryStorage(), folder)
        seconds = [engine.trial() for _ in range(trials)]
    return 1000 * statistics.median(seconds[-overhead.WINDOW :])


def bayesopt(as_it_was: bool, trials: int = 100) -> float:
    """Milliseconds of an ask and a tell."""
    if as_it_was:
        bayesopt_search.quicken = lambda acquisition: None
        bayesopt_search.threadpool_limits = nullcontext
    return late_milliseconds(oracles.BayesOptSearchOracle, trials)


def groups(as_it_was: bool, trials: int = 64) -> float:
    """Milliseconds a trial of a search that trains all of them vectorized."""
    if as_it_was:
        engine.Engine._groups_at_once = lambda self: 1
    return 1000 * contenders.seconds_a_trial(contenders.vectorized, CASES[TWELVE], trials, [])


def inline(as_it_was: bool, trials: int = 8) -> float:
    """Milliseconds a trial of a search that trains one after the other."""
    if as_it_was:
        one_by_one.quick_collections = nullcontext
    return 1000 * contenders.seconds_a_trial(contenders.inline, CASES[ONE], trials, [])


SPOTS: dict[str, tuple[Callable[..., float], str, str]] = {
    "TPE, at 1,000 trials": (
        tpe,
        "all trials read and parted anew for each hyperparameter, the normal distribution number "
        "by number in Python",
        "read once, parted once, whole arrays (`_private_apis/optuna_tpe.py`)",
    ),
    "Gaussian process, at 40 trials": (
        gaussian_process,
        "threads that wait for each other over matrices of a few numbers, single points checked by "
        "scikit-learn, slopes by differences",
        "one thread, the plain arithmetic, slopes calculated (`oracles/gaussian_process.py`)",
    ),
    "bayesian-optimization, at 100 trials": (
        bayesopt,
        "differential evolution and descents that ask for one point after the other, threads that "
        "wait for each other",
        "a generation and a slope at a time, one thread (`oracles/acquisition.py`)",
    ),
    f"vectorized trials, {TWELVE}": (
        groups,
        "processors that wait while the next group is built and traced",
        "two groups at a time, as generators (`training/vectorized/turns.py`)",
    ),
    f"one trial after the other, {ONE}": (
        inline,
        "garbage collections after each trial, which look at all that Keras and TensorFlow made "
        "when they were imported",
        "what is there before a search is left out of them (`training/memory.py`)",
    ),
}


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    rows = []
    for name, (_, slow, mended) in SPOTS.items():
        before, after = results["milliseconds a trial"][name].values()
        ratio = before["median"] / after["median"]
        rows.append([name, slow, measuring.told(before, 0), mended, measuring.told(after, 0),
                     f"**{ratio:.1f}**"])  # fmt: skip
    columns = {"where": "l", "what was slow": "l", "before, ms a trial": "r", "mended by": "l",
               "after, ms a trial": "r", "times as fast": "r"}  # fmt: skip
    return measuring.markdown(columns, rows)


def main() -> None:
    options = measuring.arguments(__doc__).parse_args()
    load, found = measuring.load(), {}
    with measuring.fresh_process("benchmarks.contenders", "benchmarks.overhead") as process:
        for name, (spot, *_) in SPOTS.items():
            print(name, flush=True)
            if options.quick:
                spot = partial(spot, trials=2)
            runs = {
                "before": partial(process, spot, True),
                "after": partial(process, spot, False),
            }
            found[name] = measuring.in_turns(runs, measuring.repeats_of(options))
    results = {"milliseconds a trial": found}
    measuring.write("mended", options, load, **results)
    print(section(results))


if __name__ == "__main__":
    main()
