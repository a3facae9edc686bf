"""Runs every benchmark, each in a process of its own, then writes RESULTS.md.

    python -m benchmarks.run [--quick]

Half an hour on two cores, in few rounds: each alone has more by default. The searches on tables go
on where they were interrupted, and so have only a part of that; `python -m benchmarks.quality.run`
makes all that are missing.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from benchmarks import measuring

MODULES = {
    "throughput": ["--repeats", "1"],
    "vectorized": ["--repeats", "2"],
    "workers": ["--repeats", "2"],
    "cluster": ["--repeats", "1", "--trials", "16"],
    "overhead": ["--minutes", "0.05"],
    "accuracy": ["--repeats", "1"],
    "quality.run": ["--minutes", "1.5"],
    "quality.defaults": [],
    "simulation": ["--seeds", "1"],
    "mended": ["--repeats", "1"],
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="see that all of it works")
    quick = parser.parse_args().quick
    failed = []
    for module, options in MODULES.items():
        command = [
            sys.executable,
            "-m",
            f"benchmarks.{module}",
            *(["--quick"] if quick else options),
        ]
        print(f"== {module}", flush=True)
        with measuring.timed() as seconds:
            if subprocess.run(command).returncode != 0:
                failed.append(module)
        print(f"== {module}: {seconds() / 60:.1f} minutes", flush=True)
    subprocess.run([sys.executable, "-m", "benchmarks.report"], check=True)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
