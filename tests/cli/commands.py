"""Command lines that several tests run."""

import os
import subprocess
import sys
from pathlib import Path

SEARCH = ["search", "--data", "digits", "--model", "mlp", "--max-trials", "2", "--max-epochs", "1"]
# Points and a small model of `tests/models.py`, without a graph: trials of a fraction of a second.
QUICK = [
    "search", "--data", "models:blobs", "--model", "models:eager", "--batch-size", "200",
    "--max-trials", "2", "--max-epochs", "1", "--verbose", "0",
]  # fmt: skip
UNTRAINED = [*QUICK, "--model", "models:Untrained"]
TESTS = Path(__file__).parent.parent


def command_of(*arguments):
    return [sys.executable, "-m", "kt_hpo.cli", *map(str, arguments)]


def environment():
    paths = [str(TESTS), str(TESTS.parent), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def run(*arguments, **options):
    options = {"capture_output": True, "text": True, "env": environment(), **options}
    return subprocess.run(command_of(*arguments), **options)


def start(*arguments):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command_of(*arguments), env=environment(), **pipes)
