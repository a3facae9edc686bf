"""Names of a package that are imported when they are first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Makes the `__getattr__` of a package.

    Args:
        package: The package's name.
        homes: The module that each name is in; a module of the package is named itself.

    Returns:
        A function from a name to what it stands for.

    Example:
        >>> get = lazy_names("mine", {"sqrt": "math"})
        >>> get("sqrt")(9.0)
        3.0
        >>> get("cbrt")
        Traceback (most recent call last):
        ...
        AttributeError: module 'mine' has no attribute 'cbrt'
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        from kt_hpo.startup import quiet_tensorflow

        with quiet_tensorflow():
            module = import_module(homes[name])
        return module if homes[name] == f"{package}.{name}" else getattr(module, name)

    return get
