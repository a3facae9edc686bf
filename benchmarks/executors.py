"""Seconds of searches as people write them, by what runs their trials.

    python -m benchmarks.executors [--searches NAME ...] [--times 1] [--alike] [--repeats 3]

The searches of `benchmarks.searches`, ours alone: the same values, data, epochs and seeds for all,
in turns, each search in a process of its own; medians of whole searches, the start of workers
included.
`--times 4` lists four times as many trials, so that starting workers counts for less; with
`--alike` their models are of one architecture, that of the first trial: only what is a `Float`
differs.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import kt_hpo
from benchmarks import measuring, searches

EXECUTORS: dict[str, Any] = {
    "default": None,
    "one by one": kt_hpo.Inline(),
    "auto": "auto",
    "one graph": kt_hpo.Vectorized(),
    "two processes": 2,
}


def measure(name: str, times: int, alike: bool, repeats: int) -> dict[str, Any]:
    """Times a search by each executor."""
    search = searches.SEARCHES[name]
    search = replace(search, trials=search.trials * times)
    options = {"values": of_one_architecture(search)} if alike else {}
    runs = {
        who: partial(
            searches.run, kt_hpo, search, [], early_stopping=None, executor=executor, **options
        )
        for who, executor in EXECUTORS.items()
    }
    warm_up(search)
    seconds = measuring.in_turns(runs, repeats)
    return {
        "search": name,
        "about": search.about,
        "trials": search.trials,
        "alike": alike,
        "repeats": repeats,
        "seconds": seconds,
    }


def warm_up(search: searches.Search) -> None:
    """Has loaded what the first search of a process loads."""
    search.data()
    small = replace(searches.SEARCHES["several-inputs"], trials=1, epochs=1)
    searches.run(kt_hpo, small, [], early_stopping=None)


def of_one_architecture(search: searches.Search) -> list[dict[str, Any]]:
    """Values of which only those of a `Float` differ."""
    first, *others = searches.values_of(search.build, search.trials)
    numbers = [name for name, value in first.items() if type(value) is float]
    return [
        first,
        *(first | {name: one.get(name, first[name]) for name in numbers} for one in others),
    ]


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    lines = []
    for row in results["rows"]:
        medians = {who: found["median"] for who, found in row["seconds"].items()}
        best = min(medians.values())
        lines.append(
            [
                row["about"] + ("; of one architecture" if row["alike"] else ""),
                row["trials"] or "Hyperband's",
                *(f"**{s:.1f}**" if s == best else f"{s:.1f}" for s in medians.values()),
                *(f"{medians[who] / best:.2f}" for who in ("default", "auto")),
                row["repeats"],
            ]
        )
    columns = {"search": "l", "trials": "r", **{f"s, {who}": "r" for who in EXECUTORS}}
    columns |= {"default by the best": "r", "auto by the best": "r", "rounds": "r"}
    return (
        "Whole searches, the median of the rounds: by default, with `Inline()`, with "
        '`executor="auto"`, with `Vectorized()` and with two worker processes, their start '
        "included. Of one architecture are trials that differ in no more than the values of "
        "`Float`.\n\n" + measuring.markdown(columns, lines)
    )


def main() -> None:
    parser = measuring.arguments(__doc__, repeats=3)
    known = searches.SEARCHES
    parser.add_argument("--searches", nargs="+", choices=known, default=list(known))
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--alike", action="store_true")
    options = parser.parse_args()
    load, rows = measuring.load(), []
    # Hyperband's values cannot be listed.
    names = [name for name in options.searches if known[name].trials or not options.alike]
    for name in names[:1] if options.quick else names:
        print(name, flush=True)
        with measuring.fresh_process() as alone:
            repeats = measuring.repeats_of(options)
            row = alone(measure, name, options.times, options.alike, repeats)
        keys = "search", "trials", "alike"
        rows = measuring.write_row("executors", options, load, row, *keys, order=known)
    print(section({"rows": rows}))


if __name__ == "__main__":
    main()
