"""`kt-hpo status`: where a search stands, while it runs too."""

from __future__ import annotations

import argparse
import json
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kt_hpo.cli.recorded import Recorded, add_search_argument, named_search
from kt_hpo.cli.settings import FILE_NAME
from kt_hpo.startup import quiet_tensorflow

if TYPE_CHECKING:
    from kt_hpo.record.status import OpenTrial, SearchStatus

_EPILOG = """\
examples:
  kt-hpo status runs/demo
  kt-hpo status runs/demo --watch                again every two seconds, until it ends
  kt-hpo status runs/demo --json | jq .left      seconds that it will take still
"""
_FRONT = 5
# Seconds between two looks.
_PAUSE = 2.0


def add_to(commands: Any) -> None:
    """Adds the command.

    Args:
        commands: The subparsers of the program.
    """
    command = commands.add_parser(
        "status",
        help="say where a search stands, while it runs too",
        description="Say where a search stands: its state, its trials, its best value, its pace "
        "and how long it will take. It is not disturbed.",
        epilog=_EPILOG,
    )
    add_search_argument(command)
    command.add_argument("--json", action="store_true", help="print it for programs")
    command.add_argument(
        "--watch", action="store_true", help="show it again every two seconds, until it ends"
    )
    command.set_defaults(run=show, parser=command)


def show(options: argparse.Namespace) -> None:
    """Prints where a search stands.

    Args:
        options: The parsed arguments of `kt-hpo status`.
    """
    with quiet_tensorflow():
        from kt_hpo.record.status import search_status

    if options.watch and options.json:
        raise ValueError("--watch and --json exclude each other: give one of them.")
    search = named_search(options)
    if options.watch:
        with suppress(KeyboardInterrupt):
            _watch(search, options.search)
        return
    summary = search_status(search)
    print(
        json.dumps(summary.as_dict(), indent=1) if options.json else _page(summary, options.search)
    )


def _watch(search: Recorded, name: str) -> None:
    """Shows where a search stands in one place until it ends, and leaves where it ended."""
    from rich.live import Live
    from rich.text import Text

    from kt_hpo.record.status import search_status

    with Live(auto_refresh=False, transient=True) as live:
        while (summary := search_status(search)).state not in ("finished", "stopped"):
            if live.console.is_terminal:
                page = Text(_page(summary, name), no_wrap=True, overflow="ellipsis")
                live.update(page, refresh=True)
            time.sleep(_PAUSE)
    print(_page(summary, name))


def _page(summary: SearchStatus, name: str) -> str:
    lines = [f"  {name:<10}{words}" for name, words in _lines(summary, name)]
    return "\n".join([f"{name}: {summary.state}", *lines])


def _lines(summary: SearchStatus, search: str) -> list[tuple[str, str]]:
    """What is known, a line each, with its name."""
    from kt_hpo.formatting import clock, short, values_in_words

    lines = [("trials", _trials(summary))]
    if summary.epochs:
        lines.append(("epochs", "{:,} of {:,}".format(*summary.epochs)))
    for best in summary.best[:_FRONT]:
        values = ", ".join(f"{name} {short(value)}" for name, value in best.values.items())
        lines.append(("best", f"{values} in trial {best.number}"))
        lines.append(("", values_in_words(best.params)))
    if len(summary.best) > _FRONT:
        lines.append(("", f"and {len(summary.best) - _FRONT} more that none is better than"))
    if summary.level:
        lines.append(("", summary.level))
    if summary.pace:
        lines.append(("pace", _pace(summary.pace)))
    if summary.left is not None:
        lines.append(("left", f"about {clock(summary.left)}"))
    if summary.state != "stopped":
        lines += [("running", _open(trial)) for trial in summary.open]
    if summary.state == "stopped":
        lines.append(("go on", _how_to_go_on(search)))
    return lines


def _how_to_go_on(search: str) -> str:
    if Path(search, FILE_NAME).is_file():
        return f"kt-hpo resume {search}"
    return "run the program again that began it"


def _trials(summary: SearchStatus) -> str:
    counts = summary.counts
    total = f"{counts.total} of {summary.planned}" if summary.planned else str(counts.total)
    begun = "to begin again" if summary.state == "stopped" else "running"
    words = {"pruned": counts.pruned, "failed": counts.failed, begun: len(summary.open)}
    parts = [f"{counts.complete} complete"] + [f"{n} {word}" for word, n in words.items() if n]
    return f"{total}: {', '.join(parts)}"


def _pace(an_hour: float) -> str:
    """The pace in the unit that gives a handy number."""
    if an_hour >= 600:
        return f"{an_hour / 60:.3g} trials a minute"
    return f"{an_hour:.3g} trials an hour"


def _open(trial: OpenTrial) -> str:
    from kt_hpo.formatting import clock, short

    parts = [f"trial {trial.number}"]
    if trial.value is not None:
        parts.append(f"epoch {trial.epochs}, {short(trial.value)}")
    if trial.since is not None:
        parts.append(f"for {clock((datetime.now() - trial.since).total_seconds())}")
    return ", ".join(parts)
