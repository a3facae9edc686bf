"""`kt-hpo report`: a search as one page."""

from __future__ import annotations

import argparse
from typing import Any

from kt_hpo.cli.recorded import add_search_argument, named_search

_EPILOG = """\
examples:
  kt-hpo report runs/demo
  kt-hpo report runs/first runs/second --output comparison.html
  kt-hpo report sqlite:///trials.db --study-name demo --output demo.html
"""


def add_to(commands: Any) -> None:
    """Adds the command.

    Args:
        commands: The subparsers of the program.
    """
    command = commands.add_parser(
        "report",
        help="write what a search found as one HTML page",
        description="Write what a search found as one HTML page that needs no network and no other "
        "file. The search may still be running.",
        epilog=_EPILOG,
    )
    add_search_argument(command)
    command.add_argument(
        "others", metavar="SEARCH", nargs="*", help="further searches, to compare with the first"
    )
    command.add_argument(
        "--output",
        metavar="FILE",
        help="the file to write (default: report.html in the search's folder; comparison.html "
        "here, where there are several)",
    )
    command.set_defaults(run=report, parser=command)


def report(options: argparse.Namespace) -> None:
    """Writes the page.

    Args:
        options: The parsed arguments of `kt-hpo report`.
    """
    search = named_search(options)
    from kt_hpo.reports import report as write_report

    print(f"Wrote {write_report(search, options.output)}")
