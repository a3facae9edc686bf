"""What TensorFlow Datasets keeps to itself."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def shows_progress(tfds: Any) -> bool:
    """Tells whether TensorFlow Datasets shows progress bars.

    Args:
        tfds: The package.

    Returns:
        Whether it does; True, as it does by itself, without the name of today.
    """
    return bool(getattr(tfds.core.utils.tqdm_utils, "_active", True))


@cache
def names_in_package() -> frozenset[str] | None:
    """Names that TensorFlow Datasets may know, read from its files: importing it takes seconds.

    Returns:
        All names of its data sets, and some of no data set; None where its files are elsewhere.
    """
    spec = find_spec("tensorflow_datasets")
    folders = list(spec.submodule_search_locations or []) if spec else []
    if not folders or not (Path(folders[0]) / "core" / "registered.py").is_file():
        return None
    root = Path(folders[0])
    names = {path.stem for path in (root / "url_checksums").glob("*.txt")}
    names |= {path.name for path in (root / "datasets").glob("*") if path.is_dir()}
    for path in root.glob("*/**/*.py"):
        if "core" not in path.parts and "testing" not in path.parts:
            code = path.read_text(encoding="utf-8", errors="replace")
            names |= {_snake(name) for name in re.findall(r"^class (\w+)\(", code, re.MULTILINE)}
    return frozenset(names)


def _snake(name: str) -> str:
    """Name of a data set by its class, as TensorFlow Datasets makes it."""
    parted = re.sub("(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub("([a-z0-9])([A-Z])", r"\1_\2", parted).lower()
