"""How the command line is read: argparse, that suggests the nearest name of what is not known."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, NoReturn

from kt_hpo._private_apis.argparse import option_names
from kt_hpo.arguments import did_you_mean
from kt_hpo.cli.options import GROUPS, Option

USAGE = 2
_WIDTH = 96


class Parser(argparse.ArgumentParser):
    """Reads the command line.

    A wrong word is one line, not the list of all options.

    Args:
        **kwargs: Those of `argparse.ArgumentParser`.

    Example:
        >>> Parser(prog="kt-hpo").parse_args([])
        Namespace()
    """

    def __init__(self, **kwargs: Any) -> None:
        shown: Any = partial(
            argparse.RawDescriptionHelpFormatter, max_help_position=28, width=_WIDTH
        )
        kwargs["description"] = textwrap.fill(kwargs.get("description", ""), _WIDTH)
        super().__init__(**{"allow_abbrev": False, "formatter_class": shown, **kwargs})

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """Reads arguments; ends the program with status 2 where one is not known."""
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            parser = getattr(parsed, "parser", self)
            word = unknown[0].split("=")[0]
            hint = did_you_mean(word, option_names(parser))
            parser.error(f"{word} is not understood.{hint}")
        return parsed

    def error(self, message: str) -> NoReturn:
        """Says what is wrong, and where to read on."""
        self.exit(USAGE, f"kt-hpo: {message}\n`{self.prog} --help` says what there is.\n")

    def check_command(self, arguments: Sequence[str], commands: Iterable[str]) -> None:
        """Suggests the nearest command where there is none of the name.

        Args:
            arguments: What follows the program's name.
            commands: The commands there are.
        """
        word = arguments[0] if arguments else "--help"
        if not word.startswith("-") and word not in commands:
            hint = did_you_mean(word, commands)
            self.error(f"there is no command {word!r}, but {', '.join(commands)}.{hint}")


def add_options(command: argparse.ArgumentParser, leave_out: Sequence[str] = ()) -> None:
    """Adds the options of a search, in groups.

    Args:
        command: The command.
        leave_out: Names of those that it does not take.
    """
    for group in GROUPS:
        options = [option for option in group.options if option.name not in leave_out]
        if options:
            add = command.add_argument_group(group.title).add_argument
            for option in options:
                _add(add, option)


def _add(add: Any, option: Option) -> None:
    """Adds an option, its value to be read where that of a file is read too."""
    how: dict[str, Any] = {
        "default": argparse.SUPPRESS,
        "help": option.described.replace("%", "%%"),
    }
    if option.kind.metavar == "true|false":
        add(option.flag, action="store_true", **how)
        return
    action = add(option.flag, metavar=option.kind.metavar, **how)
    if option.kind.names:
        names = option.kind.names
        action.completer = lambda **_: names
