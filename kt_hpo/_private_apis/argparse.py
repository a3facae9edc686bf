"""What Python's parser of arguments keeps to itself."""

from __future__ import annotations

import argparse


def option_names(parser: argparse.ArgumentParser) -> list[str]:
    """Lists the options of a parser.

    Args:
        parser: The parser.

    Returns:
        The names, dashes included; none without the name of today.

    Example:
        >>> parser = argparse.ArgumentParser(add_help=False)
        >>> _ = parser.add_argument("--seed", "-s")
        >>> option_names(parser)
        ['--seed', '-s']
    """
    return list(getattr(parser, "_option_string_actions", {}))
