"""The command line: `kt-hpo search`, `report`, `export`, `dashboard`, a file each."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import kt_hpo
from kt_hpo.cli import dashboard, export, report, search

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
COMMANDS = (search, report, export, dashboard)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        arguments: What follows `kt-hpo`; the program's own arguments if not given.

    Returns:
        The exit status: 0 done, 1 the search failed, 2 wrong arguments or data, 130 interrupted.

    Example:
        >>> main(["search", "--data", "digits", "--model", "transformer", "--directory", "runs"])
        2
    """
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except KeyboardInterrupt:
        print("Interrupted. The same command goes on from here.", file=sys.stderr)
        return INTERRUPTED
    except (ValueError, OSError, ImportError) as error:
        print(f"kt-hpo: {error}", file=sys.stderr)
        return USAGE
    except RuntimeError as error:
        print(f"kt-hpo: {error}", file=sys.stderr)
        return FAILED
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kt-hpo", description="Hyperparameter optimization for Keras."
    )
    parser.add_argument("--version", action="version", version=f"kt-hpo {kt_hpo.__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in COMMANDS:
        command.add_to(commands)
    return parser
