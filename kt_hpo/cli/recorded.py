"""What the commands about a search that is there already have in common."""

from __future__ import annotations

import argparse
from typing import Any


def add_search_argument(command: argparse.ArgumentParser) -> None:
    """Adds the arguments that name a search.

    Args:
        command: The command.
    """
    command.add_argument(
        "search",
        help="folder of the search, of a running one too; its journal; the URL of a data base such "
        "as sqlite:///trials.db; or a folder that plain Keras Tuner wrote",
    )
    command.add_argument("--study-name", help="which search, where a data base holds several")


def named_search(options: argparse.Namespace) -> Any:
    """Gives the search that was named.

    Args:
        options: The parsed arguments.

    Returns:
        What `kt_hpo.open_study` takes, or the study itself.
    """
    from kt_hpo.startup import quiet_tensorflow

    if options.study_name is None:
        return options.search
    with quiet_tensorflow():
        from kt_hpo.studies import open_study

    return open_study(options.search, options.study_name)
