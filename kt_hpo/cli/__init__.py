"""The command line, a file a command; `options.py` says what can be set of a search."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import kt_hpo
from kt_hpo.cli import (
    completion,
    dashboard,
    export,
    import_,
    predict,
    report,
    resume,
    search,
    status,
)
from kt_hpo.cli.parser import USAGE, Parser

OK, FAILED, MISSING, INTERRUPTED = 0, 1, 3, 130
COMMANDS = {
    "search": search,
    "resume": resume,
    "status": status,
    "report": report,
    "predict": predict,
    "export": export,
    "dashboard": dashboard,
    "import": import_,
    "completion": completion,
}

_EPILOG = """\
examples:
  kt-hpo search --data mnist5k --model cnn --directory runs/demo
  kt-hpo status runs/demo
  kt-hpo resume runs/demo

exit status:
    0  done
    1  the search failed, or its record is damaged
    2  wrong arguments, file or data; nothing was trained
    3  a package is not installed; the message has the install line
  130  interrupted (Ctrl-C)

`kt-hpo COMMAND --help` tells more of a command; `kt-hpo completion bash` completes them all.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        arguments: What follows `kt-hpo`; the program's own arguments if not given.

    Returns:
        The exit status: 0 done, 1 the search failed, 2 wrong arguments, file or data, 3 a package
        is not installed, 130 interrupted.

    Raises:
        SystemExit: After `--help`, and where an argument is not understood at all.

    Example:
        >>> main(["search", "--data", "digits", "--model", "transformer", "--directory", "runs"])
        2
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:
        completion.complete(parser)
    parser.check_command(arguments, COMMANDS)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except KeyboardInterrupt as interrupt:
        return _fail(f"interrupted. {interrupt}".rstrip(), INTERRUPTED)
    except BrokenPipeError:
        # Who read the output, `head` say, has enough of it. Python would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except ImportError as error:
        return _fail(error, MISSING)
    except (ValueError, OSError) as error:
        return _fail(error, USAGE)
    except RuntimeError as error:
        return _fail(error, FAILED)
    except _storage_errors() as error:
        return _fail(f"the data base cannot be used: {str(error).splitlines()[0]}", FAILED)
    return OK


def _fail(reason: object, status: int) -> int:
    if isinstance(reason, OSError) and reason.filename is not None:
        reason = f"{reason.filename}: {reason.strerror}."
    print(f"kt-hpo: {reason}", file=sys.stderr)
    return status


def _storage_errors() -> tuple[type[Exception], ...]:
    """What is raised of a data base, by the packages that have been imported by then."""
    bases = {"sqlalchemy.exc": "SQLAlchemyError", "optuna.exceptions": "StorageInternalError"}
    return tuple(
        getattr(sys.modules[module], name)
        for module, name in bases.items()
        if module in sys.modules
    )


def _parser() -> Parser:
    parser = Parser(
        prog="kt-hpo",
        description="Hyperparameter optimization for Keras.",
        epilog=_EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"kt-hpo {kt_hpo.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS.values():
        command.add_to(commands)
    return parser
