"""Kills searches, at every write of their records and at random moments, and looks what is left.

    python tests/kills.py [--random 300] [--every-write] [--seed 0]

The searches meet new hyperparameters as they go, fail, retry and report epochs. Nothing that was
recorded may change or be lost, no trial may be run with other values than it began with, and the
search that goes on comes to the same trials as one that was never killed.
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import os
import random
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import kt_hpo
from kt_hpo.record.journal import Journal


class Growing(kt_hpo.OptunaSearch):
    """A function that asks for more the longer it is searched; it notes what it was run with."""

    def run_trial(self, trial: Any) -> float:
        hp, number = trial.hyperparameters, int(trial.trial_id)
        values = [hp.Float("x", -1, 1)]
        for epoch in range(2):
            self.report(trial, epoch, {"default_objective": values[0] + epoch})
        if number >= 1:
            values.append(hp.Int("layers", 1, 4))
        if number >= 2:
            with hp.conditional_scope("x", [values[0]]):
                values += [hp.Float("rate", 1e-4, 1, sampling="log"), hp.Boolean("norm")]
        with Path(self.project_dir, "runs.txt").open("a") as file:
            file.write(json.dumps([number, values]) + "\n")
        if number == 1:
            raise OSError("no answer, whenever it is asked")
        return float(sum(values))


KINDS = {"random": "random", "tpe": "tpe"}


def search(kind: str, directory: Path, trials: int = 4, last_write: int | None = None) -> None:
    """Searches, and kills its own process after so many writes of the record."""
    written = iter(range(last_write or 0))
    write = Journal._write

    def deadly(self: Journal, logs: Any) -> None:
        write(self, logs)
        if next(written, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    gc.freeze()  # To look for garbage in all that was imported takes longer than the search.
    if last_write is not None:
        Journal._write = deadly  # type: ignore[method-assign]
    tuner = Growing(
        max_trials=trials, seed=0, sampler=KINDS[kind], directory=directory, project_name="p",
        max_retries_per_trial=1, max_consecutive_failed_trials=9,
    )  # fmt: skip
    tuner.search(verbose=0)


def processes() -> Any:
    """Processes that start with everything imported already."""
    context = multiprocessing.get_context("forkserver")
    # A process that is begun by a test imports the program it was begun by: pytest.
    context.set_forkserver_preload(["pytest", "keras", "keras_tuner", "kt_hpo.tuners"])
    return context


def run(context: Any, seconds: float | None, *arguments: Any) -> int:
    """Runs a search in a process of its own, killed after some time; gives its exit status."""
    process = context.Process(target=search, args=arguments)
    process.start()
    process.join(seconds)
    process.kill()
    process.join()
    return process.exitcode


def found(directory: Path) -> list[Any]:
    """What the record holds of each trial."""
    try:
        study = kt_hpo.open_study(directory / "p")
    except (FileNotFoundError, ValueError):  # Killed before there was a study.
        return []
    return [(t.number, t.state.name, t.values, t.params, t.user_attrs) for t in study.trials]


def check(directory: Path, whole: list[Any], before: list[Any]) -> list[Any]:
    """Checks that nothing ended was changed, and that every run of a trial had the same values."""
    now = found(directory)
    ended = [trial for trial in before if trial[1] in ("COMPLETE", "FAIL")]
    assert [now[trial[0]] for trial in ended] == ended, (before, now)
    runs = directory / "p" / "runs.txt"
    values: dict[int, Any] = {}
    for number, tried in map(json.loads, runs.read_text().splitlines() if runs.exists() else ()):
        assert values.setdefault(number, tried) == tried, (number, values[number], tried)
    for trial in now:
        assert trial[3].items() <= whole[trial[0]][3].items(), (trial, whole[trial[0]])
    return now


def finish(kind: str, directory: Path, whole: list[Any]) -> None:
    """Lets a search that was killed go on to its end, and compares it with a whole one."""
    before = found(directory)
    search(kind, directory, len(whole))
    now = check(directory, whole, before)
    assert [trial[:4] for trial in now] == [trial[:4] for trial in whole], (now, whole)


def killed_at_every_write(context: Any, kind: str, directory: Path, trials: int = 4) -> int:
    """Kills a search once at each of its writes; tells how many there were."""
    search(kind, directory / "whole", trials)
    whole = found(directory / "whole")
    count = 0
    while run(context, None, kind, directory / str(count), trials, count) == -signal.SIGKILL:
        check(directory / str(count), whole, [])
        finish(kind, directory / str(count), whole)
        count += 1
    return count


def killed_at_random(context: Any, kind: str, directory: Path, kills: int, seed: int) -> int:
    """Kills searches at random moments until there were so many kills; tells the searches."""
    assert run(context, None, kind, directory / "whole", 12) == 0
    whole = found(directory / "whole")
    started = time.monotonic()
    assert run(context, None, kind, directory / "clock", 12) == 0
    seconds = time.monotonic() - started
    moments, searches = random.Random(seed), 0
    while kills > 0:
        one = directory / f"killed {searches}"
        before: list[Any] = []
        while kills > 0:
            if run(context, moments.uniform(0, 0.7) * seconds, kind, one, 12) == 0:
                break
            kills -= 1
            before = check(one, whole, before)
        finish(kind, one, whole)
        searches += 1
    return searches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--random", type=int, default=300, help="how many kills at random moments")
    parser.add_argument("--every-write", action="store_true", help="and one at each write")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    context = processes()
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            if options.every_write:
                writes = killed_at_every_write(context, kind, Path(folder) / "writes")
                print(f"{kind}: killed at each of {writes} writes, nothing lost", flush=True)
            kills = options.random // len(KINDS)
            directory = Path(folder) / "random"
            searches = killed_at_random(context, kind, directory, kills, options.seed)
            print(f"{kind}: {kills} kills of {searches} searches, nothing lost", flush=True)


if __name__ == "__main__":
    main()
