"""Runs every benchmark, each in a process of its own, then writes RESULTS.md.

    python -m benchmarks.run [--quick]

Half an hour on two cores, in few rounds: each alone has more by default. The searches on tables go
on where they were interrupted, and so have only a part of that; `python -m benchmarks.quality.run`
makes all that are missing. Quickly, four run at the same time, and what they find is kept in
`build/`: it shows that all works, and nothing else.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks import measuring

MODULES = {
    "searches": ["--repeats", "1"],
    "executors": ["--searches", "several-inputs", "--repeats", "1"],
    "time_spent": ["--searches", "several-inputs", "--repeats", "1"],
    "workers": ["--repeats", "1"],
    "cluster": ["--repeats", "1", "--trials", "8"],
    "throughput": ["--repeats", "1"],
    "vectorized": ["--repeats", "1"],
    "overhead": ["--minutes", "0.03"],
    "memory": ["--searches", "getting-started", "--trials", "100"],
    "accuracy": ["--repeats", "1"],
    "quality.run": ["--minutes", "1"],
    "quality.at_once": ["--repeats", "2"],
    "quality.defaults": [],
    "presets": [],
    "ranges": ["--models", "MLP", "--seeds", "1"],
    "ready": ["--tasks", "titanic", "--seeds", "0"],
    "simulation": ["--seeds", "1"],
    "mended": ["--repeats", "1"],
}
QUICK_RESULTS = Path("build/benchmarks/results")


def run(module: str, quick: bool) -> bool:
    """Runs a benchmark, and tells how long it took; gives whether it worked."""
    options = ["--quick"] if quick else MODULES[module]
    command = [sys.executable, "-m", f"benchmarks.{module}", *options]
    with measuring.timed() as seconds:
        done = subprocess.run(command, stdout=subprocess.PIPE if quick else None, text=True)
    said = f"== {module}: {seconds() / 60:.1f} minutes"
    print("\n".join([*filter(None, [done.stdout]), said]), flush=True)
    return done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="see that all of it works")
    quick = parser.parse_args().quick
    if quick:
        os.environ[measuring.PLACE] = str(QUICK_RESULTS.absolute())
    with ThreadPoolExecutor(4 if quick else 1) as pool:
        worked = list(pool.map(partial(run, quick=quick), MODULES))
    subprocess.run([sys.executable, "-m", "benchmarks.report"], check=True)
    failed = [module for module, well in zip(MODULES, worked, strict=True) if not well]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
