"""Lets every library search every table, with 30 seeds each; goes on where it was interrupted.

    python -m benchmarks.quality.run [--seeds 30] [--minutes 20] [--libraries NAME ...]
                                     [--kept-aside]

A search has the epochs of 100 full trainings (50 on learning curves), and may spend them on fewer
or more trainings by pruning. What each search held from when on is kept in
`benchmarks/results/quality/`, a file a library, so that runs add up. Searches that think for long
come last. Two tables are kept aside, for nobody to tune to them: they are searched, and reported
beside the others, with `--kept-aside`, at the end of a change.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import measuring
from benchmarks.quality.libraries import LIBRARIES, search
from benchmarks.quality.problems import EVERY, KEPT_ASIDE, PROBLEMS, Problem
from benchmarks.quality.task import Task

FOLDER = measuring.RESULTS / "quality"
# Prime, and more than any search has trials: Keras Tuner counts on from its seed.
APART = 1_000_003
QUICK = ("HPOBench-MLP phoneme", "NAS-Bench-201 cifar10", "digits_mlp loss")


def file_of(library: str) -> Path:
    """Where the searches of a library are kept."""
    return FOLDER / f"{library.replace(' ', '_').replace(',', '')}.json"


def known(library: str) -> dict[str, dict[str, Any]]:
    """What a library's searches held: by problem and seed, pairs of epochs and regret."""
    file = file_of(library)
    return json.loads(file.read_text()) if file.exists() else {}


def fits(library: str, problem: Problem) -> bool:
    """Whether a library has anything to do with a problem."""
    one = LIBRARIES[library]
    choices = any(not dimension.ordered for dimension in problem.space.dimensions)
    return (problem.epochs > 1 or not one.needs_curves) and (one.takes_choices or not choices)


def missing(
    libraries: list[str], problems: list[str], seeds: int
) -> Iterator[tuple[str, str, int]]:
    """The searches to be made: the quick libraries first, all of one seed before the next."""
    for thinks in sorted({LIBRARIES[name].thinks for name in libraries}):
        some = [name for name in libraries if LIBRARIES[name].thinks == thinks]
        for seed in range(seeds):
            for name in some:
                made = known(name)
                for problem in problems:
                    if str(seed) not in made.get(problem, {}) and fits(name, EVERY[problem]()):
                        yield name, problem, seed


def searched(library: str, problem: str, seed: int) -> list[tuple[int, float]]:
    """Makes a search; gives what it held from when on."""
    task = Task(EVERY[problem](), seed)
    search(library, task, APART * (seed + 1))
    return [(spent, float(f"{regret:.5g}")) for spent, regret in task.improvements]


def main() -> None:
    parser = measuring.arguments(__doc__)
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--libraries", nargs="+", choices=list(LIBRARIES), default=list(LIBRARIES))
    parser.add_argument("--problems", nargs="+", choices=list(EVERY))
    parser.add_argument("--kept-aside", action="store_true", help="search the tables kept aside")
    options = parser.parse_args()
    run(options)


def chosen(options: argparse.Namespace) -> list[str]:
    """The names of the problems to search."""
    some = KEPT_ASIDE if options.kept_aside else PROBLEMS
    return options.problems or [
        name for name in some if not options.quick or name.startswith(QUICK)
    ]


def run(options: argparse.Namespace) -> None:
    """Makes the searches that are missing, for as long as there is time."""
    load = measuring.load()
    problems = chosen(options)
    seeds = options.seeds or (1 if options.quick else 30)
    end = time.monotonic() + 60 * (0.4 if options.quick else options.minutes)
    FOLDER.mkdir(parents=True, exist_ok=True)
    thought: dict[str, list[float]] = {}
    for library, problem, seed in missing(options.libraries, problems, seeds):
        if time.monotonic() > end:
            break
        with measuring.timed() as seconds:
            found = searched(library, problem, seed)
        thought.setdefault(library, []).append(seconds())
        made = known(library)
        made.setdefault(problem, {})[str(seed)] = found
        file_of(library).write_text(json.dumps(made, separators=(",", ":")) + "\n")
        print(f"{library}, {problem}, seed {seed}: {seconds():.1f} s", flush=True)
    measuring.write("quality", options, load, searches={n: len(s) for n, s in thought.items()})


if __name__ == "__main__":
    main()
