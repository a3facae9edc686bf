"""`kt-hpo dashboard`: Optuna's dashboard on a search, while it runs."""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import Any

from kt_hpo.cli.recorded import add_search_argument, named_search

_EPILOG = """\
examples:
  kt-hpo dashboard runs/demo
  kt-hpo dashboard runs/demo --port 0                  any port that is free
"""


def add_to(commands: Any) -> None:
    """Adds the command.

    Args:
        commands: The subparsers of the program.
    """
    command = commands.add_parser(
        "dashboard",
        help="show a search in the browser while it runs",
        description="Serve optuna-dashboard on a search, to this machine only. It changes nothing "
        "in the search and does not disturb it.",
        epilog=_EPILOG,
    )
    add_search_argument(command)
    command.add_argument(
        "--port", type=int, default=8080, metavar="N", help="0 for any free one; 8080"
    )
    command.set_defaults(run=serve, parser=command)


def serve(options: argparse.Namespace) -> None:
    """Serves until Ctrl-C.

    Args:
        options: The parsed arguments of `kt-hpo dashboard`.
    """
    from kt_hpo.startup import quiet_tensorflow

    with quiet_tensorflow():
        from kt_hpo.integrations.optuna_dashboard import address, make_dashboard
        from kt_hpo.record.studies import find_study

    study, _ = find_study(named_search(options))
    with make_dashboard(study, options.port) as server, suppress(KeyboardInterrupt):
        print(f"{study.study_name}: {address(server, study)} (Ctrl-C ends this)", flush=True)
        server.serve_forever()
