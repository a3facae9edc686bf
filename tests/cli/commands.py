"""Command lines that several tests run."""

import os
from pathlib import Path

SEARCH = ["search", "--data", "digits", "--model", "mlp", "--max-trials", "2", "--max-epochs", "1"]
# Points and a small model of `tests/models.py`, without a graph: trials of a fraction of a second.
QUICK = [
    "search", "--data", "models:blobs", "--model", "models:eager", "--batch-size", "200",
    "--max-trials", "2", "--max-epochs", "1", "--verbose", "0",
]  # fmt: skip
UNTRAINED = [*QUICK, "--model", "models:Untrained"]
TESTS = Path(__file__).parent.parent


def environment():
    paths = [str(TESTS), str(TESTS.parent), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
