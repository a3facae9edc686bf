"""What type checkers read of the names that are imported when they are first used.

`make stubs` writes these files again, from the registry; a test tells when that is due.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parent.parent
STUBS = {
    "kt_hpo": "kt_hpo/__init__.pyi",
    "kt_hpo.compat.oracles": "kt_hpo/compat/oracles.pyi",
    "kt_hpo.compat.tuners": "kt_hpo/compat/tuners.pyi",
    "kt_hpo.plots": "kt_hpo/plots/__init__.pyi",
}


def stub(package: str) -> str:
    """The text of a package's stub."""
    homes = import_module(package)._HOMES
    lines = sorted(f"from {source(package, n, homes[n])} import {n} as {n}" for n in homes)
    version = ["__version__: str"] if package == "kt_hpo" else []
    return "\n".join(["# Made by `make stubs`.", *lines, *version, ""])


def source(package: str, name: str, home: str) -> str:
    """Where a name is imported from: a module, from the package that its file lies in."""
    if home != f"{package}.{name}":
        return home
    return package if (ROOT / package / name).is_dir() else f"{package}.compat"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    for package, path in STUBS.items():
        (ROOT / path).write_text(stub(package))
