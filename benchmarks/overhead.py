"""Milliseconds that a trial costs beside its training: all that `search` does for it.

    python -m benchmarks.overhead [--counts 10 100 1000 10000] [--minutes 1] [--engines NAME ...]
        [--storages NAME ...]

By engine and storage, each in a process of its own, of a function of five hyperparameters that
takes no time itself: the median over the ten trials before each count, the processor's share of it
in this process as their mean; what the process has grown by at 1,000 trials, and what is on disk a
trial. An engine that cannot come to a count in its minutes goes on there with a search of trials
drawn at random, all but those ten. PostgreSQL is a server on this machine, with the settings it
comes with. Then what the Gaussian process of Keras Tuner takes there and here, trial for trial in
turns.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import math
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras_tuner
import optuna

from benchmarks import measuring
from benchmarks.engines import ENGINES, STORAGES, Engine, OptunaAlone, many, opened
from kt_hpo import oracles
from kt_hpo.training.memory import quick_collections

COUNTS = (10, 100, 1000, 10_000)
WINDOW = 10
ALONE = "Optuna alone, the same TPE"
PAIRS = [(ALONE, "memory"), *itertools.product(ENGINES, STORAGES)]


class OutOfTime(BaseException):
    """The minutes are over: nobody but the clock may catch it."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Ends what is inside once its time is over, wherever it is."""

    def end(*_: Any) -> None:
        raise OutOfTime

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except OutOfTime:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def megabytes() -> float:
    """What this process holds in memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def bytes_on_disk(folder: str) -> int:
    """What a storage holds; not what a server logs, to write it again after a crash."""
    files = (file for file in Path(folder).rglob("*") if "pg_wal" not in file.parts)
    return sum(file.stat().st_size for file in files if file.is_file())


def measure(
    engine: Engine | OptunaAlone, folder: str, counts: list[int], minutes: float
) -> dict[str, Any]:
    """Runs trials; tells what one takes at each count that is reached in time."""
    before, empty = megabytes(), bytes_on_disk(folder)
    seconds: list[float] = []
    names = ("milliseconds", "milliseconds of CPU", "drawn at random", "megabytes")
    found: dict[str, Any] = {name: {} for name in names}
    for count in sorted(counts):
        if seconds and WINDOW * count / len(seconds) * _latest(seconds) > 60 * minutes:
            break
        with limited(60 * minutes):
            cpu = run_up_to(count, engine, seconds, time.monotonic() + 60 * minutes)
        if len(seconds) < count:
            break
        found["milliseconds"][str(count)] = 1000 * _latest(seconds)
        found["milliseconds of CPU"][str(count)] = 1000 * cpu / WINDOW
        found["drawn at random"][str(count)] = sum(map(math.isnan, seconds))
        found["megabytes"][str(count)] = megabytes() - before
        found["kilobytes on disk a trial"] = (bytes_on_disk(folder) - empty) / count / 1000
    return found


def run_up_to(count: int, engine: Engine | OptunaAlone, seconds: list[float], end: float) -> float:
    """Runs the engine's trials, and some drawn at random if they would take too long.

    Returns the processor's seconds of the last ten.
    """
    while len(seconds) < count - WINDOW:
        if engine.learns and not _in_time(seconds, count, end):
            break
        seconds.append(engine.trial())
    missing = count - WINDOW - len(seconds)
    if missing > 0:
        engine.draw(missing - 1)
        engine.trial()  # Reads all trials anew, which a search does once.
        seconds += [math.nan] * missing
    before = time.process_time()
    while len(seconds) < count:
        seconds.append(engine.trial())
    return time.process_time() - before


def _in_time(seconds: list[float], count: int, end: float) -> bool:
    """Whether a count can be reached, if trials take no longer than the last."""
    return time.monotonic() + (count - len(seconds)) * _latest(seconds) < end


def _latest(seconds: list[float]) -> float:
    """What the last trials took."""
    return median(seconds[-WINDOW:]) if seconds else 0.0


class AsKerasTuner(oracles.BayesianOptimizationOracle):
    """Our record, and the thinking that Keras Tuner does."""

    def _start_recording(self, seed: int | None) -> None:
        super()._start_recording(seed)
        self.gpr = self._make_gpr()

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        return keras_tuner.oracles.BayesianOptimizationOracle.populate_space(self, trial_id)


def gaussian_processes(trials: int) -> dict[str, Any]:
    """Ours and Keras Tuner's, trial for trial in turns; the second half counts."""
    kinds = {"kt_hpo": oracles.BayesianOptimizationOracle, "Keras Tuner": AsKerasTuner}
    with tempfile.TemporaryDirectory() as folder:
        found = {
            name: Engine(many(kind), optuna.storages.InMemoryStorage(), folder)
            for name, kind in kinds.items()
        }
        rounds = [{name: one.trial() for name, one in found.items()} for _ in range(trials)]
    late = rounds[trials // 2 :]
    return {
        "trials": trials,
        "ratio": median(one["Keras Tuner"] / one["kt_hpo"] for one in late),
        **{name: measuring.spread([1000 * one[name] for one in late]) for name in kinds},
    }


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    rows = results["rows"]
    counts = sorted({int(count) for row in rows for count in row["milliseconds"]})
    most = counts[-1]
    cells = [
        [row["engine"], row["storage"], *(_told_at(str(count), row) for count in counts),
         _told(row.get("milliseconds of CPU", {}).get(str(most))),
         _told(row["megabytes"].get("1000")), _told(row.get("kilobytes on disk a trial"))]
        for row in rows
    ]  # fmt: skip
    columns = {"engine": "l", "storage": "l", **{f"ms at {c:,}": "r" for c in counts},
               f"CPU ms at {most:,}": "r", "MB at 1,000": "r",
               "kB on disk a trial": "r"}  # fmt: skip
    two = results["gaussian processes"]
    return (
        f"Each count has {results['minutes']:g} minutes. In italics where that many trials of the "
        "engine would take longer: those before the last ten are drawn at random, from where time "
        "was short. Empty where that takes longer too. Rows may be of several runs on one machine: "
        "`--engines` and `--storages` measure some again.\n\n"
        f"{measuring.markdown(columns, cells)}\n\nGaussian process, trials {two['trials'] // 2} to "
        f"{two['trials']}: {two['kt_hpo']['median']:.0f} ms, Keras Tuner's "
        f"{two['Keras Tuner']['median']:.0f} ms, **{two['ratio']:.1f} times** as long."
    )


def _told_at(count: str, row: dict[str, Any]) -> str:
    text = _told(row["milliseconds"].get(count))
    return f"*{text}*" if row["drawn at random"].get(count) else text


def _told(amount: float | None) -> str:
    return "" if amount is None else f"{amount:.1f}"


def row(engine: str, storage: str, counts: list[int], minutes: float) -> dict[str, Any]:
    """Measures an engine with a storage."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(storage, folder) as record,
        quick_collections(),  # As `search`.
    ):
        one = OptunaAlone() if engine == ALONE else Engine(ENGINES[engine], record, folder)
        return {"engine": engine, "storage": storage, **measure(one, folder, counts, minutes)}


def asked_for(options: argparse.Namespace) -> list[tuple[str, str]]:
    """The engines with the storages to measure them with; quickly, each of both once or more."""
    return [
        (engine, storage)
        for engine, storage in PAIRS
        if engine in options.engines
        and storage in options.storages
        and (not options.quick or storage == "memory" or engine == "RandomSearch")
    ]


def run(options: argparse.Namespace) -> None:
    """Measures the rows that are asked for; others keep what equal minutes have shown before."""
    load = measuring.load()
    counts = [10] if options.quick else options.counts
    before = measuring.read("overhead") or {}
    known = before["rows"] if before.get("minutes") == options.minutes else []
    rows = {(one["engine"], one["storage"]): one for one in known}
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    two = gaussian_processes(8 if options.quick else 40)
    with measuring.fresh_process("keras_tuner", "kt_hpo.oracles") as process:
        for pair in asked_for(options):
            rows[pair] = process(row, *pair, counts, options.minutes)
            print(rows[pair], flush=True)
            results = {
                "rows": [rows[one] for one in PAIRS if one in rows],
                "minutes": options.minutes,
                "gaussian processes": two,
            }
            measuring.write("overhead", options, load, **results)
    print(section(results))


def main() -> None:
    parser = measuring.arguments(__doc__)
    parser.add_argument("--counts", nargs="+", type=int, default=list(COUNTS))
    parser.add_argument("--minutes", type=float, default=1.0)
    names = [ALONE, *ENGINES]
    parser.add_argument("--engines", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--storages", nargs="+", choices=STORAGES, default=STORAGES)
    run(parser.parse_args())


if __name__ == "__main__":
    main()
