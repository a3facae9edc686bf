"""`kt-hpo completion`: has a shell complete commands, options and names."""

from __future__ import annotations

import argparse
from typing import Any

SHELLS = ("bash", "zsh", "fish")

_EPILOG = """\
examples:
  eval "$(kt-hpo completion bash)"                  in ~/.bashrc
  eval "$(kt-hpo completion zsh)"                   in ~/.zshrc, below compinit
  kt-hpo completion fish > ~/.config/fish/completions/kt-hpo.fish
"""


def add_to(commands: Any) -> None:
    """Adds the command.

    Args:
        commands: The subparsers of the program.
    """
    command = commands.add_parser(
        "completion",
        help="print what makes a shell complete this program's words",
        description="Print what makes a shell complete commands, options and names.",
        epilog=_EPILOG,
    )
    command.add_argument("shell", metavar="SHELL", help=", ".join(SHELLS)).completer = _shells
    command.set_defaults(run=show, parser=command)


def show(options: argparse.Namespace) -> None:
    """Prints the code for a shell.

    Args:
        options: The parsed arguments of `kt-hpo completion`.
    """
    from argcomplete import shellcode

    from kt_hpo.cli.values import name

    try:
        shell = name(SHELLS).read(options.shell)
    except ValueError as error:
        raise ValueError(f"completion for {options.shell!r} is not there; {error}") from None
    print(shellcode(["kt-hpo"], shell=shell))


def complete(parser: argparse.ArgumentParser) -> None:
    """Answers a shell that asks how a line may go on, and ends the program.

    Args:
        parser: What reads the line.
    """
    import argcomplete

    argcomplete.autocomplete(parser)


def _shells(**_: Any) -> tuple[str, ...]:
    return SHELLS
