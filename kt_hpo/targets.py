"""What a user names as `module:name`, the modules of the current folder included."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kt_hpo.arguments import did_you_mean


@contextlib.contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Looks relative paths and modules up in a folder.

    Args:
        folder: The folder.

    Yields:
        Nothing, while it is the current one.

    Raises:
        FileNotFoundError: If it is not there.
    """
    if not folder.is_dir():
        raise FileNotFoundError(
            f"There is no folder {folder}, where the relative paths and the modules of this search "
            "are looked up. Give the one they are in now with --folder."
        )
    path = str(folder.resolve())
    with contextlib.chdir(folder):
        sys.path.insert(0, path)
        try:
            yield
        finally:
            sys.path.remove(path)


def load_target(target: str, said: str) -> Any:
    """Imports what a user has named.

    Args:
        target: `module:name`, also `package.module:Class.name`.
        said: How it was given, for the message of an error.

    Returns:
        What is there.

    Raises:
        ValueError: If there is no such module, it cannot be imported, or has no such name.

    Example:
        >>> load_target("math:sqrt", "--data math:sqrt")(9)
        3.0
    """
    module, _, names = target.partition(":")
    check_target(target, said)
    found = _module(module, said)
    for name in names.split("."):
        if not hasattr(found, name):
            hint = did_you_mean(name, [one for one in dir(found) if one[0] != "_"])
            raise ValueError(f"{said}: {module} has no {name!r}.{hint}")
        found = getattr(found, name)
    return found


def check_target(target: str, said: str) -> None:
    """Refuses what a user has named, where not even its module is there; it imports nothing.

    Args:
        target: `module:name`.
        said: How it was given, for the message of an error.

    Raises:
        ValueError: If there is no such module.

    Example:
        >>> check_target("math:sqrt", "--data math:sqrt")
    """
    module, _, names = target.partition(":")
    if module.endswith(".py"):
        name = ".".join(Path(module).with_suffix("").parts)
        raise ValueError(f"{said}: give the module's name rather than its file, {name}:{names}.")
    top = module.partition(".")[0]
    if top not in sys.modules and importlib.util.find_spec(top or ".") is None:
        raise ValueError(_missing(top, said))


def _missing(module: str, said: str) -> str:
    here = [path.stem for path in Path().glob("*.py")]
    return (
        f"{said}: there is no module {module!r} in {Path().resolve()}, and none is "
        f"installed.{did_you_mean(module, here)}"
    )


def _module(name: str, said: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise ValueError(f"{said}: {name} needs {error.name!r}, which is not there.") from error
        raise ValueError(_missing(error.name, said)) from error
    except Exception as error:
        raise ValueError(
            f"{said}: {name} cannot be imported.\n\n{traceback.format_exc()}"
        ) from error
