"""Where the time of the searches goes: building, tracing, arithmetic, record.

    python -m benchmarks.time_spent [--searches NAME ...] [--repeats 3]

Ours alone, the searches of `benchmarks.searches`, each once before it is measured. What one part
calls of another counts for that other alone. Seconds of the processor are of all threads.
"""

from __future__ import annotations

import gc
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import kt_hpo
from benchmarks import measuring, searches
from kt_hpo import tuner
from kt_hpo.execution import dispatcher
from kt_hpo.training import callbacks, checkpoints
from kt_hpo.training.compiled import reuse, training

REST = "the rest"
# The arithmetic of a first call has TensorFlow make the graph ready.
PARTS: dict[str, list[tuple[Any, str]]] = {
    "checks before": [(tuner, "check_search")],
    "building": [
        (kt_hpo.Tuner, "_try_build"),
        (training, "prepare"),
        (training, "build_optimizer"),
        (reuse, "_complete"),
    ],
    "tracing": [(training.EpochProgram, "__init__")],
    "training": [(training._Training, "_train_epoch")],
    "validation": [(training._Training, "_validate")],
    "comparing models": [(reuse.KeptPrograms, name) for name in ("find", "add", "data_of")],
    "weights kept": [
        (checkpoints, "save"),
        (checkpoints, "go_on_from"),
        (checkpoints.State, "__init__"),
        (checkpoints.State, "save"),
        (callbacks.BestWeights, "on_epoch_end"),
    ],
    "record": [
        *((dispatcher.Dispatcher, name) for name in ("next", "begin", "end")),
        *((kt_hpo.Tuner, name) for name in ("report", "annotate")),
    ],
    "memory freed": [(keras.utils, "clear_session")],
}
COLUMNS = [*PARTS, REST]


class Clock:
    """Counts seconds for one part at a time, the innermost.

    Attributes:
        wall: Seconds by part.
        processor: Those of the processor.
    """

    def __init__(self) -> None:
        self.wall: dict[str, float] = defaultdict(float)
        self.processor: dict[str, float] = defaultdict(float)
        self._parts = [REST]
        self._since = time.perf_counter(), time.process_time()

    def begin(self, part: str) -> None:
        """Begins a part within the one of now."""
        self.stop()
        self._parts.append(part)

    def end(self) -> None:
        """Ends the part of now."""
        self.stop()
        self._parts.pop()

    def stop(self) -> None:
        """Counts until now."""
        now = time.perf_counter(), time.process_time()
        self.wall[self._parts[-1]] += now[0] - self._since[0]
        self.processor[self._parts[-1]] += now[1] - self._since[1]
        self._since = now

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Has a function count for a part."""

        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            self.begin(part)
            try:
                return function(*args, **kwargs)
            finally:
                self.end()

        return timed


@contextmanager
def clocked() -> Iterator[Clock]:
    """Counts what all parts take meanwhile; garbage collections count as freeing memory."""
    clock = Clock()

    def collects(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            clock.begin("memory freed")
        else:
            clock.end()

    with ExitStack() as patches:
        for part, functions in PARTS.items():
            for owner, name in functions:
                timed = clock.timed(part, getattr(owner, name))
                patches.enter_context(mock.patch.object(owner, name, timed))
        gc.callbacks.append(collects)
        patches.callback(gc.callbacks.remove, collects)
        yield clock
        clock.stop()


def measure(name: str, search: searches.Search, repeats: int) -> dict[str, Any]:
    """Counts the seconds of a search, the median of each part over some rounds."""
    searches.ours(search, [])
    walls, processors = [], []
    for _ in range(repeats):
        with clocked() as clock:
            searches.ours(search, [])
        walls.append([clock.wall[part] for part in COLUMNS])
        processors.append([clock.processor[part] for part in COLUMNS])

    def medians(found: list[list[float]]) -> dict[str, float]:
        return dict(zip(COLUMNS, np.median(found, axis=0).tolist(), strict=True))

    return {
        "search": name,
        "about": search.about,
        "repeats": repeats,
        "wall": medians(walls),
        "processor": medians(processors),
    }


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    rows = [
        [
            row["about"],
            f"{sum(row['wall'].values()):.1f}",
            f"{sum(row['processor'].values()):.1f}",
            *(f"{row['wall'][part]:.2f}" for part in COLUMNS),
        ]
        for row in results["rows"]
    ]
    columns = {"search": "l", "s": "r", "s, processor": "r"} | dict.fromkeys(COLUMNS, "r")
    return (
        "Seconds of whole searches as people write them, by the parts they are spent in; training "
        "and validation are the arithmetic, and the first calls of a graph.\n\n"
        + measuring.markdown(columns, rows)
    )


def main() -> None:
    parser = measuring.arguments(__doc__, repeats=3)
    known = searches.SEARCHES
    parser.add_argument("--searches", nargs="+", choices=known, default=list(known))
    options = parser.parse_args()
    load = measuring.load()
    for name in options.searches[:1] if options.quick else options.searches:
        row = measure(name, known[name], measuring.repeats_of(options))
        print(section({"rows": [row]}), flush=True)
        measuring.write_row("time_spent", options, load, row, "search", order=known)


if __name__ == "__main__":
    main()
